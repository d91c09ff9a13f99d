"""Reads example rows from the quarantine table."""

from ops.deployment import Deployment
from ops.report.documents import ExampleRow
from ops.session import Session
from taxi_etl.documents import JobResult
from taxi_etl.identity import source_id
from taxi_etl.s3_uris import parse_s3_uri
from taxi_etl.tables import QUARANTINE

ROWS_READ = 1000
"""Maximum number of quarantined rows read to find examples of each reason."""
COLUMNS = ("source_file", "position", "reasons", "row_as_read")


def quarantined_rows(session: Session, deployment: Deployment, result: JobResult) -> list[ExampleRow]:
    """Return some of the rows that the job run of this result quarantined.

    The table is partitioned by `source_id`, so only the files' own partitions are read.
    """
    owners = {source_id(file.version.bucket, file.version.key) for file in result.files if file.reasons}
    if not owners:
        return []
    # PyIceberg is slow to import, and most reports need no rows.
    from pyiceberg.expressions import And, EqualTo, In  # noqa: PLC0415

    from ops import tables  # noqa: PLC0415

    table = tables.glue_catalog(session).load_table((deployment.taxi_database_name, QUARANTINE))
    of_files = In("source_id", owners)  # type: ignore[arg-type, call-arg]  # pydantic's signature
    of_run = EqualTo("run_id", result.job_run_id)  # type: ignore[arg-type, call-arg]  # the same
    found = table.scan(And(of_files, of_run), selected_fields=COLUMNS, limit=ROWS_READ).to_arrow()
    return [
        ExampleRow(
            parse_s3_uri(row["source_file"])[1],
            row["position"],
            tuple(row["reasons"]),
            {name: str(value) for name, value in row["row_as_read"] if value is not None},
        )
        for row in found.to_pylist()
    ]
