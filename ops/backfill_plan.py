"""Plans a backfill: the files to load, those to skip, and a forecast."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ops import orchestrator
from ops.deployment import Deployment
from ops.errors import CliError
from ops.file_outcomes import UNSEEN, FileOutcome, outcomes
from ops.object_versions import file_version, object_versions
from ops.session import Session
from taxi_etl.batches import BatchLimits
from taxi_etl.file_rules import check_key, ignored_object_reason
from taxi_etl.forecast import Capacity, Forecast, forecast
from taxi_etl.identity import UNVERSIONED, FileVersion
from taxi_etl.ledger import OPEN_FILE
from taxi_etl.names import RAW_PREFIX
from taxi_etl.s3_uris import s3_uri

NO_VERSION = "it has no version ID, because its bucket was not versioned at the upload; upload it again"


@dataclass(frozen=True)
class Plan:
    """The files under a prefix: all with their status, those to load, and the reasons to skip others."""

    found: list[FileOutcome]
    chosen: list[FileVersion]
    skipped: dict[str, str]

    @property
    def statuses(self) -> dict[str, int]:
        """The number of files by status in the ledger."""
        return dict(sorted(Counter(file.status for file in self.found).items()))

    @property
    def bytes(self) -> int:
        """The total size of the files to load."""
        return sum(version.size for version in self.chosen)


def make_plan(session: Session, deployment: Deployment, bucket: str, prefix: str, *, again: bool) -> Plan:
    """Plan to load the files that have no ledger record; with `again`, all that are not running.

    Raises CliError if the prefix is outside the raw zone, or if no object is under it.
    """
    if not prefix.startswith(RAW_PREFIX):
        raise CliError(
            f"files under {prefix!r} cannot be loaded: their keys do not begin with {RAW_PREFIX}",
            f"give a prefix that begins with {RAW_PREFIX}",
        )
    versions: list[FileVersion] = []
    skipped: dict[str, str] = {}
    for entry in object_versions(session, bucket, prefix):
        if not entry["IsLatest"]:
            continue
        key, marker = entry["Key"], ignored_object_reason(entry["Key"], int(entry["Size"]))
        reasons = (
            [f"the object is not a trip file: {marker}"]
            if marker
            else [failure.message for failure in check_key(key)]
        )
        if entry["VersionId"] == UNVERSIONED and not marker:
            reasons.append(NO_VERSION)
        if reasons:
            skipped[key] = "; ".join(reasons)
        else:
            versions.append(file_version(bucket, entry))
    if not (versions or skipped):
        raise CliError(
            f"there are no objects under {s3_uri(bucket, prefix)}",
            f"list the bucket: aws s3 ls s3://{bucket}/",
        )
    found = outcomes(session, deployment, versions)
    chosen = [
        file.version for file in found if file.status == UNSEEN or (again and file.status not in OPEN_FILE)
    ]
    return Plan(found, chosen, skipped)


def expect(session: Session, deployment: Deployment, versions: Sequence[FileVersion]) -> Forecast:
    """Forecast loading these files with the deployed job and the orchestrator's limits."""
    job = session.client("glue").get_job(JobName=deployment.glue_job_name)["Job"]
    settings = orchestrator.settings(session, deployment)
    return forecast(
        versions,
        BatchLimits(settings.batch_max_files, settings.batch_max_bytes),
        Capacity(job["WorkerType"], job["NumberOfWorkers"], job["ExecutionProperty"]["MaxConcurrentRuns"]),
    )
