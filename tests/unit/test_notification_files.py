"""Tests that docs/notifications.schema.json describes every key of a file's entry in a notification.

The schema itself accepts unknown keys, because `schemaVersion` 1 may gain some. The tests close it.
"""

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from taxi_etl.documents import FileResult, JobResult, Manifest, RejectedFile
from taxi_etl.engines import Decision, Engine
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.outcomes import FileOutcome
from taxi_etl.summaries import job_summary, validation_summary

GLUE = Decision(Engine.GLUE, "the Glue job loads all batches")
SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "notifications.schema.json").read_text())
LONG = "x" * 400
VERSION = FileVersion("lake", f"raw/taxi/{LONG}.csv", "v1", 5, "e", "01")
FAILURE = Failure(FailureCode.WRONG_MONTH, LONG)
WARNING = FileWarning(WarningCode.SAME_TRIPS, LONG)
FULL_RESULT = FileResult(
    version=VERSION,
    status=FileStatus.FAILED,
    dataset="yellow",
    variant="Y1",
    read=3,
    written=2,
    quarantined=1,
    reasons={"unparseable": 1},
    new_columns=(LONG,) * 30,
    missing_columns=("airport_fee",),
    columns_left_out=((LONG, f"struct<{LONG}>"),) * 30,
    failure=FAILURE,
    warnings=(WARNING,),
    examples=({"reasons": ["unparseable"], "row": {"fare": "x"}},),
    date_orders={"pickup_datetime": "mdy"},
    key_values={"payment_type": "1", "trip_type": None, LONG: LONG},
    instants={"pickup_datetime": "to_new_york"},
)
FULL_OUTCOME = FileOutcome(
    version=VERSION,
    status=FileStatus.FAILED,
    reasons=(FAILURE,),
    dataset="yellow",
    read=3,
    written=2,
    quarantined=1,
    alone=True,
    warnings=(WARNING,),
    notes=("same_trips: x",),
)


def closed(schema: Any) -> Any:
    """The schema without additional keys."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if "properties" in schema:
        found["additionalProperties"] = False
    return found


def entry_schema(kind: str) -> Any:
    """The closed schema of an entry of `files`, by kind of notification, with what it refers to."""
    files = SCHEMA["$defs"][kind]["properties"]["files"]
    name = files.get("$ref", "").rpartition("/")[2]
    return {**closed((SCHEMA["$defs"][name] if name else files)["items"]), "$defs": closed(SCHEMA["$defs"])}


def violations(schema: Any, entry: Any) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(entry)]


def summarized(file: FileResult) -> dict[str, Any]:
    summary = job_summary(
        JobResult("nightly", "lake", "jr_1", (file,), False), Manifest("nightly", "lake", "s3")
    )
    [entry] = json.loads(summary)["files"]
    return dict(entry)


@pytest.mark.parametrize("full", [FULL_RESULT, FULL_OUTCOME], ids=lambda full: type(full).__name__)
def test_the_samples_have_every_field(full: FileResult | FileOutcome) -> None:
    for field in fields(full):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        assert getattr(full, field.name) != default, f"give {field.name} a value"


@pytest.mark.parametrize("kind", ["success", "partialSuccess", "failed"])
def test_the_entry_of_a_job_result_has_only_keys_of_the_schema(kind: str) -> None:
    schema = entry_schema(kind)
    entry = summarized(FULL_RESULT)
    assert violations(schema, entry) == []
    assert set(entry) == set(schema["properties"])
    loaded = FileResult(VERSION, FileStatus.LOADED, "yellow")
    optional = {"reasons", "warnings", "columnsFromKey", "columnsLeftOut"}
    assert violations(schema, summarized(loaded)) == []
    assert set(entry) - set(summarized(loaded)) == optional
    assert violations(schema, {**entry, "unknown": 1}) != []


@pytest.mark.parametrize("status", ["loaded", "failed", "rejected", "superseded"])
def test_the_finalizers_entry_has_only_keys_of_the_schema(status: str) -> None:
    schema, given = entry_schema("failed"), FileStatus(status)
    assert violations(schema, replace(FULL_OUTCOME, status=given).to_json()) == []
    assert violations(schema, FileOutcome(VERSION, given).to_json()) == []


def test_the_entry_of_a_rejected_file_has_only_keys_of_the_schema() -> None:
    file = RejectedFile(VERSION, (FAILURE,))
    summary = validation_summary(
        Manifest("nightly", "lake", "s3", rejected=(file,)), "s3://lake/m.json", GLUE
    )
    [entry] = summary["rejected"]
    assert violations(entry_schema("validationFailed"), entry) == []
