"""Counts what one execution uses: state transitions, function milliseconds, and requests by service.

    make usage

Deploys the app with each engine into a local account of its own. Loads a file of each dataset, so that all
tables exist, and then batches of one and of many small files. Prints the counts behind
`taxi_etl/estimated_requests.py` and the table "dollars per file". The requests are those that the app's roles
made; `waits` are those to S3 and the Data Catalog by role. Each batch starts new function processes. Their
CPU seconds depend less on other load on the machine than their duration. With `--files 1 --files 1`, the
least counts.
"""

import argparse
import itertools
import json
import os
import re
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import sample_data
from benchmarks.deploying import deploy
from local_aws import account
from ops import deployment, history, uploads
from ops.deployment import Deployment
from ops.execution_usage import transitions
from ops.file_outcomes import ledger
from ops.progress import Watch
from ops.session import LOCAL, Session, Target
from taxi_etl.datasets import DATASETS
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import ExecutionStatus
from taxi_etl.names import RAW_PREFIX

ROWS = 1000
TIMEOUT_SECONDS = 1200.0
SETTLE_SECONDS = 3.0
"""How long the last calls of an execution may take to be recorded."""
CATALOG = ":catalog"
"""A Data Catalog request is authorized, and recorded, for the catalog, its database and its table."""
_numbers = itertools.count()
"""No two files have the same number of rows: they would be compared as the same trips."""
WAITED = ("glue", "s3")
_WORKER = re.compile(r"/ministack-lambda-(etl-[a-z-]+)-\w+/_worker")


def measure(folder: Path, engine: str, sizes: list[int]) -> list[dict[str, Any]]:
    """Load batches of these sizes with an engine in a new account; return what each used."""
    running = account.up(folder / engine, port=0, owner=os.getpid())
    try:
        deploy(running, folder, engine, event_batch_window_seconds=10)
        session = Session(Target(LOCAL, region=running.region, endpoint_url=running.endpoint_url))
        deployed = deployment.discover(session)
        _load(
            session,
            deployed,
            [path for each in DATASETS for path in _files(folder, f"{engine}-first", 1, each)],
        )
        return [
            _measured(session, deployed, running, _files(folder, f"{engine}-{place}", size))
            for place, size in enumerate(sizes)
        ]
    finally:
        account.down(folder / engine)


def _files(folder: Path, name: str, count: int, dataset: str = "green") -> list[Path]:
    target = folder / name / dataset
    target.mkdir(parents=True)
    suffix = "csv" if dataset == "zones" else "parquet"
    return [
        sample_data.generate(
            target / f"{dataset}_tripdata_2024-01_{name}_{number:03}.{suffix}",
            dataset=dataset,
            month="2024-01",
            rows=ROWS + number,
            seed=number,
        ).path
        for number in itertools.islice(_numbers, count)
    ]


def _load(session: Session, deployed: Deployment, paths: list[Path]) -> list[FileVersion]:
    """Upload the files as one batch, and wait until they are loaded and their executions closed."""
    _deliver_events(session, deployed, enabled=False)
    planned = uploads.plan(paths, RAW_PREFIX)
    versions = uploads.upload(session, deployed.bucket_name, planned, lambda *_: None)
    _deliver_events(session, deployed, enabled=True)
    watch = Watch(session, deployed, versions, timeout_seconds=TIMEOUT_SECONDS)
    for _ in watch.changes():
        pass
    assert {file.status for file in watch.files} == {"loaded"}
    while ledger(session, deployed).count_executions(ExecutionStatus.RUNNING):
        time.sleep(0.2)
    time.sleep(SETTLE_SECONDS)
    return versions


def _deliver_events(session: Session, deployed: Deployment, *, enabled: bool) -> None:
    functions = session.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=deployed.orchestrator_function_name)
    for mapping in found["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)


def _measured(
    session: Session, deployed: Deployment, running: account.Account, paths: list[Path]
) -> dict[str, Any]:
    """Load one batch, with every call recorded from the start."""
    for enforced in (False, True):
        _settings(running, enforce_roles=enforced)
    versions = _load(session, deployed, paths)
    calls, waits = Counter[str](), Counter[str]()
    for call in _calls(running):
        service = call["action"].partition(":")[0]
        if service != "glue" or call["resource"].endswith(CATALOG):
            calls[call["action"]] += call["times"]
            waits[call["role"]] += call["times"] * (service in WAITED)
    records = ledger(session, deployed).files(versions).values()
    names = sorted({record.execution for record in records})
    found = []
    for name in names:
        execution = history.describe(session, deployed, name)
        steps = history.steps(history.events(session, execution.arn))
        found.append(
            {
                "transitions": transitions(steps),
                "milliseconds": {
                    step.state: round(1000 * (step.seconds or 0)) for step in steps if step.attempts
                },
            }
        )
    return {
        "files": len(paths),
        "executions": found,
        "cpuSeconds": _cpu_seconds(Path(running.state_dir)),
        "requests": dict(sorted(calls.items())),
        "waits": dict(sorted(waits.items())),
    }


def _cpu_seconds(state_dir: Path) -> dict[str, float]:
    """Return the CPU seconds of each function's processes and their children, since they started (Linux)."""
    parents, ticks, functions = {}, {}, {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            facts = (each / "stat").read_text().rpartition(")")[2].split()
            command = (each / "cmdline").read_text()
        except OSError:
            continue  # the process has ended
        pid = int(each.name)
        parents[pid], ticks[pid] = int(facts[1]), sum(map(int, facts[11:15]))
        found = _WORKER.search(command) if str(state_dir) in command else None
        if found:
            functions[pid] = found[1].removesuffix("-local")
    seconds: dict[str, float] = {}
    for pid, name in functions.items():
        family = [pid, *(child for child, parent in parents.items() if parent == pid)]
        used = sum(ticks[each] for each in family) / os.sysconf("SC_CLK_TCK")
        seconds[name] = round(seconds.get(name, 0) + used, 2)
    return seconds


def _settings(running: account.Account, **changes: Any) -> None:
    body = json.dumps(changes).encode()
    request = urllib.request.Request(f"{running.endpoint_url}/_local/settings", body, method="POST")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310 (the local account)


def _calls(running: account.Account) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{running.endpoint_url}/_local/calls") as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
    return found


def main() -> None:
    """Parse the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", action="append", choices=("auto", "glue"))
    parser.add_argument("--files", type=int, action="append")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usage-") as folder:
        found = {
            engine: measure(Path(folder), engine, arguments.files or [1, 11])
            for engine in arguments.engine or ["auto", "glue"]
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
