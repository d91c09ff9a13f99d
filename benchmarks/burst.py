"""Benchmark of a burst: many small files at once, through the deployed app in a local account of its own.

    make burst FILES=100
    make burst FILES=1000
    make burst FILES=1000 ENGINE=glue

The files have about 100 rows each, of two datasets in three formats. One file in a hundred is uploaded again
with other rows, one event in a hundred is delivered twice, and two files in a hundred are damaged. At the end
each version is accounted for in the ledger, in the tables (row by row count), and in the notifications.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deploying import deploy
from local_aws import account
from ops import deployment, tables, uploads
from ops.demo_results import open_inbox
from ops.deployment import Deployment
from ops.file_outcomes import FileOutcome
from ops.progress import Watch
from ops.session import LOCAL, Session, Target
from sample_data import Sample, generate
from taxi_etl.datasets import DATASETS
from taxi_etl.engines import EngineChoice
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX
from taxi_etl.notifications import Status

ROWS = 100
DIRTY_SHARE = 0.02
REPEATED_EVENTS = 100
UPLOADED_AGAIN = 100
DAMAGED = 50
"""One in this many files."""
KINDS = (("yellow", "2024", "parquet"), ("green", "2020", "csv.gz"), ("yellow", "2014", "csv"))
"""Dataset, year and format."""
ANNOUNCED = {
    str(FileStatus.LOADED): (Status.SUCCESS, Status.PARTIAL_SUCCESS),
    str(FileStatus.REJECTED): (Status.VALIDATION_FAILED,),
}
"""The notifications that list the files of each status."""
TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class File:
    """A file of the burst; `rows` and `quarantined` are 0 for a damaged one."""

    path: Path
    rows: int = 0
    quarantined: int = 0


def make_files(folder: Path, count: int, seed: int) -> tuple[list[File], list[File]]:
    """Write the files; returns those of the burst and the ones that replace some of them afterwards."""
    first, again = folder / "first", folder / "again"
    for each in (first, again):
        each.mkdir()
    files = [_make(first, number, seed) for number in range(count)]
    replaced = [
        _make(again, number, seed + count) for number in range(1, count, UPLOADED_AGAIN) if number % DAMAGED
    ]
    for file in files[::DAMAGED]:
        file.path.write_bytes(_cut(file.path))
    return [File(file.path) if n % DAMAGED == 0 else file for n, file in enumerate(files)], replaced


def _cut(path: Path) -> bytes:
    """The first half of a file; of a CSV file until the middle of a line, because a shorter one is valid."""
    content = path.read_bytes()
    half = len(content) // 2
    if path.suffix == ".csv":
        half = content.rfind(b"\n", 0, half) + 10
    return content[:half]


def _make(folder: Path, number: int, seed: int) -> File:
    dataset, year, suffix = KINDS[number % len(KINDS)]
    month = f"{year}-{number // len(KINDS) % 6 + 1:02d}"
    made: Sample = generate(
        folder / f"{dataset}_tripdata_{month}_{number:05d}.{suffix}",
        dataset=dataset,
        month=month,
        rows=ROWS,
        dirty_share=DIRTY_SHARE,
        seed=seed + number,
        format=suffix,
    )
    return File(made.path, made.clean_rows, made.dirty_rows)


def repeat_events(session: Session, deployed: Deployment, versions: Sequence[FileVersion]) -> None:
    """Deliver the events of some versions a second time, as S3 may."""
    for version in versions[::REPEATED_EVENTS]:
        described = {"key": version.key, "size": version.size, "versionId": version.version_id}
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": version.bucket}, "object": described},
        }
        session.client("sqs").send_message(
            QueueUrl=deployed.queue_url, MessageBody=json.dumps({"Records": [record]})
        )


def check(
    session: Session, deployed: Deployment, outcomes: Sequence[FileOutcome], files: dict[str, File]
) -> list[str]:
    """Return what is lost, doubled or unaccounted for; `files` are the current ones by file name."""
    newest = {outcome.version.key: outcome for outcome in outcomes}
    problems = [
        f"{outcome.version.key} {outcome.version.version_id} is {outcome.status}"
        for outcome in outcomes
        if outcome is not newest[outcome.version.key]
        and outcome.status not in (FileStatus.LOADED, FileStatus.SUPERSEDED)
    ]
    for name, file in files.items():
        status = newest[f"{RAW_PREFIX}{name}"].status
        expected = FileStatus.LOADED if file.rows else FileStatus.REJECTED
        if status != expected:
            problems.append(f"{name} is {status}, not {expected}")
    found = {
        kind: dict(
            tables.query(
                session,
                deployed,
                f"SELECT parse_filename(source_file), count(*) FROM {table} GROUP BY 1",  # noqa: S608 (our names)
                limit=10 * len(files),
            ).rows
        )
        for kind, table in (
            *((dataset, DATASETS[dataset].table) for dataset, _, _ in KINDS),
            ("quarantined", "quarantined_trips"),
        )
    }
    for name, file in files.items():
        written = sum(found[dataset].get(name, 0) for dataset in {kind[0] for kind in KINDS})
        quarantined = found["quarantined"].get(name, 0)
        if (written, quarantined) != (file.rows, file.quarantined):
            problems.append(
                f"{name} has {written} rows and {quarantined} in quarantine, "
                f"not {file.rows} and {file.quarantined}"
            )
    return problems


def notified(session: Session, inbox: str, executions: int) -> Counter[str]:
    """The number of files in notifications by status, when each execution has been announced."""
    sqs, seen, counts = session.client("sqs"), set[str](), Counter[str]()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for received in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=received["ReceiptHandle"])
            message = json.loads(json.loads(received["Body"])["Message"])
            seen.add(message.get("workflowExecutionId", ""))
            counts[message.get("status", "alarm")] += len(message.get("files", [])) + message.get(
                "filesOmitted", 0
            )
        if not answer.get("Messages") and len(seen) >= executions:
            break
    return counts


def run(folder: Path, count: int, seed: int, engine: str) -> int:
    """Run the burst with an engine in a new account below a folder; returns the exit code."""
    files, replaced = make_files(folder, count, seed)
    running = account.up(folder / "account", port=0, owner=os.getpid())
    try:
        deploy(running, folder, engine)
        session = Session(Target(LOCAL, region=running.region, endpoint_url=running.endpoint_url))
        deployed = deployment.discover(session)
        inbox = open_inbox(session, deployed)
        began = time.monotonic()
        versions = [
            version
            for wave in (files, replaced)
            for version in uploads.upload(
                session,
                deployed.bucket_name,
                uploads.plan([file.path for file in wave], RAW_PREFIX),
                lambda *_: None,
            )
        ]
        repeat_events(session, deployed, versions)
        uploaded = time.monotonic() - began
        watch = Watch(session, deployed, versions, timeout_seconds=TIMEOUT_SECONDS)
        for _ in watch.changes():
            pass
        drained = time.monotonic() - began
        current = {file.path.name: file for file in (*files, *replaced)}
        executions = {outcome.execution for outcome in watch.files}
        statuses = Counter(str(outcome.status) for outcome in watch.files)
        announced = notified(session, inbox, len(executions))
        problems = check(session, deployed, watch.files, current)
        for status, names in ANNOUNCED.items():
            # Versions that were superseded during a load are in the notification of those that were loaded.
            more = statuses[FileStatus.SUPERSEDED] if status == FileStatus.LOADED else 0
            if not 0 <= sum(announced[name] for name in names) - statuses[status] <= more:
                problems.append(f"{statuses[status]} files are {status}, but notifications have {announced}")
        runs = session.client("glue").get_job_runs(JobName=deployed.glue_job_name)["JobRuns"]
        report = {
            "files": len(files),
            "versions": len(versions),
            "executions": len(executions),
            "jobRuns": len(runs),
            "statuses": dict(statuses),
            "notified": dict(announced),
            "seconds": {"upload": round(uploaded, 1), "drained": round(drained, 1)},
            "problems": problems,
        }
    finally:
        account.down(folder / "account")
    print(json.dumps(report, indent=2))
    return 1 if problems else 0


def main() -> int:
    """Parse the arguments and run the burst in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=tuple(map(str, EngineChoice)), default=str(EngineChoice.AUTO))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="burst-") as folder:
        return run(Path(folder), arguments.files, arguments.seed, arguments.engine)


if __name__ == "__main__":
    sys.exit(main())
