"""Photographs in the run history, on SQLite as every home has it."""

import base64
import random
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from reds_pipeline.assets.common import picture
from reds_pipeline.contact_sheets import note_sheets, noted_sheets
from reds_pipeline.run_history import remove_photographs, remove_withdrawn_photographs
from reds_pipeline.storage.home import Home

CLASSES = dg.DynamicPartitionsDefinition(name="class")
SHEETS = {name: b"\xff\xd8" + random.Random(name).randbytes(30_000) for name in ("cat", "dog")}
EXAMPLES = b"\xff\xd8" + random.Random("examples").randbytes(30_000)
FIGURE = b"\x89PNG" + random.Random("figure").randbytes(3_000)


@dg.asset(partitions_def=CLASSES)
def clean_images(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    name = context.partition_key
    sheet = picture(SHEETS[name], f'Pictures "kept" of [{name}]')
    return dg.MaterializeResult(metadata={"contact sheet": sheet, "kept": 7})


@dg.asset
def dataset_report() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"examples": picture(EXAMPLES, "Examples"), "figure": picture(FIGURE, "Shapes")}
    )


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        opened.add_dynamic_partitions("class", list(SHEETS))
        for name in SHEETS:
            dg.materialize([clean_images], instance=opened, partition_key=name)
        dg.materialize([dataset_report], instance=opened)
        yield opened


def is_kept(directory: Path, photograph: bytes) -> bool:
    trace = base64.b64encode(photograph)[1000:1200]
    return any(trace in path.read_bytes() for path in directory.rglob("*") if path.is_file())


def shown(instance: dg.DagsterInstance, asset: str, partition: str | None = None) -> str:
    wanted = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(asset), asset_partitions=partition and [partition]
    )
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization is not None
    return str(record.asset_materialization.metadata)


@pytest.mark.req("R-SCR-11")
def test_sheets_of_a_class_leave_every_file_and_other_metadata_stays(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    assert all(is_kept(tmp_path, sheet) for sheet in (*SHEETS.values(), EXAMPLES, FIGURE))
    assert remove_photographs(instance, ["cat"]) > 0
    assert not is_kept(tmp_path, SHEETS["cat"])
    assert not is_kept(tmp_path, EXAMPLES), "the examples show every class"
    assert is_kept(tmp_path, SHEETS["dog"])
    assert is_kept(tmp_path, FIGURE), "a drawing of numbers shows nobody"
    assert "was withdrawn" in shown(instance, "clean_images", "cat")
    assert "IntMetadataValue(value=7)" in shown(instance, "clean_images", "cat")
    assert "was withdrawn" in shown(instance, "dataset_report")


def test_a_second_time_there_is_nothing_to_do(instance: dg.DagsterInstance) -> None:
    assert remove_photographs(instance, ["cat", "dog"]) > 0
    assert remove_photographs(instance, ["cat", "dog"]) == 0


def test_no_class_and_an_unknown_class_change_no_sheet_of_another(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    assert remove_photographs(instance, []) == 0
    assert is_kept(tmp_path, EXAMPLES)
    remove_photographs(instance, ["bird"])
    assert is_kept(tmp_path, SHEETS["cat"])


def test_sheets_of_a_class_that_is_no_longer_selected_go_as_well(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    instance.delete_dynamic_partition("class", "cat")
    remove_photographs(instance, ["cat"])
    assert not is_kept(tmp_path, SHEETS["cat"])


@pytest.mark.req("R-SCR-11")
def test_sheets_that_a_killed_withdrawal_noted_go_later(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    note_sheets(home, "cat")
    assert remove_withdrawn_photographs(instance, home) > 0
    assert not is_kept(tmp_path, SHEETS["cat"])
    assert noted_sheets(home) == ()
    assert remove_withdrawn_photographs(instance, home) == 0


@pytest.mark.req("R-SCR-11")
def test_a_run_that_shows_a_sheet_after_the_withdrawal_is_looked_at_again(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """It had drawn the sheet before, and put it into the history a moment later."""
    home = Home(tmp_path / "home")

    @dg.asset(name="clean_images", partitions_def=CLASSES)
    def slow(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        note_sheets(home, "cat")
        remove_withdrawn_photographs(instance, home)
        return dg.MaterializeResult(metadata={"sheet": picture(SHEETS["cat"], "Pictures kept")})

    dg.materialize([slow], instance=instance, partition_key="cat")
    assert is_kept(tmp_path, SHEETS["cat"])
    assert noted_sheets(home) == ("cat",)
    remove_withdrawn_photographs(instance, home)
    assert not is_kept(tmp_path, SHEETS["cat"])
    assert noted_sheets(home) == ()


def test_the_run_that_takes_sheets_out_does_not_wait_for_itself(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    note_sheets(home, "cat")

    @dg.asset
    def recheck(context: dg.AssetExecutionContext) -> None:
        remove_withdrawn_photographs(instance, home, context.run_id)

    dg.materialize([recheck], instance=instance)
    assert noted_sheets(home) == ()
