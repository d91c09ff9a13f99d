"""Which deployed app do the integration tests look at, and how do they leave it as they found it?

Without an option: the one that the session deployed into an emulated account. With `--deployed ENVIRONMENT`:
the one of that environment in the account of the usual AWS credentials, or, for `local`, in the running local
account. There they cost one short job run, and who is subscribed to the topic gets their messages.

What they made goes at the end: objects, rows of tables, records of the ledger, a queue and its subscription.
Executions, job runs, logs and documents under `runs/` stay until they expire.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import StartsWith
from typer.testing import CliRunner

from ops import cli, deployment, tables
from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import LOCAL, Session, Target

PATIENCE_SECONDS = 1800
"""A batching window, a job run that waits for its turn, and the job itself."""
COMMITS_TRIED = 5


@dataclass
class Place:
    """A deployed app, and what these tests put there: everything under `prefix`, messages in `inbox`."""

    session: Session
    deployed: Deployment
    mark: str
    _inbox: str = ""
    _messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """Where in the raw zone their files are."""
        return f"raw/taxi/{self.mark}/"

    def named(self, name: str) -> str:
        """The name that a part of the app has in this environment."""
        environment = self.session.target.environment
        return name if environment == "prod" else f"{name}-{environment}"

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.session.client(service)

    def taxi_etl(self, *words: str) -> tuple[int, Any]:
        """What `taxi-etl WORDS` ends with, and the document it prints."""
        where = self.session.target.command().split()[1:]
        answer = CliRunner().invoke(cli.app, [*where, "--json", *words])
        assert answer.stdout, answer.stderr or answer.exception
        return answer.exit_code, json.loads(answer.stdout)

    def upload(self, path: Path) -> tuple[int, dict[str, Any]]:
        """What `upload --wait` ends with, and what became of the file."""
        timeout = ("--timeout", str(PATIENCE_SECONDS))
        code, document = self.taxi_etl("upload", str(path), "--prefix", self.prefix, "--wait", *timeout)
        assert "files" in document, document
        (file,) = document["files"]
        return code, file

    def message(self, execution: str) -> dict[str, Any]:
        """The notification about an execution, which a subscription made for these tests brings."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for message in self._messages:
                if message.get("workflowExecutionId", "").endswith(f":{execution}"):
                    return message
            answer = self.client("sqs").receive_message(
                QueueUrl=self._inbox, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            self._messages += [
                json.loads(json.loads(each["Body"])["Message"]) for each in answer.get("Messages", [])
            ]
        return pytest.fail(f"no notification about {execution} within a minute")

    def subscribe(self) -> str:
        """Have the topic's messages sent to a queue of these tests' own; gives the subscription's ARN."""
        sqs = self.client("sqs")
        self._inbox = sqs.create_queue(QueueName=self.mark)["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.deployed.topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self._inbox, Attributes={"Policy": policy})
        code, made = self.taxi_etl("subscribe", arn)
        assert code == 0, made
        return str(made["subscriptionArn"])

    def unsubscribe(self, subscription: str) -> None:
        """Remove queue and subscription."""
        self.client("sns").unsubscribe(SubscriptionArn=subscription)
        self.client("sqs").delete_queue(QueueUrl=self._inbox)

    def clean_up(self) -> None:
        """Remove rows, objects and records of these tests' files."""
        for table in ("green_trips", "quarantined_trips"):
            self._delete_rows(table)
        s3, bucket = self.client("s3"), self.deployed.bucket_name
        for prefix in (self.prefix, f"{self.mark}/"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                    self._forget(each["Key"], each["VersionId"])

    def _delete_rows(self, name: str) -> None:
        catalog, database = tables.glue_catalog(self.session), self.deployed.taxi_database_name
        ours = StartsWith("source_file", f"s3://{self.deployed.bucket_name}/{self.prefix}")
        for attempt in range(1, COMMITS_TRIED + 1):
            if not catalog.table_exists((database, name)):
                return
            try:
                catalog.load_table((database, name)).delete(ours)
            except CommitFailedException:
                if attempt == COMMITS_TRIED:
                    raise  # a load committed each time between reading and writing
            else:
                return

    def _forget(self, key: str, version: str) -> None:
        """Remove a file's record and its execution's: each of these tests' executions has one file."""
        ledger = self.session.table(self.deployed.ledger_table_name)
        file = {"pk": f"{self.deployed.bucket_name}/{key}", "sk": version}
        record = ledger.delete_item(Key=file, ReturnValues="ALL_OLD").get("Attributes", {})
        if record.get("execution"):
            ledger.delete_item(Key={"pk": f"execution#{record['execution']}", "sk": "execution"})


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The deployed app of the option `--deployed`, else the session's own, with a subscription."""
    environment = request.config.getoption("--deployed")
    session = Session(Target(environment)) if environment else request.getfixturevalue("app").session
    try:
        deployed = deployment.discover(session)
    except CliError as refusal:
        pytest.fail(f"{refusal.message}; {refusal.next_step}", pytrace=False)
    found = Place(session, deployed, f"integration-test-{uuid4().hex[:12]}")
    subscription = found.subscribe()
    try:
        yield found
    finally:
        found.unsubscribe(subscription)
        found.clean_up()


@pytest.fixture(scope="session")
def is_emulated(place: Place) -> bool:
    """Whether the account is the emulator's, which forgets some settings."""
    return place.session.target.environment == LOCAL
