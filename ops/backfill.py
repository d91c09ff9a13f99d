"""Which files of a bucket were never loaded? Current versions, each beside what the ledger says of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import UNSEEN, FileOutcome, outcomes
from ops.session import Session
from taxi_etl.file_rules import check_key
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import EXECUTION_MAX_FILES
from taxi_etl.ledger import OPEN_FILE
from taxi_etl.names import RAW_PREFIX

FILES_A_COMMAND = 5 * EXECUTION_MAX_FILES
"""Whole executions, few enough that the orchestrator claims and starts them well within its timeout."""
NO_VERSION = "it has no version, since its bucket was not versioned when it was written; upload it again"


@dataclass(frozen=True)
class Plan:
    """What is under a prefix: files with their standing, those to load, and why other keys never can."""

    found: list[FileOutcome]
    chosen: list[FileVersion]
    skipped: dict[str, str]

    @property
    def statuses(self) -> dict[str, int]:
        """How many files the ledger has in each status."""
        return dict(sorted(Counter(file.status for file in self.found).items()))

    @property
    def bytes(self) -> int:
        """How much there is to load."""
        return sum(version.size for version in self.chosen)

    def portions(self) -> Iterator[Sequence[FileVersion]]:
        """The chosen files, as many at a time as one command takes."""
        for first in range(0, len(self.chosen), FILES_A_COMMAND):
            yield self.chosen[first : first + FILES_A_COMMAND]


def plan(session: Session, deployment: Deployment, bucket: str, prefix: str, *, again: bool) -> Plan:
    """Look under a prefix: what the ledger does not know is to be loaded; `again`, all that does not run.

    Raises CliError for a prefix from which nothing loads, and when nothing is there.
    """
    if not prefix.startswith(RAW_PREFIX):
        raise CliError(f"only keys under {RAW_PREFIX} load, not under {prefix!r}", f"name {RAW_PREFIX}…")
    versions: list[FileVersion] = []
    skipped: dict[str, str] = {}
    for entry in _current(session, bucket, prefix):
        key, problems = entry["Key"], [finding.message for finding in check_key(entry["Key"])]
        if entry["VersionId"] == "null":
            problems.append(NO_VERSION)
        if problems:
            skipped[key] = "; ".join(problems)
        else:
            etag = entry.get("ETag", "").strip('"')
            versions.append(FileVersion(bucket, key, entry["VersionId"], int(entry["Size"]), etag))
    if not (versions or skipped):
        raise CliError(
            f"there is nothing under s3://{bucket}/{prefix}", f"see what there is: aws s3 ls s3://{bucket}/"
        )
    found = outcomes(session, deployment, versions)
    chosen = [
        file.version for file in found if file.status == UNSEEN or (again and file.status not in OPEN_FILE)
    ]
    return Plan(found, chosen, skipped)


def _current(session: Session, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """The versions that are current; S3 lists them only among all others."""
    pages = session.client("s3").get_paginator("list_object_versions")
    try:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from (entry for entry in page.get("Versions", []) if entry["IsLatest"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise CliError(f"there is no bucket {bucket}", "see which there are: aws s3 ls") from None
