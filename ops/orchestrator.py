"""Starts executions through commands to the orchestrator function, the only writer of claims."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops import function_invocation
from ops.deployment import Deployment
from ops.errors import CliError, enable_versioning
from ops.session import Session
from taxi_etl.engines import EngineChoice
from taxi_etl.function_settings import OrchestratorSettings
from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.inputs import EXECUTION_MAX_FILES, Trigger
from taxi_etl.s3_uris import s3_uri

FILES_PER_CALL = 5 * EXECUTION_MAX_FILES
"""Full executions only, and few enough for the orchestrator to claim and start them within its timeout."""
CLOSED = "closed"
"""The state of an execution that had already ended; only a replay loads its files again."""


@dataclass(frozen=True)
class Started:
    """The orchestrator's answer about one execution; `state` is started, running or closed."""

    name: str
    arn: str
    files: int
    state: str


def settings(session: Session, deployment: Deployment) -> OrchestratorSettings:
    """Return the settings of the deployed orchestrator."""
    function = session.client("lambda").get_function_configuration(
        FunctionName=deployment.orchestrator_function_name
    )
    return OrchestratorSettings.from_environment(function["Environment"]["Variables"])


def calls(files: Sequence[FileVersion]) -> Iterator[Sequence[FileVersion]]:
    """Yield the files in parts for one call of `start` or `replay_files` each."""
    for first in range(0, len(files), FILES_PER_CALL):
        yield files[first : first + FILES_PER_CALL]


def send(session: Session, deployment: Deployment, **payload: Any) -> list[Started]:
    """Send a command to the orchestrator, repeatedly while it answers that there is more to do.

    Raises CliError with the orchestrator's error or its reason to refuse the command.
    """
    started: list[Started] = []
    more = True
    while more:
        answer = _invoke(session, deployment, payload)
        started += [
            Started(entry["name"], entry["arn"], int(entry["files"]), entry["state"])
            for entry in answer["executions"]
        ]
        more = bool(answer.get("more"))
    return started


def _invoke(session: Session, deployment: Deployment, payload: dict[str, Any]) -> dict[str, Any]:
    document = function_invocation.invoke(
        session, "orchestrator", deployment.orchestrator_function_name, payload
    )
    if "refused" in document:
        command = str(payload["command"]).partition("_")[0]
        raise CliError(
            f"the orchestrator refused the command: {document['refused']}",
            f"see the usage: {session.target.command(command, '--help')}",
        )
    return document


def start(
    session: Session,
    deployment: Deployment,
    files: Sequence[FileVersion],
    trigger: Trigger = Trigger.MANUAL,
    engine: EngineChoice | None = None,
) -> list[Started]:
    """Start executions for these file versions, which must be in one bucket."""
    entries, bucket = [file.to_json() for file in files], files[0].bucket
    return send(
        session, deployment, command="start", bucket=bucket, files=entries, trigger=trigger, **_engine(engine)
    )


def replay_files(
    session: Session,
    deployment: Deployment,
    files: Sequence[FileVersion],
    engine: EngineChoice | None = None,
) -> list[Started]:
    """Load these file versions again; they must be in one bucket."""
    entries, bucket = [file.to_json() for file in files], files[0].bucket
    return send(session, deployment, command="replay", bucket=bucket, files=entries, **_engine(engine))


def replay_execution(
    session: Session, deployment: Deployment, execution: str, engine: EngineChoice | None = None
) -> list[Started]:
    """Load the files of an execution again."""
    return send(session, deployment, command="replay", execution=execution, **_engine(engine))


def replay_held(
    session: Session, deployment: Deployment, engine: EngineChoice | None = None
) -> list[Started]:
    """Start the files that were held while orchestration was off."""
    return send(session, deployment, command="replay_held", **_engine(engine))


def _engine(engine: EngineChoice | None) -> dict[str, str]:
    """The engine in a command; left out, the app's setting decides."""
    return {"engine": str(engine)} if engine else {}


def current_versions(session: Session, bucket: str, keys: Iterable[str]) -> list[FileVersion]:
    """Return the current version of each object. Raises CliError if one is missing or has no version ID."""
    return [_current_version(session, bucket, key) for key in keys]


def _current_version(session: Session, bucket: str, key: str) -> FileVersion:
    try:
        head = session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound", "NoSuchBucket"):
            raise
        raise CliError(
            f"{s3_uri(bucket, key)} does not exist",
            f"list the objects: aws s3 ls s3://{bucket}/{_folder(key)}",
        ) from None
    version = head.get("VersionId", UNVERSIONED)
    if version == UNVERSIONED:
        raise CliError(
            f"{s3_uri(bucket, key)} has no version ID, because its bucket was not versioned at the upload",
            f"{enable_versioning(bucket)}; then upload the file again",
        )
    return FileVersion(
        bucket, key, version, size=int(head["ContentLength"]), etag=head.get("ETag", "").strip('"')
    )


def _folder(key: str) -> str:
    return key[: key.rfind("/") + 1]
