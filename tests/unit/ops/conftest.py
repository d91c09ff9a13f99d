"""Fixtures of the command line's tests: a deployed app whose AWS calls `fake_aws` answers."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from fake_aws import FakeAws

from ops import cli, progress
from ops.commands.context import App
from tests.fixtures import json_shapes

ARN = "arn:aws:states:eu-west-1:123456789012"
MACHINE = f"{ARN}:stateMachine:etl-pipeline-workflow-dev"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications-dev"
QUEUES = "https://sqs.eu-west-1.amazonaws.com/123456789012"
NOON = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
LAKE = {
    "BucketName": "lake",
    "LedgerTableName": "ledger",
    "QueueUrl": f"{QUEUES}/etl-file-events-dev",
    "DeadLetterQueueUrl": f"{QUEUES}/etl-file-events-dlq-dev",
    "RawDatabaseName": "taxi_raw_dev",
    "TaxiDatabaseName": "taxi_dev",
}
PIPELINE = {
    "StateMachineArn": MACHINE,
    "OrchestratorFunctionName": "etl-orchestrator-dev",
    "ValidateFunctionName": "etl-orchestrator-validate-input-dev",
    "CloseFunctionName": "etl-close-execution-dev",
    "GlueJobName": "job-process-taxi-data-dev",
    "CrawlerName": "crawler-taxi-raw-dev",
    "TopicArn": TOPIC,
    "AlarmNames": "failed,slow",
    "CloseDeadLetterQueueUrl": f"{QUEUES}/etl-close-execution-dlq-dev",
}


def stack(request, **more):
    """Answer DescribeStacks, with `more` outputs of the data lake's stack."""
    outputs = {"TaxiDataLake-dev": LAKE | more, "TaxiPipeline-dev": PIPELINE}[request["StackName"]]
    return {
        "Stacks": [
            {
                "StackName": request["StackName"],
                "CreationTime": NOON,
                "StackStatus": "UPDATE_COMPLETE",
                "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            }
        ]
    }


def at(seconds):
    """Return the time this many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def text(**values):
    """Return a DynamoDB item of texts, numbers, and lists or maps of them."""
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value):
    if isinstance(value, dict):
        return {"M": {name: _attribute(each) for name, each in value.items()}}
    if isinstance(value, list):
        return {"L": [_attribute(each) for each in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def file_item(key, version, status, **more):
    """Return a file's item of the ledger, as DynamoDB answers it."""
    described = {"bucket": "lake", "key": key, "size": 10, "etag": "e", "sequencer": "1", "execution": "run"}
    return text(pk=f"lake/{key}", sk=version, status=status, **{**described, **more})


def execution_item(name, status, **more):
    """An execution's item of the ledger, as DynamoDB answers it."""
    described = {"execution": name, "status": status, "input": "{}", "files": 1, "trigger": "s3"}
    return text(pk=f"execution#{name}", sk="execution", **{**described, **more})


def command_of(words):
    """Return the command of a command line: `status`, `crawler stop`."""
    groups = {"crawler", "local"}
    names = [word for word in words if not word.startswith("-")]
    return " ".join(names[:2]) if names[0] in groups else names[0]


class CommandLine:
    """The command line with an account that gives these answers."""

    def __init__(self, monkeypatch):
        self.aws = FakeAws({"cloudformation.DescribeStacks": stack})
        monkeypatch.setattr(App, "session", self.aws)
        self.runner = CliRunner()

    def __call__(self, *words, **options):
        return self.runner.invoke(cli.app, list(words), **options)

    def json(self, *words):
        """Run a command; return the exit code and the JSON document on standard output, without its version.

        The document must have a shape that docs/command-output.md shows for the command.
        """
        result = self("--json", *words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        document = json.loads(result.stdout)
        assert json_shapes.problems(command_of(words), document) == []
        assert document.pop("schemaVersion") == "1"
        return result.exit_code, document


@pytest.fixture
def taxi_etl(monkeypatch):
    """`taxi_etl("list")` runs a command; `taxi_etl.aws.answers` holds the answers of AWS."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TAXI_ETL_ENVIRONMENT", raising=False)
    return CommandLine(monkeypatch)


@pytest.fixture
def fast_clock(monkeypatch):
    """Following files takes no time: every reading of the clock is a minute later."""
    original = progress.Watch.__init__
    minutes = iter(range(0, 100_000, 60))

    def init(watch, *arguments, **options):
        original(watch, *arguments, **options, clock=lambda: next(minutes), sleep=lambda seconds: None)

    monkeypatch.setattr(progress.Watch, "__init__", init)
