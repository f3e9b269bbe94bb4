from __future__ import annotations

from typing import Any

import pytest

from reds_pipeline import terminal
from reds_pipeline.doctor import Finding
from reds_pipeline.withdrawal.withdraw import WithdrawalReport

MODEL: dict[str, Any] = {
    "backbone": "mobilenetv2_100",
    "protocol": "grouped",
    "cv_accuracy": [0.9, 1.0],
    "cv_mean": 0.995,
    "cv_var_ddof0": 2.6e-5,
    "test_accuracy": 0.975,
    "test_interval": [0.914, 0.993],
    "n_train": 733,
    "n_test": 81,
}


@pytest.mark.parametrize("dry_run", [True, False], ids=["only asked", "done"])
def test_a_dry_run_does_not_claim_to_have_refused_anybody(
    dry_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_withdrawal(WithdrawalReport(dry_run))
    output = capsys.readouterr().out
    assert output.startswith("Nothing of it is held.")
    assert ("It will not be taken" in output) is not dry_run


def test_names_in_square_brackets_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    tags = [{"tag": "cat", "probability": 0.9}]
    answer = {"file": "[bold]x[/].jpg", "tags": tags, "confident": True, "familiar": True}
    answer |= {"model_version": "1"}
    terminal.show_tags([answer])
    terminal.show_findings([Finding("host", False, "[/] is no address")])
    output = capsys.readouterr().out
    assert "[bold]x[/].jpg" in output
    assert "[/] is no address" in output


def test_the_accuracies_fit_into_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_WIDTH_OF_A_FILE", 80)
    funnel = {"cat": {"seen": 3, "kept": 1, "dropped": {"not_public": 2}}}
    terminal.show_summary({"funnel": funnel, "models": [MODEL], "champion": None})
    output = capsys.readouterr().out
    assert "0.975 (0.914 to 0.993)" in output
    assert "733 + 81" in output
    assert "…" not in output


def test_a_reason_is_not_cut_in_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_WIDTH_OF_A_FILE", 60)
    dropped = {f"exact_duplicate_{letter}": 10 for letter in "abcdef"}
    funnel = {"cat": {"seen": 70, "kept": 10, "dropped": dropped}}
    terminal.show_summary({"funnel": funnel, "models": [], "champion": None})
    output = capsys.readouterr().out
    for reason in dropped:
        assert f"{reason.replace('_', ' ')} 10" in output


def test_files_that_were_refused_are_not_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_tags([{"file": "x.jpg", "error": "x.jpg was not tagged."}])
    assert capsys.readouterr().out == ""
