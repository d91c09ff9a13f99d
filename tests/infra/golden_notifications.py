"""Notifications of every outcome, as the workflow and the finalizer publish them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .finalizer_notifications import FINALIZER_OUTCOMES, finalizer_notifications
from .small_batch_notifications import SMALL_BATCH_OUTCOMES
from .workflow_notifications import WORKFLOW_OUTCOMES

GOLDEN = Path(__file__).parent / "notifications"
GOLDEN_TEXTS = Path(__file__).parent / "notification_texts"
OUTCOMES = [*WORKFLOW_OUTCOMES, *SMALL_BATCH_OUTCOMES, *FINALIZER_OUTCOMES]
COMMAND = "taxi-etl --environment prod"
TIMESTAMP = re.compile(r'(?<="timestamp": ")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z')
NOW = "2026-01-02T03:10:00.000Z"


class GoldenNotification(Mapping[str, Any]):
    """A published notification and its parsed body."""

    def __init__(
        self, subject: str, attributes: Mapping[str, Any], *, default: str, email: str, sms: str
    ) -> None:
        self.subject, self.attributes, self.email, self.sms = subject, attributes, email, sms
        self.text, times = TIMESTAMP.subn(NOW, default)
        assert times == 1, "a message has one timestamp, in UTC with milliseconds"
        self.body: dict[str, Any] = json.loads(default)

    def __getitem__(self, key: str) -> Any:
        return self.body[key]

    def __iter__(self) -> Any:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)

    def printed(self) -> str:
        attributes = (
            f"{name} ({value['DataType']}): {value['StringValue']}" for name, value in self.attributes.items()
        )
        return "\n".join([f"Subject: {self.subject}", *attributes, "", self.text]) + "\n"

    def printed_texts(self) -> str:
        """The texts for people, as an e-mail and as an SMS."""
        return f"Subject: {self.subject}\n\n{self.email}\n\nSMS\n\n{self.sms}\n"


def collect_notifications(
    definition: Mapping[str, Any], auto_definition: Mapping[str, Any]
) -> dict[str, list[GoldenNotification]]:
    """The notifications by name of the outcome; `auto_definition` is that of apps with both engines."""
    found = {}
    executions = [
        *((name, outcome(), definition) for name, outcome in WORKFLOW_OUTCOMES.items()),
        *((name, outcome(), auto_definition) for name, outcome in SMALL_BATCH_OUTCOMES.items()),
    ]
    for name, outcome, machine in executions:
        published = outcome.execute(machine).published
        found[name] = [
            GoldenNotification(
                each.subject, each.attributes, default=each.text, email=each.email, sms=each.sms
            )
            for each in published
        ]
    with pytest.MonkeyPatch.context() as patch:
        # Without the patch, metrics would stay in the process and reach other tests.
        patch.setattr("lambdas.close_execution.finalizer.count", lambda *_: None)
        for name, end in FINALIZER_OUTCOMES.items():
            found[name] = [
                GoldenNotification(each["Subject"], each["MessageAttributes"], **json.loads(each["Message"]))
                for each in finalizer_notifications(end(definition), COMMAND)
            ]
    return found
