"""Tests of what the shell suggests on TAB."""

import os
import subprocess
import sys

import pytest
import typer.main
from conftest import ARN, MACHINE, NOON, at
from fake_aws import error
from typer._completion_classes import ZshComplete

from ops import cli, completion
from tests.conftest import ROOT

ENTRY = {"stateMachineArn": MACHINE, "executionArn": f"{ARN}:execution:m:x", "startDate": NOON}
OBJECTS = [
    {"Key": "raw/taxi/green_tripdata_2024-01.parquet", "Size": 1234},
    {"Key": "raw/taxi/green_tripdata_2024-02.parquet", "Size": 5},
]


@pytest.fixture
def suggested(taxi_etl, monkeypatch):
    """`suggested("history", "")` returns the suggestions for the last word of a command line."""
    taxi_etl.aws.answers |= {
        "stepfunctions.ListExecutions": {
            "executions": [
                {**ENTRY, "name": "beef", "status": "FAILED", "stopDate": at(9)},
                {**ENTRY, "name": "bead", "status": "RUNNING"},
                {**ENTRY, "name": "cafe", "status": "SUCCEEDED"},
            ]
        },
        "s3.ListObjectsV2": {"Contents": OBJECTS},
    }
    targets = []
    monkeypatch.setattr(completion, "Session", lambda target, config: targets.append(target) or taxi_etl.aws)

    def suggest(*words):
        *given, incomplete = words
        main = typer.main.get_command(cli.app)
        complete = ZshComplete(main, {}, "taxi-etl", "_TAXI_ETL_COMPLETE")
        return {each.value: each.help for each in complete.get_completions(list(given), incomplete)}

    suggest.aws, suggest.targets = taxi_etl.aws, targets
    return suggest


def test_executions_are_suggested_with_their_status_and_start(suggested):
    assert suggested("history", "be") == {
        "beef": "FAILED 2024-06-01 12:00",
        "bead": "RUNNING 2024-06-01 12:00",
    }
    assert list(suggested("replay", "--execution", "c")) == ["cafe"]


def test_files_are_suggested_below_the_raw_prefix(suggested):
    assert suggested("start", "--key", "") == {
        "raw/taxi/green_tripdata_2024-01.parquet": "1,234 bytes",
        "raw/taxi/green_tripdata_2024-02.parquet": "5 bytes",
    }
    suggested("start", "--key", "raw/taxi/green_tripdata_2024-01")
    assert [(each["Bucket"], each["Prefix"]) for each in suggested.aws.requests("s3.ListObjectsV2")] == [
        ("lake", "raw/taxi/"),
        ("lake", "raw/taxi/green_tripdata_2024-01"),
    ]


def test_nothing_is_suggested_outside_the_raw_prefix(suggested):
    assert suggested("start", "--key", "warehouse/") == {}
    assert suggested("status", "raw/t") != {}


def test_uris_are_suggested_in_the_bucket_that_they_name(suggested):
    found = suggested("remove", "s3://other/raw/taxi/gre")
    assert next(iter(found)) == "s3://other/raw/taxi/green_tripdata_2024-01.parquet"
    [request] = suggested.aws.requests("s3.ListObjectsV2")
    assert (request["Bucket"], request["Prefix"]) == ("other", "raw/taxi/gre")


def test_replay_suggests_executions_and_files(suggested):
    assert list(suggested("replay", "")) == ["beef", "bead", "cafe", *(each["Key"] for each in OBJECTS)]


@pytest.mark.parametrize(
    "words", [("sql", "f"), ("sample", "--dataset", "f"), ("subscribe", "--dataset", "f")]
)
def test_datasets_are_suggested(words, suggested):
    assert list(suggested(*words)) == ["fhv", "fhvhv"]


def test_suggestions_come_from_the_account_of_the_options(suggested):
    suggested("--environment", "prod", "--region", "us-east-2", "history", "")
    [target] = suggested.targets
    assert (target.environment, target.region) == ("prod", "us-east-2")


def test_an_account_that_refuses_gives_no_suggestions_and_no_error(suggested):
    suggested.aws.answers["cloudformation.DescribeStacks"] = error("ExpiredToken", "sign in again")
    assert suggested("history", "") == {}
    suggested.aws.answers["s3.ListObjectsV2"] = error("AccessDenied")
    assert suggested("remove", "s3://other/") == {}


def test_bash_gets_suggestions_from_the_program():
    environment = {
        **os.environ,
        "_TAXI_ETL_COMPLETE": "complete_bash",
        "COMP_WORDS": "taxi-etl sql g",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ops"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout.split(), done.stderr) == (["green"], "")
