"""How is an execution started? By a command to the orchestrator: one door, so claims live in one place."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment
from ops.errors import CliError
from ops.session import Session
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger

CLOSED = "closed"
"""The state of an execution that had ended already: only a replay runs it again."""


@dataclass(frozen=True)
class Started:
    """What the orchestrator answered about one execution; `state` is started, running or closed."""

    name: str
    arn: str
    files: int
    state: str


def command(session: Session, deployment: Deployment, **order: Any) -> list[Started]:
    """Send one command to the orchestrator, again while it says that there is more to do.

    Raises CliError with its error when it refuses.
    """
    found: list[Started] = []
    more = True
    while more:
        answer = _ask(session, deployment, order)
        found += [
            Started(entry["name"], entry["arn"], int(entry["files"]), entry["state"])
            for entry in answer["executions"]
        ]
        more = bool(answer.get("more"))
    return found


def _ask(session: Session, deployment: Deployment, order: dict[str, Any]) -> dict[str, Any]:
    answer = session.client("lambda").invoke(
        FunctionName=deployment.orchestrator_function_name, Payload=json.dumps(order).encode()
    )
    payload = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        said = payload.get("errorMessage", "no reason") if isinstance(payload, dict) else str(payload)
        raise CliError(
            f"the orchestrator refused: {said}",
            f"its log group is /aws/lambda/{deployment.orchestrator_function_name}; "
            f"check the deployment: {session.target.command('verify')}",
        )
    answered: dict[str, Any] = payload
    return answered


def start(
    session: Session,
    deployment: Deployment,
    files: Sequence[FileVersion],
    trigger: Trigger = Trigger.MANUAL,
) -> list[Started]:
    """Start the workflow for these versions, all of one bucket."""
    order = {"bucket": files[0].bucket, "files": [file.to_json() for file in files], "trigger": trigger}
    return command(session, deployment, command="start", **order)


def replay_files(session: Session, deployment: Deployment, files: Sequence[FileVersion]) -> list[Started]:
    """Load these versions again, all of one bucket."""
    entries = [file.to_json() for file in files]
    return command(session, deployment, command="replay", bucket=files[0].bucket, files=entries)


def replay_execution(session: Session, deployment: Deployment, execution: str) -> list[Started]:
    """Run an execution's files again."""
    return command(session, deployment, command="replay", execution=execution)


def replay_held(session: Session, deployment: Deployment) -> list[Started]:
    """Start the files that were put on hold while orchestration was off."""
    return command(session, deployment, command="replay_held")


def current_versions(session: Session, bucket: str, keys: Iterable[str]) -> list[FileVersion]:
    """The current version of each object. Raises CliError for one that is not there, or has no version."""
    return [_current_version(session, bucket, key) for key in keys]


def _current_version(session: Session, bucket: str, key: str) -> FileVersion:
    try:
        head = session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound", "NoSuchBucket"):
            raise
        raise CliError(
            f"s3://{bucket}/{key} does not exist",
            f"see what there is: aws s3 ls s3://{bucket}/{_folder(key)}",
        ) from None
    version = head.get("VersionId", "null")
    if version == "null":
        raise CliError(
            f"s3://{bucket}/{key} has no version, since its bucket was not versioned when it was written",
            f"switch versioning on (aws s3api put-bucket-versioning --bucket {bucket} "
            "--versioning-configuration Status=Enabled), and upload the file again",
        )
    return FileVersion(
        bucket, key, version, size=int(head["ContentLength"]), etag=head.get("ETag", "").strip('"')
    )


def _folder(key: str) -> str:
    return key[: key.rfind("/") + 1]
