"""What do the end-to-end tests share? A local account with the app deployed into it, and files to feed it."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local_aws import account, cdk
from ops import cli, deployment, history, samples, subscriptions, tables, uploads
from ops.deployment import Deployment
from ops.follow import Watch
from ops.records import FileOutcome
from ops.session import LOCAL, Session, Target
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX
from tests.conftest import SHARED_DATA
from tests.fixtures.local_account import Aws

PATIENCE_SECONDS = 240
NOTHING_PENDING = {
    "claimed": 0,
    "running": 0,
    "events": 0,
    "events, dead letters": 0,
    "closer, dead letters": 0,
}


@dataclass(frozen=True)
class File:
    """A trip file and what must become of its rows: counts by hand, or by construction of a generated one."""

    path: Path
    dataset: str
    read: int
    quarantined: int

    @property
    def written(self) -> int:
        """How many rows must be in the table."""
        return self.read - self.quarantined


@dataclass
class App:
    """The deployed app, as its users see it, and the account it is in (`aws`), which tests may spoil."""

    session: Session
    deployed: Deployment
    inbox: str
    aws: Aws
    _received: list[dict[str, Any]] = field(default_factory=list)

    def send(self, *paths: Path) -> list[FileVersion]:
        """Upload the files in one go."""
        planned = uploads.plan(list(paths), RAW_PREFIX)
        return uploads.upload(self.session, self.deployed.bucket_name, planned, lambda *_: None)

    def upload(self, *paths: Path) -> list[FileOutcome]:
        """Upload the files in one go and wait until nothing more will happen to them."""
        return self.follow(self.send(*paths))

    def command(self, *words: str) -> tuple[int, Any]:
        """What `taxi-etl WORDS` ends with, and the document it prints."""
        where = ["--environment", LOCAL, "--endpoint-url", self.aws.account.endpoint_url, "--json"]
        answer = CliRunner().invoke(cli.app, [*where, *words])
        return answer.exit_code, json.loads(answer.stdout) if answer.stdout else answer.stderr

    def follow(self, versions: Sequence[FileVersion]) -> list[FileOutcome]:
        """What became of these versions."""
        watch = Watch(
            self.session, self.deployed, versions, timeout_seconds=PATIENCE_SECONDS, poll_seconds=0.5
        )
        for _ in watch.changes():
            pass
        return watch.files

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds in the tables."""
        return tables.query(self.session, self.deployed, sql, limit=1000).rows

    def counts(self) -> dict[str, int]:
        """Rows by file name in the tables of trips, and in quarantine as `quarantined:NAME`."""
        found = {}
        for table, mark in (("yellow_trips", ""), ("green_trips", ""), ("quarantined_trips", "quarantined:")):
            sql = f"SELECT parse_filename(source_file), count(*) FROM {table} GROUP BY 1"
            found.update({f"{mark}{name}": count for name, count in self.rows(sql)})
        return found

    def messages(self, execution: str, wanted: int = 1) -> list[dict[str, Any]]:
        """The notifications about one execution, once there are as many as wanted."""
        eventually(lambda: len(self.told(execution)) >= wanted, f"{wanted} notifications about {execution}")
        return self.told(execution)

    def told(self, execution: str) -> list[dict[str, Any]]:
        """The notifications about one execution that have come so far."""
        return [
            message
            for message in self.received()
            if str(message.get("workflowExecutionId", "")).endswith(f":{execution}")
        ]

    def received(self) -> list[dict[str, Any]]:
        """Every notification that has come so far, alarms among them."""
        sqs = self.session.client("sqs")
        while arrived := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for each in arrived:
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=each["ReceiptHandle"])
                envelope = json.loads(each["Body"])
                self._received.append({"subject": envelope["Subject"], **json.loads(envelope["Message"])})
        return list(self._received)

    def states_of(self, execution: str) -> list[str]:
        """The states that an execution entered, in order."""
        arn = history.execution_arn(self.deployed, execution)
        return [step.state for step in history.steps(history.events(self.session, arn))]

    def pending(self) -> dict[str, int]:
        """How much `taxi-etl status` counts that is not done: open claims, and messages in each queue."""
        _, document = self.command("status")
        return {**document["executions"], **document["queues"]}

    def executions(self) -> set[str]:
        """The names of all executions."""
        pages = self.session.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.deployed.state_machine_arn)
        return {execution["name"] for page in found for execution in page["executions"]}

    def job_runs(self) -> int:
        """How many job runs there have been."""
        glue = self.session.client("glue")
        return len(glue.get_job_runs(JobName=self.deployed.glue_job_name)["JobRuns"])


def eventually(check: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until a check holds. Fails naming what did not come about."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            pytest.fail(f"within {seconds:.0f} s there were not: {what}")
        time.sleep(0.2)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The unmodified app, deployed by the CDK command line into an empty account of its own."""
    home = tmp_path_factory.mktemp("account")
    running = account.up(home, port=0, owner=os.getpid())
    try:
        cdk.deploy(running)
        session = Session(Target(LOCAL, region=running.region, endpoint_url=running.endpoint_url))
        deployed = deployment.discover(session)
        sqs = session.client("sqs")
        inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        subscriptions.subscribe(session, deployed, arn)
        yield App(session, deployed, inbox, Aws(running))
    finally:
        account.down(home)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, File]:
    """Four files of two datasets and three formats, by name: the TLC's own where this machine has them."""
    return _real_files() if SHARED_DATA.is_dir() else _generated_files(tmp_path_factory.mktemp("files"))


# Rows that cannot be true, counted in the raw files with plain SQL, a row with two reasons once:
#   SELECT count(*) FROM file WHERE pickup IS NULL OR dropoff IS NULL OR dropoff < pickup
#     OR pickup < first_of_month - INTERVAL 1 YEAR OR pickup >= first_of_next_month + INTERVAL 1 YEAR
#     OR trip_distance NOT BETWEEN 0 AND 1000
#     OR PULocationID NOT BETWEEN 1 AND 265 OR DOLocationID NOT BETWEEN 1 AND 265
def _real_files() -> dict[str, File]:
    tlc = SHARED_DATA / "tlc"
    found = (
        File(tlc / "parquet" / "yellow_tripdata_2022-01_sample.parquet", "yellow", 100_000, 1),
        File(tlc / "parquet" / "green_tripdata_2024-01.parquet", "green", 56_551, 46),
        File(tlc / "parquet" / "green_tripdata_2025-03.parquet", "green", 51_539, 324),
        File(tlc / "csv_gz" / "green_tripdata_2020-04.csv.gz", "green", 35_612, 11),
    )
    return {file.path.name: file for file in found}


def _generated_files(folder: Path) -> dict[str, File]:
    made = (
        samples.generate(folder, dataset="yellow", month="2022-01", rows=20_000, dirty_share=0.01, seed=11),
        samples.generate(folder, dataset="green", month="2024-01", rows=10_000, dirty_share=0.01, seed=12),
        samples.generate(folder, dataset="green", month="2025-03", rows=10_000, dirty_share=0.01, seed=13),
        samples.generate(
            folder, dataset="green", month="2020-04", rows=5_000, dirty_share=0.01, format="csv.gz", seed=14
        ),
    )
    found = (File(sample.path, sample.dataset, sample.rows, sample.dirty_rows) for sample in made)
    return {file.path.name: file for file in found}
