"""Input of an execution.

`{"bucket", "files": [file versions], "trigger", "engine"}`. A manual input may be the shorthand
`{"bucket", "key"}` or list files by key only; ValidateInput adds the rest. `engine` is optional: `glue` loads
the batch with the Glue job, `auto` chooses by its size, which is the default in apps with `engine = auto`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taxi_etl.engines import EngineChoice
from taxi_etl.identity import FileVersion

INPUT_MAX_BYTES = 64 * 1024
"""Bytes of UTF-8 that an input stays below. Step Functions' limit is 256 KiB."""
EXECUTION_MAX_FILES = 99
"""Together with the execution's item, a claim fits into the 100 items of a DynamoDB transaction."""
TEXT_MAX_BYTES = {"bucket": 63, "key": 1024, "versionId": 1024, "etag": 1024, "sequencer": 1024}
"""S3's limits, in bytes of UTF-8. Longer values identify nothing and do not fit into the ledger."""
CURRENT_VERSION = ""
"""The version ID of a file whose input names none; validation takes the current version."""


class InvalidInputError(ValueError):
    """The input of an execution is invalid; the message states the reason."""


class Trigger(StrEnum):
    """What started an execution."""

    S3 = "s3"
    MANUAL = "manual"
    BACKFILL = "backfill"
    REPLAY = "replay"


@dataclass(frozen=True)
class ExecutionInput:
    """The files of one execution, all in one bucket; a `version_id` may be `CURRENT_VERSION`.

    `engine` is None if the input leaves the choice to the app's setting.
    """

    bucket: str
    files: tuple[FileVersion, ...]
    trigger: Trigger
    engine: EngineChoice | None = None

    def dumps(self) -> str:
        """The input's text. Non-ASCII keys are not escaped, which would triple their length."""
        entries = [version.to_json() for version in self.files]
        engine = {"engine": str(self.engine)} if self.engine else {}
        return json.dumps(
            {"bucket": self.bucket, "files": entries, "trigger": str(self.trigger), **engine},
            ensure_ascii=False,
            separators=(",", ":"),
        )


def parse_input(document: Any) -> ExecutionInput:
    """Parse the JSON document of an execution's input. Raises InvalidInputError."""
    if not isinstance(document, Mapping):
        raise InvalidInputError("the input must be a JSON object")
    bucket = document.get("bucket")
    if not isinstance(bucket, str) or not bucket:
        raise InvalidInputError('"bucket" is missing or not text')
    _check_length(bucket, "bucket", "the input")
    if ("key" in document) == ("files" in document):
        raise InvalidInputError('the input must have either "files" or "key"')
    entries = document["files"] if "files" in document else [{"key": document["key"]}]
    versions = parse_files(bucket, entries)
    if len(versions) > EXECUTION_MAX_FILES:
        raise InvalidInputError(f"the input has {len(versions)} files; the limit is {EXECUTION_MAX_FILES}")
    return ExecutionInput(
        bucket, versions, _trigger(document.get("trigger")), parse_engine(document.get("engine"))
    )


def parse_engine(value: Any) -> EngineChoice | None:
    """Parse the engine of an input or a command; None means the app's setting. Raises InvalidInputError."""
    if value is None:
        return None
    try:
        return EngineChoice(value)
    except ValueError:
        raise InvalidInputError(f'"engine" must be one of {", ".join(EngineChoice)}, not {value!r}') from None


def effective_engine(given: EngineChoice | None, deployed: EngineChoice) -> EngineChoice:
    """The engine of an execution, from its input and the app's setting.

    Raises InvalidInputError for a choice that the app does not have.
    """
    if given is EngineChoice.AUTO and deployed is EngineChoice.GLUE:
        raise InvalidInputError(
            '"engine" is "auto", but this app is deployed with engine = glue and has no function for small '
            "batches; leave it out, or set engine = auto in stacks/settings.py and deploy"
        )
    return given or deployed


def parse_files(bucket: str, entries: Any) -> tuple[FileVersion, ...]:
    """Parse a list of entries into file versions, each once. Raises InvalidInputError."""
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise InvalidInputError('"files" must be a list with at least one file')
    versions = {
        version.identity: version for version in (_file(bucket, *pair) for pair in enumerate(entries))
    }
    return tuple(versions.values())


def _file(bucket: str, position: int, entry: Any) -> FileVersion:
    if not isinstance(entry, Mapping):
        raise InvalidInputError(f"files[{position}] must be a JSON object")
    texts = {name: entry.get(name) or "" for name in ("key", "versionId", "etag", "sequencer")}
    wrong = sorted(name for name, value in texts.items() if not isinstance(value, str))
    if wrong:
        raise InvalidInputError(f"files[{position}]: {', '.join(wrong)} must be text")
    if not texts["key"]:
        raise InvalidInputError(f'files[{position}]: "key" is missing or empty')
    for name, value in texts.items():
        _check_length(value, name, f"files[{position}]")
    size = entry.get("size") or 0
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidInputError(f"files[{position}]: size must be a number of bytes")
    return FileVersion(
        bucket=bucket,
        key=texts["key"],
        version_id=texts["versionId"],
        size=size,
        etag=texts["etag"],
        sequencer=texts["sequencer"],
    )


def _check_length(value: str, name: str, where: str) -> None:
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        raise InvalidInputError(f"{where}: {name} is not valid Unicode") from None
    if length > TEXT_MAX_BYTES[name]:
        raise InvalidInputError(f"{where}: {name} has {length} bytes; the limit is {TEXT_MAX_BYTES[name]}")


def _trigger(value: Any) -> Trigger:
    if value is None:
        return Trigger.MANUAL
    try:
        return Trigger(value)
    except ValueError:
        raise InvalidInputError(f'"trigger" must be one of {", ".join(Trigger)}, not {value!r}') from None
