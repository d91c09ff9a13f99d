"""What became of the files of an execution? From the documents it left, or the ledger while it runs."""

import json
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment
from ops.history import Execution
from ops.records import FileOutcome, files_of
from ops.session import Session
from taxi_etl import names
from taxi_etl.documents import JobResult, Manifest
from taxi_etl.inputs import InvalidInputError, parse_input
from taxi_etl.outcomes import Ending, outcomes

RUNNING = "RUNNING"


def files(session: Session, deployment: Deployment, execution: Execution) -> list[FileOutcome]:
    """Every file of the execution, with its outcome in this execution, whatever a replay made of it since."""
    if execution.status == RUNNING:
        return files_of(session, deployment, execution.name)
    manifest = _document(session, deployment, names.manifest_key(execution.name))
    result = _document(session, deployment, names.result_key(execution.name))
    found = outcomes(
        _started_with(execution),
        Manifest.loads(manifest) if manifest else None,
        JobResult.loads(result) if result else None,
        Ending(execution.status, execution.error, execution.cause),
    )
    return [
        FileOutcome(
            version=each.version,
            status=str(each.status),
            execution=execution.name,
            dataset=each.dataset,
            rows={"read": each.read, "written": each.written, "quarantined": each.quarantined},
            reasons=tuple(f"{code}: {message}" for code, message in each.reasons),
        )
        for each in found
    ]


def _started_with(execution: Execution) -> tuple[Any, ...]:
    try:
        return parse_input(json.loads(execution.input)).files
    except (InvalidInputError, ValueError):
        return ()  # somebody started the machine by hand with something else


def _document(session: Session, deployment: Deployment, key: str) -> bytes | None:
    try:
        answer = session.client("s3").get_object(Bucket=deployment.bucket_name, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return None
    body: bytes = answer["Body"].read()
    return body
