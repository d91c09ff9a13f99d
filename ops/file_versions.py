"""The versions of a file, or of the files under a prefix: the outcome of each, and what to do next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import UNSEEN, ledger
from ops.object_versions import object_versions
from ops.session import Session, Target
from taxi_etl.file_rules import ignored_object_reason
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import OPEN_FILE, FileRecord
from taxi_etl.names import RAW_PREFIX
from taxi_etl.remedies import Then, remedy
from taxi_etl.s3_uris import s3_uri
from taxi_etl.version_outcomes import PROBLEMS, KnownVersion, VersionOutcome, version_outcomes


@dataclass(frozen=True)
class ListedVersion:
    """A version's outcome; `next_step` is empty if nothing is left to do."""

    outcome: VersionOutcome
    next_step: str

    @property
    def version(self) -> FileVersion:
        """The version."""
        return self.outcome.known.version

    @property
    def record(self) -> FileRecord | None:
        """The version's record in the ledger."""
        return self.outcome.known.record

    @property
    def status(self) -> str:
        """The status in the ledger, or `UNSEEN`."""
        return str(self.record.status) if self.record else UNSEEN

    @property
    def received(self) -> datetime | None:
        """When the version's event arrived."""
        return moment(self.record.received_at) if self.record else None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document of the version."""
        record = self.record
        return {
            "bucket": self.version.bucket,
            "key": self.version.key,
            "versionId": self.version.version_id,
            "current": self.outcome.known.is_current,
            "uploaded": self.outcome.known.uploaded,
            "received": self.received,
            "changed": moment(record.updated_at) if record else None,
            "status": self.status,
            "execution": record.execution if record else "",
            "attempts": record.attempts if record else 0,
            "dataset": record.dataset if record else "",
            "rows": record.rows if record else None,
            "tables": dict(self.outcome.tables),
            "replacedBy": self.outcome.replaced_by,
            "reasons": list(record.reasons) if record else [],
            "nextStep": self.next_step,
        }


def moment(timestamp: str) -> datetime | None:
    """Return the moment of a ledger timestamp, None for an empty one."""
    return datetime.fromisoformat(timestamp) if timestamp else None


def versions_under(session: Session, deployment: Deployment, bucket: str, key: str) -> list[ListedVersion]:
    """Return all versions of the file with this key or, if there is none, of the files with this prefix.

    Sorted by key, the newest version first. Raises CliError if neither S3 nor the ledger has one.
    """
    records = ledger(session, deployment)
    stored = list(_stored(session, bucket, key))
    exact = [each for each in stored if each.version.key == key]
    recorded = records.versions_of(bucket, key) if key and not key.endswith("/") else []
    if exact or recorded:
        known = _with_records(exact, recorded)
    else:
        known = _with_records(stored, records.files(each.version for each in stored).values())
    if not known:
        folder = key[: key.rfind("/") + 1] or RAW_PREFIX
        raise CliError(
            f"neither S3 nor the ledger has a version of {s3_uri(bucket, key)}",
            f"list the files there: {session.target.command('status', s3_uri(bucket, folder))}",
        )
    known.sort(key=lambda each: each.version.key)  # stable: S3's order of the versions stays
    return [
        ListedVersion(outcome, next_step(session.target, outcome))
        for _, versions in groupby(known, key=lambda each: each.version.key)
        for outcome in version_outcomes(versions)
    ]


def next_step(target: Target, outcome: VersionOutcome) -> str:
    """Return what an operator does about a version, with the command; empty if nothing is left to do."""
    version, record = outcome.known.version, outcome.known.record
    if record is None:
        load = target.command("backfill", version.key, "--bucket", version.bucket, "--yes")
        step = f"its event has not arrived; if it does not arrive, load it: {load}"
        return step if outcome.known.is_current else ""
    if record.status in OPEN_FILE:
        return f"it is being loaded; see its progress: {target.command('history', record.execution)}"
    if record.status is FileStatus.HELD:
        return f"orchestration is off; once it is on: {target.command('replay', '--held')}"
    if outcome.is_newest and record.status in (*PROBLEMS, FileStatus.REMOVED):
        return _reload_step(target, outcome.known, record)
    return ""


def _reload_step(target: Target, known: KnownVersion, record: FileRecord) -> str:
    """Return how the newest version of a file, whose rows are in no table, loads."""
    if not known.is_current:
        return f"its object was deleted; to load it, upload it again: {_upload(target, record.version)}"
    if record.status is FileStatus.REMOVED:
        return f"its rows were removed; to load them again: {target.command('replay', record.version.uri)}"
    return problem_step(target, record)


def problem_step(target: Target, record: FileRecord) -> str:
    """Return what to do about a version that was rejected or failed, with the command that loads the file."""
    found = remedy(record.reasons)
    load = _load_step(target, record.version, found.then)
    return "; then ".join(part for part in (found.advice, load) if part)


def _load_step(target: Target, version: FileVersion, then: Then) -> str:
    """Return the command that loads a file after its problem is solved; empty if it needs no load."""
    if then is Then.NOTHING:
        return ""
    if then is Then.REPLAY:
        return f"load it again: {target.command('replay', version.uri)}"
    name = PurePosixPath(version.key).name if then is Then.UPLOAD else "FILE"
    return f"upload it: {_upload(target, version, name)}"


def _upload(target: Target, version: FileVersion, name: str = "") -> str:
    """Return the command that uploads a file next to a version, under the same name or another one."""
    path = PurePosixPath(version.key)
    folder = f"{path.parent}/" if version.key.startswith(RAW_PREFIX) else RAW_PREFIX
    return target.command("upload", name or path.name, "--bucket", version.bucket, "--prefix", folder)


def _stored(session: Session, bucket: str, prefix: str) -> Iterator[KnownVersion]:
    """Yield the versions in S3 with this key prefix; those of one key from the newest to the oldest."""
    for entry in object_versions(session, bucket, prefix):
        if not ignored_object_reason(entry["Key"], int(entry["Size"])):
            version = FileVersion(bucket, entry["Key"], entry["VersionId"], int(entry["Size"]))
            yield KnownVersion(version, entry["LastModified"], entry["IsLatest"])


def _with_records(stored: Sequence[KnownVersion], records: Iterable[FileRecord]) -> list[KnownVersion]:
    """Return the versions with their records, followed by those that only the ledger knows."""
    by_identity = {record.version.identity: record for record in records}
    known = [replace(each, record=by_identity.pop(each.version.identity, None)) for each in stored]
    return [*known, *(KnownVersion(record.version, record=record) for record in by_identity.values())]
