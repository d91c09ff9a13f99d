"""Tests that docs/architecture.md shows the deployed state machine and every package."""

import os
import re
from typing import Any

import pytest

from tests.conftest import ROOT

from .mermaid import flowchart, short
from .templates import Stacks, resources

DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- state machine: drawn from the definition -->\n", "<!-- end of the state machine -->"
RENEW = "UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/infra/test_architecture_document.py"


def test_the_diagram_is_the_state_machine_of_prod(definition: dict[str, Any]) -> None:
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    drawn = f"```mermaid\n{flowchart(definition)}\n```\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        DOCUMENT.write_text(f"{before}{BEGIN}{drawn}{END}{after}")
        return
    if shown != drawn:
        pytest.fail(f"docs/architecture.md shows another state machine; renew it: {RENEW}", pytrace=False)


def test_every_state_transition_and_catch_is_drawn() -> None:
    drawn = flowchart(
        {
            "StartAt": "Ask",
            "States": {
                "Ask": {
                    "Type": "Task",
                    "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
                    "Next": "Decide",
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}],
                },
                "Decide": {
                    "Type": "Choice",
                    "Choices": [{"Condition": '{% $found.counts.rows > 0 and $a.b < "x" %}', "Next": "Tell"}],
                    "Default": "Quiet",
                },
                "Tell": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sns:publish",
                    "End": True,
                    "Catch": [
                        {"ErrorEquals": ["Sns.Full"], "Next": "Quiet"},
                        {"ErrorEquals": ["States.ALL"], "Next": "Lost"},
                    ],
                },
                "Quiet": {"Type": "Succeed"},
                "Lost": {"Type": "Fail"},
            },
        }
    )
    assert drawn.splitlines() == [
        "flowchart TD",
        "    start(( )) --> Ask",
        '    Ask["Ask<br/>lambda:invoke"]',
        '    Decide{"Decide"}',
        '    Tell["Tell<br/>sns:publish"]',
        '    Quiet(("Quiet"))',
        '    Lost((("Lost")))',
        "    Ask --> Decide",
        '    Decide -->|"rows > 0 and b #lt; #quot;x#quot;"| Tell',
        '    Decide -->|"else"| Quiet',
        '    Ask & Tell -.->|"any error"| Lost',
        '    Tell -.->|"Sns.Full"| Quiet',
        '    done(("Succeeded"))',
        "    Tell --> done",
    ]


def test_conditions_are_drawn_without_jsonata_delimiters_and_variables() -> None:
    assert short("{% $jobRun.JobRunState = 'SUCCEEDED' %}") == "JobRunState = 'SUCCEEDED'"
    assert short("{% $crawl.state = 'READY' and $summary.counts.failed = 0 %}") == (
        "state = 'READY' and failed = 0"
    )


def test_the_readme_counts_the_alarms(prod: Stacks) -> None:
    said = re.findall(r"(\d+) alarms", (ROOT / "README.md").read_text())
    assert said
    assert {int(number) for number in said} == {len(resources(prod.pipeline, "AWS::CloudWatch::Alarm"))}


def test_every_package_is_described() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"tests"}
    assert rooms - set(re.findall(r"^\| `(\w+)/", DOCUMENT.read_text(), re.MULTILINE)) == set()
