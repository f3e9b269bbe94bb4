from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reds_pipeline import terminal, terminal_status
from reds_pipeline.cli import cli
from reds_pipeline.feedback.answers import FeedbackForm
from reds_pipeline.resources import Platform
from reds_pipeline.review.decisions import Decision, Verdict
from reds_pipeline.review.desk import ReviewDesk
from reds_pipeline.settings import load_settings
from reds_pipeline.status import home_status
from reds_pipeline.storage.workers import at_work
from reds_pipeline_tests import curated_home
from reds_pipeline_tests.feedback.makers import desk_of, given, recommended, taken_photo


def test_the_status_says_what_is_reviewed_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root, images_per_class=5))
    desk = desk_of(home, platform.ledger)
    desk.record(desk.shown(recommended("cat", "beach")), FeedbackForm(("cat",)))
    given(desk, taken_photo(1))
    report = home_status(platform)
    assert report["funnel"]["cat"]["kept"] == 4
    assert [each["missing"] for each in report["balance"]] == [1, 0]
    assert report["review"][0] == {
        "class": "cat",
        "confirmed": 1,
        "unreviewed": 3,
        "discarded": 1,
        "moved_away": 1,
        "moved_here": 0,
    }
    terminal.show_details(report)
    output = capsys.readouterr().out
    assert "cat is 1 short of 5 pictures" in output
    assert "dog has all" not in output, "only what is missing is said"
    assert "not reviewed" in output
    assert "1 of 2 suggestions taken" in " ".join(output.split())
    assert "given for training: 1, learnt from: 0" in " ".join(output.split())


def test_the_status_says_how_many_decisions_wait_for_a_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root))
    # What the tables of this home were told already.
    desk = ReviewDesk(home, platform.ledger)
    made: dict[Verdict, list[tuple[str, int]]] = {
        "keep": [("cat", curated_home.STORED - 2), ("dog", curated_home.STORED - 2)],
        "discard": [("cat", 2), ("dog", 2)],
    }
    for verdict, pictures in made.items():
        desk.decide([(curated_home.sha_of(*picture), Decision(verdict)) for picture in pictures])
    moved = curated_home.sha_of("cat", curated_home.MOVED)
    desk.decide([(moved, Decision("label", "dog"))])
    assert home_status(platform)["decisions_waiting"] == 0
    desk.decide([(moved, Decision("label", "cat")), (curated_home.sha_of("dog", 3), None)])
    desk.decide([(curated_home.sha_of("dog", 4), Decision("label", "unicorn"))])
    report = home_status(platform)
    assert report["decisions_waiting"] == 2
    terminal.show_details(report)
    assert "2 decisions of reviewers are not in the data set yet" in capsys.readouterr().out


def status(home: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["status", "--home", str(home), *options])


def test_an_empty_directory_stays_empty(tmp_path: Path) -> None:
    result = status(tmp_path, "--check")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Nothing has been collected yet; start with `reds run`")
    assert list(tmp_path.iterdir()) == []
    assert status(tmp_path / "not there").exit_code == 0
    assert not (tmp_path / "not there").exists()


def test_one_screen_says_it_all(tmp_path: Path) -> None:
    home = curated_home.fill(tmp_path)
    with at_work(home.lock("run"), "`reds run`"):
        result = status(home.root)
    lines = result.output.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line != line.rstrip()]
    assert lines[0].startswith("All is well: ")
    words = " ".join(result.output.split())
    assert "`reds run`, which began at" in words
    assert "`reds up` starts it" in words
    assert "cat learning 4" in words


def test_what_cannot_be_read_is_red_and_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = curated_home.fill(tmp_path)
    # Nobody listens there.
    monkeypatch.setenv("REDS_TRACKING_URI", "http://127.0.0.1:9")
    home.table("posts", "dog").write_bytes(b"no table")
    (tmp_path / "ledger.sqlite").write_bytes(b"no database, though long enough to look like one")
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("storage: nonsense")
    result = status(home.root, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert set(report["unreadable"]) >= {"champion", "posts", "ledger", "runs"}
    assert "MLflow cannot be reached" in report["unreadable"]["champion"]
    assert report["disk"]["bytes"] > 0
    assert status(home.root, "--check").exit_code == 1
    assert "red:" in status(home.root).output.splitlines()[0]


def test_a_test_that_gets_through_ends_what_could_not_be_sent(tmp_path: Path) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root))

    def unsent() -> list[str]:
        return [event["title"] for event in home_status(platform)["recent"]["unsent"]]

    def told(kind: str, title: str, outcome: str) -> None:
        platform.ledger.append(
            "notice", kind, {"title": title, "outcome": outcome, "reason": "", "once": ""}
        )

    told("failure", "retrain failed", "failed")
    told("promotion", "Another model serves", "sent")
    assert unsent() == ["retrain failed"]
    told("test", "A test", "failed")
    assert unsent() == ["retrain failed", "A test"]
    told("test", "A test", "sent")
    assert unsent() == []


def test_advice_from_before_the_last_training_does_not_contradict_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    report = home_status(Platform(load_settings(home=home.root)))
    report["retraining"] = {
        "mode": "auto",
        "advice": {
            "at": report["now"],
            "interval_days": 28.0,
            "due": True,
            "reasons": ["A training is due."],
            "outdated": True,
        },
        "waits_for_a_person": False,
    }
    terminal_status.show_screen(report)
    words = " ".join(capsys.readouterr().out.split())
    assert "drift was measured a moment ago, before the last training" in words
    assert "due" not in words


def test_pruning_an_empty_directory_leaves_it_empty(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["prune", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert "holds nothing yet" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_long_sentences_and_many_alarms_leave_it_one_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = curated_home.fill(tmp_path)
    platform = Platform(load_settings(home=home.root))
    for number in range(9):
        body = {"run_id": str(number), "class": "", "message": "It went wrong. " * 60}
        platform.ledger.append("run_failure", "retrain", body)
    report = home_status(platform)
    alarm = {
        "kind": "failed",
        "red": True,
        "what": "It went wrong. " * 60,
        "todo": "Look.",
        "heading": "A run failed",
    }
    report["verdict"]["alarms"] = [alarm] * 20
    terminal_status.show_screen(report)
    output = capsys.readouterr().out
    assert "and 17 more" in output
    assert len(output.splitlines()) <= 45
