"""Shapes of the JSON values that AWS APIs and our own steps return to the workflow.

A shape maps field names to shapes. A scalar has no fields; None is a value of unknown structure. A list has
the shape of its members, because JSONata paths map over lists.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

from taxi_etl.documents import FileResult, JobResult, Manifest, RejectedFile
from taxi_etl.engines import Decision, Engine
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.summaries import job_summary as job_summary_text
from taxi_etl.summaries import validation_summary

Shape = Mapping[str, Any] | None
SCALAR: Shape = {}
UNKNOWN: Shape = None
DEPTH_MAX = 6
_VERSION = {
    "bucket": "lake",
    "key": "raw/taxi/a.csv",
    "size": 1,
    "etag": "e",
    "versionId": "v",
    "sequencer": "0",
}


class NoSuchApiError(Exception):
    """A task's Resource names an API that does not exist."""


def of_json(value: Any) -> Shape:
    """Return the shape of an example value."""
    if isinstance(value, dict):
        return {name: of_json(part) for name, part in value.items()}
    if isinstance(value, list):
        return any_of([of_json(part) for part in value]) if value else SCALAR
    return SCALAR


def any_of(shapes: Sequence[Shape]) -> Shape:
    """Return the shape with the fields of all these shapes."""
    found: dict[str, Shape] = {}
    for shape in shapes:
        if shape is None:
            return UNKNOWN
        for name, part in shape.items():
            found[name] = any_of([found[name], part]) if name in found else part
    return found


@cache
def operation(resource: str) -> OperationModel:
    """Return the API that a task's Resource calls. Raises NoSuchApiError."""
    integration = resource.split(":::", 1)[-1].removesuffix(".sync")
    service, _, action = integration.removeprefix("aws-sdk:").partition(":")
    try:
        model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        return model.operation_model(action[:1].upper() + action[1:])
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise NoSuchApiError(f"there is no API {integration}") from error


@cache
def result(resource: str, state: str = "") -> Shape:
    """Return the shape of a task's result; `state` names its payload. Raises NoSuchApiError."""
    model = operation(resource)
    if resource.endswith("glue:startJobRun.sync"):
        return of_model(model.service_model.operation_model("GetJobRun").output_shape.members["JobRun"])
    shape = of_model(model.output_shape)
    if resource.endswith("lambda:invoke"):
        return {**(shape or {}), "Payload": small_batch() if state == "RunSmallBatch" else validation()}
    return shape


def of_model(shape: Any, depth: int = 0) -> Shape:
    """Convert a botocore shape."""
    if shape is None:
        return SCALAR
    if shape.type_name == "list":
        return of_model(shape.member, depth)
    if shape.type_name == "map" or depth == DEPTH_MAX:
        return UNKNOWN
    if shape.type_name == "structure":
        return {name: of_model(member, depth + 1) for name, member in shape.members.items()}
    return SCALAR


@cache
def validation() -> Shape:
    """Return the shape of the validator's summary, built by its own code."""
    version = FileVersion.from_json("lake", _VERSION)
    rejected = RejectedFile(version, (Failure(FailureCode.EMPTY, "no bytes"),))
    manifest = Manifest(execution="run", bucket="lake", trigger="s3", rejected=(rejected,))
    return of_json(validation_summary(manifest, "s3://lake/manifest.json", Decision(Engine.GLUE)))


@cache
def job_summary() -> Shape:
    """Return the shape of the job's summary.json, built by its own code."""
    version = FileVersion.from_json("lake", _VERSION)
    failed = FileResult(version, FileStatus.FAILED, "yellow", failure=Failure(FailureCode.UNREADABLE, "why"))
    result = JobResult(
        execution="run",
        bucket="lake",
        job_run_id="jr",
        files=(failed,),
        schema_changed=True,
        crawl_needed=True,
    )
    manifest = Manifest(execution="run", bucket="lake", trigger="s3")
    return of_json(json.loads(job_summary_text(result, manifest)))


def small_batch() -> Shape:
    """Return the shape of all answers of the function for small batches."""
    return {"declined": SCALAR, "costUsd": SCALAR, "summary": job_summary()}


CONTEXT: Shape = {
    "Execution": dict.fromkeys(("Id", "Name", "RoleArn", "StartTime", "RedriveCount"), SCALAR)
    | {"Input": UNKNOWN},
    "State": dict.fromkeys(("Name", "EnteredTime", "RetryCount"), SCALAR),
    "StateMachine": dict.fromkeys(("Id", "Name"), SCALAR),
}
ERROR: Shape = {"Error": SCALAR, "Cause": SCALAR}
