"""The deployed app under test, and the cleanup after the integration tests.

Without an option it is the app that the session deployed into an emulated account. With `--deployed
ENVIRONMENT` it is that environment's app in the account of the usual AWS credentials, or, for `local`, in the
running local account. There the tests cost one short load, and the topic's subscribers get their messages.

At the end the tests delete their objects, table rows, ledger records, queue and subscription. Executions, job
runs, logs and documents under `runs/` stay until they expire.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.expressions import StartsWith
from typer.testing import CliRunner

from ops import cli, deployment, tables
from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import LOCAL, Session, Target

TIMEOUT_SECONDS = 1800
"""Covers a batching window, a queued job run and the job run itself."""
COMMITS_TRIED = 5


@dataclass
class DeployedApp:
    """A deployed app, and these tests' resources in it: files below `prefix`, messages in a queue."""

    session: Session
    deployed: Deployment
    run_name: str
    _inbox: str = ""
    _messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The key prefix of these tests' files in the raw zone."""
        return f"raw/taxi/{self.run_name}/"

    def named(self, name: str) -> str:
        """Return the physical name of a resource in this environment."""
        environment = self.session.target.environment
        return name if environment == "prod" else f"{name}-{environment}"

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.session.client(service)

    def taxi_etl(self, *words: str) -> tuple[int, Any]:
        """Run `taxi-etl WORDS` and return its exit code and JSON output."""
        options = self.session.target.command().split()[1:]
        answer = CliRunner().invoke(cli.app, [*options, "--json", *words])
        assert answer.stdout, answer.stderr or answer.exception
        return answer.exit_code, json.loads(answer.stdout)

    def upload(self, path: Path) -> tuple[int, dict[str, Any]]:
        """Upload a file, wait for it, and return the exit code and its outcome."""
        timeout = ("--timeout", str(TIMEOUT_SECONDS))
        code, document = self.taxi_etl("upload", str(path), "--prefix", self.prefix, "--wait", *timeout)
        assert "files" in document, document
        (file,) = document["files"]
        return code, file

    def message(self, execution: str) -> dict[str, Any]:
        """Return the notification about an execution from these tests' subscription."""
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
        """Subscribe a queue of these tests to the topic and return the subscription's ARN."""
        sqs = self.client("sqs")
        self._inbox = sqs.create_queue(QueueName=self.run_name)["QueueUrl"]
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
        code, subscription = self.taxi_etl("subscribe", arn)
        assert code == 0, subscription
        return str(subscription["subscriptionArn"])

    def unsubscribe(self, subscription: str) -> None:
        """Delete the queue and the subscription."""
        self.client("sns").unsubscribe(SubscriptionArn=subscription)
        self.client("sqs").delete_queue(QueueUrl=self._inbox)

    def clean_up(self) -> None:
        """Delete rows, objects and records of these tests' files."""
        for table in ("green_trips", "quarantined_trips"):
            self._delete_rows(table)
        s3, bucket = self.client("s3"), self.deployed.bucket_name
        for prefix in (self.prefix, f"{self.run_name}/"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                    self._delete_records(each["Key"], each["VersionId"])

    def _delete_rows(self, name: str) -> None:
        catalog, database = tables.glue_catalog(self.session), self.deployed.taxi_database_name
        ours = StartsWith("source_file", f"s3://{self.deployed.bucket_name}/{self.prefix}")
        for attempt in range(1, COMMITS_TRIED + 1):
            if not catalog.table_exists((database, name)):
                return
            try:
                catalog.load_table((database, name)).delete(ours)
            except (CommitFailedException, ValidationException):  # PyIceberg 0.12 raises the latter
                if attempt == COMMITS_TRIED:
                    raise  # another load committed between every read and write
            else:
                return

    def _delete_records(self, key: str, version: str) -> None:
        """Delete the records of a file and of its execution, which has no other file."""
        ledger = self.session.table(self.deployed.ledger_table_name)
        file = {"pk": f"{self.deployed.bucket_name}/{key}", "sk": version}
        record = ledger.delete_item(Key=file, ReturnValues="ALL_OLD").get("Attributes", {})
        if record.get("execution"):
            ledger.delete_item(Key={"pk": f"execution#{record['execution']}", "sk": "execution"})


@pytest.fixture(scope="session")
def app_under_test(request: pytest.FixtureRequest) -> Iterator[DeployedApp]:
    """The app of the option `--deployed`, else the session's own, with a subscription."""
    environment = request.config.getoption("--deployed")
    session = Session(Target(environment)) if environment else request.getfixturevalue("app").session
    try:
        deployed = deployment.discover(session)
    except CliError as error:
        pytest.fail(f"{error.message}; {error.next_step}", pytrace=False)
    found = DeployedApp(session, deployed, f"integration-test-{uuid4().hex[:12]}")
    subscription = found.subscribe()
    try:
        yield found
    finally:
        found.unsubscribe(subscription)
        found.clean_up()


@pytest.fixture(scope="session")
def is_emulated(app_under_test: DeployedApp) -> bool:
    """Whether the account is the emulator's, which drops some settings."""
    return app_under_test.session.target.environment == LOCAL
