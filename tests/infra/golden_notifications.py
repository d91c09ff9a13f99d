"""What does a subscriber see? Every message of every outcome, of the workflow and of the closer."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .finalizer_notifications import CLOSER_OUTCOMES, finalizer_notifications
from .workflow_notifications import WORKFLOW_OUTCOMES

GOLDEN = Path(__file__).parent / "notifications"
OUTCOMES = [*WORKFLOW_OUTCOMES, *CLOSER_OUTCOMES]
COMMAND = "taxi-etl --environment prod"
TIMESTAMP = re.compile(r'(?<="timestamp": ")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z')
NOW = "2026-01-02T03:10:00.000Z"


class GoldenNotification(Mapping[str, Any]):
    """One message: what was published, and the body's keys."""

    def __init__(self, subject: str, attributes: Mapping[str, Any], text: str) -> None:
        self.subject, self.attributes = subject, attributes
        self.text, times = TIMESTAMP.subn(NOW, text)
        assert times == 1, "a message has one timestamp, in UTC with milliseconds"
        self.body: dict[str, Any] = json.loads(text)

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


def tell(definition: Mapping[str, Any]) -> dict[str, list[GoldenNotification]]:
    """The messages of each outcome, by its name."""
    found = {}
    for name, outcome in WORKFLOW_OUTCOMES.items():
        published = outcome().walk(definition).published
        found[name] = [GoldenNotification(each.subject, each.attributes, each.text) for each in published]
    with pytest.MonkeyPatch.context() as patch:
        # Metrics would stay in the process, for other tests to find.
        patch.setattr("lambdas.close_execution.finalizer.count", lambda *_: None)
        for name, end in CLOSER_OUTCOMES.items():
            found[name] = [
                GoldenNotification(each["Subject"], each["MessageAttributes"], each["Message"])
                for each in finalizer_notifications(end(definition), COMMAND)
            ]
    return found
