"""An hour's ticks and more in some minutes, with everything that REDS runs on one home.

``reds up`` with schedules that tick every minute or so, a second daemon if asked for, clients that
ask Dagster's, MLflow's and our own pages without a pause, and processes that write into the
ledger. At the end: was any database locked, any event lost, any tick answered twice?

    .venv/bin/python -m benchmarks.soak --minutes 5 --daemons 2
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from reds_pipeline.demo.instance import EmbeddedInstance
from reds_pipeline.demo.town.town import Town
from reds_pipeline.settings import load_settings
from reds_pipeline.storage.home import Home
from reds_pipeline.storage.ledger import Ledger

_COMPLAINTS = ("database is locked", "OperationalError", "QueuePool limit", "SQLITE_BUSY")
_RUNS = (
    "{ runsOrError(limit: 100) { ... on Runs { results { runId status tags { key value } } } } }"
)
_HEALTH = """{ instance { daemonHealth { allDaemonStatuses { daemonType healthy } } }
  assetNodes { assetKey { path } assetMaterializations(limit: 1) { timestamp } }
  runsOrError(limit: 25) { ... on Runs { results { runId status stepStats { stepKey } } } } }"""
_WRITER = """
import signal, sys, threading
from reds_pipeline.storage.ledger import Ledger
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
ledger, written = Ledger(sys.argv[1]), 0
while not stop.wait(0.02):
    ledger.append("soak", sys.argv[2], {"number": written})
    written += 1
print(written, flush=True)
"""


def main() -> None:
    """Run the soak and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--daemons", type=int, default=1)
    parser.add_argument("--clients", type=int, default=3, help="of each page")
    parser.add_argument("--writers", type=int, default=2, help="processes writing into the ledger")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reds-soak-") as directory:
        print(json.dumps(_soak(Path(directory), options), indent=2))


def _soak(directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    home, ports = directory / "home", [_free_port() for _ in range(3)]
    with ExitStack() as stack:
        host = stack.enter_context(EmbeddedInstance(Town.build(images_per_class=16)))
        environment = {
            **os.environ,
            "REDS_HOME": str(home),
            "DAGSTER_HOME": str(home / "dagster"),
            "REDS_HOST_URL": host.url,
            "REDS_HOST_TOKEN": host.token,
            "REDS_CLASSES": "cat,dog,flower",
            "REDS_BACKBONES": "tiny",
            "REDS_MIN_IMAGES_PER_CLASS": "5",
            "REDS_RECHECK_AFTER_HOURS": "0",
            "REDS_FREE_DISK_GB": "0",
            "REDS_RECHECK_CRON": "* * * * *",
            "REDS_REFRESH_CRON": "*/4 * * * *",
            "REDS_HOUSEKEEPING_CRON": "*/3 * * * *",
        }
        _reds(environment, "run")
        up = ["-m", "reds_pipeline.cli", "up"]
        for name, port in zip(("dagster", "mlflow", "page"), ports, strict=True):
            up += [f"--{name}-port", str(port)]
        logs = [stack.enter_context(_program(up, environment, directory / "up.log"))]
        _wait_for(f"http://127.0.0.1:{ports[0]}/server_info")
        _wait_for(f"http://127.0.0.1:{ports[1]}/health")
        _wait_for(f"http://127.0.0.1:{ports[2]}/health/live")
        daemon = ["-m", "dagster._daemon", "run", "-m", "reds_pipeline.definitions"]
        logs += [
            stack.enter_context(_program(daemon, environment, directory / f"daemon{number}.log"))
            for number in range(1, options.daemons)
        ]
        asked: Counter[str] = Counter()
        stop = threading.Event()
        threads = [
            threading.Thread(target=_ask, args=(name, port, asked, stop))
            for name, port in zip(("dagster", "mlflow", "page"), ports, strict=True)
            for _ in range(options.clients)
        ]
        ledger = Home(home).default_ledger_url
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, ledger, str(number)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(options.writers)
        ]
        for thread in threads:
            thread.start()
        time.sleep(60 * options.minutes)
        status = json.loads(_reds(environment, "status", "--json"))
        stop.set()
        for thread in threads:
            thread.join()
        for writer in writers:
            writer.terminate()
        results = [writer.communicate(timeout=60) for writer in writers]
        runs = _graphql(ports[0], _RUNS)["data"]["runsOrError"]["results"]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in logs]
    texts += [error for _, error in results]
    written = sum(int(out) for out, _ in results)
    kept = len(Ledger(ledger).events("soak"))
    return {
        "minutes": options.minutes,
        "daemons": options.daemons,
        "asked": dict(asked),
        "events written": written,
        "events lost": written - kept,
        "runs": dict(Counter(run["status"] for run in runs)),
        "ticks": _ticks(home),
        "answered twice": _answered_twice(runs),
        "complaints": {word: sum(text.count(word) for text in texts) for word in _COMPLAINTS},
        "failures": [event["message"] for event in status["failures"]],
        "verdict": status["verdict"]["sentence"],
        "alarms": [alarm["what"] for alarm in status["verdict"]["alarms"]],
    }


def _answered_twice(runs: list[dict[str, Any]]) -> int:
    """Count runs that were executed though another one had the same run key."""
    keys: Counter[tuple[str, ...]] = Counter()
    for run in runs:
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        asker = tags.get("dagster/sensor_name") or tags.get("dagster/schedule_name")
        executed = run["status"] in ("STARTED", "SUCCESS", "FAILURE")
        if asker and executed and "dagster/parent_run_id" not in tags:
            keys[asker, tags.get("dagster/run_key", ""), tags.get("dagster/partition", "")] += 1
    return sum(count - 1 for count in keys.values())


def _ticks(home: Path) -> dict[str, int]:
    import dagster as dg

    settings = load_settings(home=home)
    with dg.DagsterInstance.from_config(str(settings.home / "dagster")) as instance:
        return {
            state.name: len(instance.get_ticks(state.instigator_origin_id, state.selector_id))
            for state in instance.all_instigator_state()
        }


def _ask(name: str, port: int, asked: Counter[str], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if name == "dagster":
                answer = _graphql(port, _HEALTH)
                asked[f"{name} {'error' if 'errors' in answer else 'ok'}"] += 1
                continue
            if name == "mlflow":
                response = requests.post(
                    f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/search",
                    json={"experiment_ids": ["1"]},
                    timeout=60,
                )
            else:
                response = requests.get(f"http://127.0.0.1:{port}/review", timeout=60)
            asked[f"{name} {response.status_code}"] += 1
        except requests.RequestException as error:
            asked[f"{name} {type(error).__name__}"] += 1


def _graphql(port: int, query: str) -> dict[str, Any]:
    answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=120)
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def _program(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[Path]:
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


def _reds(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "reds_pipeline.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise SystemExit(f"{address} never answered")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
