"""Tests of the notification schema, the commands in nextStep, and docs/notifications.md."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from jsonschema import Draft202012Validator

from ops.cli import app
from taxi_etl.failures import FailureCode
from taxi_etl.notifications import REMOVED, Status
from taxi_etl.transform.predicates import Reason

from .golden_notifications import GOLDEN, GOLDEN_TEXTS, OUTCOMES, GoldenNotification
from .small_batch_notifications import SMALL_BATCH_OUTCOMES

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "notifications.md").read_text()
SCHEMA = json.loads((DOCS / "notifications.schema.json").read_text())
KINDS = {
    kind["properties"]["status"]["const"]: kind
    for kind in (SCHEMA["$defs"][reference["$ref"].rsplit("/", 1)[-1]] for reference in SCHEMA["oneOf"])
}


SMALL_BATCH_KEYS = ["engine", "declined", "smallBatchCostUsd"]
"""The last keys of messages of apps with `engine = auto`."""


def violations(schema: Any, body: Any) -> list[str]:
    """The violations of the schema in a message."""
    return [
        f"{inner.json_path}: {inner.message}"
        for error in Draft202012Validator(schema).iter_errors(body)
        for inner in (error.context or [error])
    ]


def strict(schema: Any) -> Any:
    """The schema without additional keys, which consumers accept but this repository must describe."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed["additionalProperties"] = False
    return closed


def test_the_schema_is_valid_and_covers_each_status() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert set(KINDS) == {*Status, REMOVED}
    assert SCHEMA["$id"].endswith(":1")
    assert SCHEMA["$defs"]["schemaVersion"] == {"const": "1"}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_messages_match_the_schema_and_have_no_other_keys(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
        kind = KINDS[message["status"]]

        assert violations(SCHEMA, message.body) == []
        assert violations(strict({**SCHEMA, "oneOf": [kind]}), message.body) == []
        engine = SMALL_BATCH_KEYS if outcome in SMALL_BATCH_OUTCOMES else []
        assert list(message) == [*kind["required"], *engine], "the schema lists the keys in a message's order"


@pytest.mark.parametrize(
    ("outcome", "change"),
    [
        ("success_one_file", {"status": "DONE"}),
        ("success_one_file", {"schemaVersion": "2"}),
        ("success_one_file", {"crawlerState": "FAILED"}),
        ("success_one_file", {"timestamp": "2026-01-02"}),
        ("success_one_file", {"rows": {"read": 1, "written": -1, "quarantined": 0}}),
        ("failed_job_run", {"error": "OutOfMemoryError"}),
        ("failed_job_run", {"error": {"Error": "States.TaskFailed", "Cause": ""}}),
        ("failed_job_run", {"files": [{"name": "a.csv"}]}),
        ("failed_job_run", {"nextStep": None}),
        ("validation_failed_one_file", {"files": [{"key": "a.csv", "reasons": ["empty"]}]}),
        ("finalizer_timed_out", {"workflowExecutionId": "run-1"}),
    ],
)
def test_the_schema_refuses_invalid_messages(
    notifications: dict[str, list[GoldenNotification]], outcome: str, change: dict[str, Any]
) -> None:
    (message,) = notifications[outcome]

    assert violations(SCHEMA, {**message.body, **change})
    assert violations(SCHEMA, {**message.body, "later": "addition"}) == []
    for name in change:
        assert violations(SCHEMA, {key: value for key, value in message.body.items() if key != name})


def commands(message: GoldenNotification) -> list[list[str]]:
    return [shlex.split(command) for command in re.findall(r"`([^`]+)`", message["nextStep"])]


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The command and options that the command line parses from these words. Exits if it cannot."""
    main = typer.main.get_command(app)
    context = main.make_context(words[0], words[1:])
    name, command, rest = main.resolve_command(context, [*context._protected_args, *context.args])
    return name, {**context.params, **command.make_context(name, rest, parent=context).params}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_next_step_consists_of_existing_commands(
    notifications: dict[str, list[GoldenNotification]], outcome: str
) -> None:
    for message in notifications[outcome]:
        if message["status"] == "SUCCESS":
            assert "nextStep" not in message
            continue
        execution = message["workflowExecutionId"].rsplit(":", 1)[-1]
        first, *others = [words for words in commands(message) if words[0] == "taxi-etl"]
        name, options = parsed(first)
        assert (name, options["environment"], options["execution"]) == ("history", "prod", execution)
        for words in others:
            name, options = parsed(words)
            assert (name, options["environment"], options["execution"]) == ("replay", "prod", execution)
            assert (options["target"], options["held"]) == ("", False)


@pytest.mark.parametrize(
    ("outcome", "steps"),
    [
        ("failed_job_run", ["history", "replay"]),
        ("validation_failed_one_file", ["history", "replay"]),
        ("partial_failed_file", ["history", "replay"]),
        ("finalizer_timed_out", ["history", "replay"]),
        ("finalizer_success_unpublished", ["history"]),  # all files are loaded
        ("finalizer_input_is_invalid", ["history"]),  # there are no files
        ("partial_crawl_failed", ["history", "start-crawler"]),
    ],
)
def test_a_replay_is_advised_if_a_file_did_not_load(
    notifications: dict[str, list[GoldenNotification]], outcome: str, steps: list[str]
) -> None:
    (message,) = notifications[outcome]
    known = ("history", "replay", "start-crawler")
    assert [word for words in commands(message) for word in words if word in known] == steps


def test_the_advised_aws_command_exists(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    (message,) = notifications["partial_crawl_failed"]
    assert commands(message)[-1] == ["aws", "glue", "start-crawler", "--name", "crawler-taxi-raw"]

    model = boto3.client("glue", region_name="eu-west-1").meta.service_model
    assert model.operation_model("StartCrawler").input_shape.required_members == ["Name"]


def test_a_corrected_file_is_advised_after_a_rejection(
    notifications: dict[str, list[GoldenNotification]],
) -> None:
    (rejected,) = notifications["validation_failed_one_file"]
    (fault,) = notifications["validation_failed_by_a_fault"]

    assert rejected["nextStep"].startswith("Upload a corrected file; it loads automatically.")
    assert fault["nextStep"].startswith("See more: ")


TEXT_EXAMPLES = dict(re.findall(r"<!-- texts from (\S+)\.txt -->\n```text\n(.*?)```\n", GUIDE, re.DOTALL))
EXAMPLES = dict(re.findall(r"<!-- from (\S+)\.txt -->\n```text\n(.*?)```\n", GUIDE, re.DOTALL))


def test_the_guide_has_an_example_of_each_status() -> None:
    found = {
        status for text in EXAMPLES.values() for status in re.findall(r'^  "status": "(\w+)"', text, re.M)
    }
    assert found == set(Status)


@pytest.mark.parametrize("outcome", EXAMPLES)
def test_the_examples_in_the_guide_equal_the_golden_files(outcome: str) -> None:
    sent = (GOLDEN / f"{outcome}.txt").read_text()
    assert EXAMPLES[outcome] == sent, f"copy notifications/{outcome}.txt into docs/notifications.md"


def test_the_guide_has_an_example_of_the_texts_of_each_status() -> None:
    found = {
        status for text in TEXT_EXAMPLES.values() for status in re.findall(r"^Subject: Taxi ETL (\w+):", text)
    }
    assert found == set(Status)


@pytest.mark.parametrize("outcome", TEXT_EXAMPLES)
def test_the_texts_in_the_guide_equal_the_golden_files(outcome: str) -> None:
    sent = (GOLDEN_TEXTS / f"{outcome}.txt").read_text()
    assert TEXT_EXAMPLES[outcome] == sent, f"copy notification_texts/{outcome}.txt into docs/notifications.md"


def test_the_chat_message_in_the_guide_equals_the_golden_file() -> None:
    (shown,) = re.findall(r"<!-- chat_message\.json -->\n```text\n(.*?)```\n", GUIDE, re.DOTALL)
    assert shown == (GOLDEN.parent / "chat_message.json").read_text()


def test_the_guide_names_every_code_once() -> None:
    section = GUIDE.split("\n## Codes\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(map(str, FailureCode))


def test_the_guide_names_every_quarantine_reason_once() -> None:
    section = GUIDE.split("\n## Quarantine reasons\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(Reason)


def test_the_filter_policies_in_the_guide_name_existing_values() -> None:
    policies = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
    assert policies
    for policy in policies:
        assert set(policy) <= {"status", "dataset"}
        assert set(policy.get("status", [])) <= set(Status)
