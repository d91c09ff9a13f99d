"""What the demo shows about a load: its engine, time, cost and rows, and the notification."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ops import history, tables
from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import FileOutcome, outcomes
from ops.output import duration
from ops.session import LOCAL, Session
from ops.subscriptions import create_subscription
from taxi_etl.engines import Engine
from taxi_etl.identity import FileVersion

T = TypeVar("T")
QUEUE = "demo-inbox"
ADDRESS = "you@example.com"
MESSAGE_SECONDS = 60
POLL_SECONDS = 0.2
NAMES = {Engine.DUCKDB: "DuckDB in a function", Engine.GLUE: "Spark in a Glue job"}
STATES = {engine: state for state, engine in history.ENGINES.items()}
OF_THE_LOAD = ("ingested_at", "run_id")
"""Columns that differ between two loads of the same file."""
ROWS_OF_FILE = """\
SELECT count(*), sum(hash(trip))
FROM (SELECT * EXCLUDE ({excluded}) FROM yellow_trips WHERE ends_with(source_file, '/{key}')) AS trip"""


@dataclass(frozen=True)
class Load:
    """A load of files by one engine; `seconds` is the time of its state in the workflow."""

    engine: str
    files: int
    seconds: float
    cost_usd: float
    written: int
    quarantined: int

    @property
    def summary(self) -> str:
        """The load in one line."""
        rows = f"{self.written:,} rows, {self.quarantined:,} quarantined"
        return f"{rows}; {self.engine}, {duration(self.seconds)}"


def open_inbox(session: Session, deployed: Deployment) -> str:
    """Subscribe an empty queue to all notifications; return its URL."""
    sqs = session.client("sqs")
    url: str = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    create_subscription(session, deployed, arn)
    return url


@dataclass
class Inbox:
    """A queue that receives all notifications; several threads may wait at the same time."""

    session: Session
    deployment: Deployment
    url: str
    mail: Path
    _messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, session: Session, deployed: Deployment, mail: Path) -> "Inbox":
        """Subscribe an empty queue, and an address whose mail the account keeps in the folder `mail`."""
        create_subscription(session, deployed, ADDRESS)
        return cls(session, deployed, open_inbox(session, deployed), mail)

    def message_of(self, versions: Sequence[FileVersion]) -> dict[str, Any]:
        """Return the notification about the execution of these files, with the key `subject`.

        Raises CliError if none arrives.
        """

        def find(execution: str) -> dict[str, Any] | None:
            with self._lock:
                if execution not in self._messages:
                    self._receive()
            return self._messages.get(execution)

        return self._wait_for(versions, find)

    def email_about(self, versions: Sequence[FileVersion]) -> str:
        """Return the e-mail about the execution of these files, with its headers.

        Raises CliError if none arrives.
        """

        def find(execution: str) -> str | None:
            mails = (path.read_text() for path in self.mail.glob("*.txt"))
            return next((mail for mail in mails if execution in mail), None)

        return self._wait_for(versions, find)

    def _wait_for(self, versions: Sequence[FileVersion], find: Callable[[str], T | None]) -> T:
        """Return what `find` returns for the execution of these files, once it returns something."""
        execution = outcomes(self.session, self.deployment, versions)[0].execution
        deadline = time.monotonic() + MESSAGE_SECONDS
        while time.monotonic() < deadline:
            found = find(execution)
            if found is not None:
                return found
            time.sleep(POLL_SECONDS)
        raise CliError(
            f"no notification about {execution} arrived within {MESSAGE_SECONDS} s",
            f"see the queues and alarms: taxi-etl --environment {LOCAL} status",
        )

    def _receive(self) -> None:
        sqs = self.session.client("sqs")
        answer = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for received in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=received["ReceiptHandle"])
            envelope = json.loads(received["Body"])
            message = json.loads(envelope["Message"])
            name = str(message.get("workflowExecutionId", "")).rpartition(":")[2]
            self._messages[name] = {"subject": envelope.get("Subject", ""), **message}


def load_of(session: Session, deployed: Deployment, inbox: Inbox, versions: Sequence[FileVersion]) -> Load:
    """Return the load of these files."""
    files = outcomes(session, deployed, versions)
    visited = history.steps(history.events(session, history.execution_arn(deployed, files[0].execution)))
    engine = history.engine_of(visited) or Engine.GLUE
    seconds = sum(step.seconds or 0 for step in visited if step.state == STATES[engine])
    message = inbox.message_of(versions)
    cost = message.get("smallBatchCostUsd" if engine is Engine.DUCKDB else "jobCostUsd") or 0.0
    return Load(
        NAMES[engine], len(files), seconds, cost, _rows(files, "written"), _rows(files, "quarantined")
    )


def fingerprint(session: Session, deployed: Deployment, version: FileVersion) -> tuple[Any, ...]:
    """Return the number of rows of a file in its table, and a hash of their values in any order."""
    sql = ROWS_OF_FILE.format(excluded=", ".join(OF_THE_LOAD), key=version.key)
    return tables.query(session, deployed, sql).rows[0]


def _rows(files: Sequence[FileOutcome], name: str) -> int:
    return sum((file.rows or {}).get(name, 0) for file in files)
