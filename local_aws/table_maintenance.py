"""Table maintenance in the local account, through Iceberg's Spark procedures.

On AWS, Glue's table optimizers compact each table, expire its snapshots and delete its orphan files
(taxi_etl/table_maintenance.py). Here Iceberg's procedures do the same, with the job's configuration:

    python -m local_aws.table_maintenance --catalog glue_catalog --database taxi --retention-days 7 TABLE…
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws import paths, spark
from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ERROR_MAX = 2000


@dataclass(frozen=True)
class MaintenanceResult:
    """Data files of the current snapshot before and after, expired snapshots, and removed orphan files."""

    table: str
    files_before: int
    files_after: int
    snapshots_expired: int
    orphans_removed: int


def maintain_table(
    session: "SparkSession", catalog: str, database: str, table: str, *, retention_days: int, now: datetime
) -> MaintenanceResult:
    """Compact a table's data files, and remove snapshots and orphan files older than the retention.

    The retention is at least one day: files that a load has staged are in no snapshot yet, and only their age
    distinguishes them from orphan files. Raises ValueError for less, and Spark's errors.
    """
    if retention_days < 1:
        raise ValueError(
            f"the retention must be at least 1 day to spare files of running loads, not {retention_days}"
        )
    qualified = f"{catalog}.{database}.{table}"
    before = (now - timedelta(days=retention_days)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")
    old = f"older_than => TIMESTAMP '{before}'"

    def count(of: str) -> int:
        session.catalog.refreshTable(qualified)
        return int(session.sql(f"SELECT count(*) FROM {qualified}.{of}").collect()[0][0])  # noqa: S608

    def call(procedure: str, *more: str) -> int:
        """Call a procedure and return the number of rows of its result."""
        given = ", ".join([f"table => '{database}.{table}'", *more])
        return len(session.sql(f"CALL {catalog}.system.{procedure}({given})").collect())

    files = count("files")
    call("rewrite_data_files", "strategy => 'binpack'")
    snapshots = count("snapshots")
    call("expire_snapshots", old, "retain_last => 1")
    kept = count("snapshots")
    # Lists through the table's own FileIO: Hadoop's may write the same path differently.
    orphans = call("remove_orphan_files", old, "prefix_listing => true")
    return MaintenanceResult(table, files, count("files"), snapshots - kept, orphans)


def run(
    job_arguments: Mapping[str, str],
    tables: Sequence[str],
    *,
    endpoint_url: str,
    credentials: tuple[str, str],
    retention_days: int,
) -> list[MaintenanceResult]:
    """Maintain tables in a process with the Glue job's configuration. Raises LocalAwsError."""
    own = spark.parse_conf_argument(job_arguments["--conf"])
    conf = {**spark.base_conf(), **own, **spark.account_conf(endpoint_url, own)}
    keep = ("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL", "TMPDIR")
    environment = {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "AWS_ACCESS_KEY_ID": credentials[0],
        "AWS_SECRET_ACCESS_KEY": credentials[1],
        "AWS_REGION": spark.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    options = {
        "--catalog": job_arguments["--catalog"],
        "--database": job_arguments["--database"],
        "--retention-days": str(retention_days),
    }
    words = [word for pair in options.items() for word in pair]
    with tempfile.TemporaryDirectory(prefix="table-maintenance-") as folder:
        environment |= spark.write_conf(Path(folder), conf)
        ran = subprocess.run(
            [sys.executable, "-m", "local_aws.table_maintenance", *words, *tables],
            capture_output=True,
            text=True,
            cwd=paths.CHECKOUT,
            env=environment,
            check=False,
        )
    if ran.returncode != 0:
        raise LocalAwsError(f"table maintenance of {', '.join(tables)} failed:\n{ran.stderr[-ERROR_MAX:]}")
    return [MaintenanceResult(**done) for done in json.loads(ran.stdout.splitlines()[-1])]


def main(arguments: Sequence[str]) -> None:
    """Maintain the tables and print the results as JSON; runs in a separate process."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  (the emulator's environment has no pyspark)

    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--retention-days", type=int, required=True)
    parser.add_argument("tables", nargs="+")
    options = parser.parse_args(arguments)
    session = SparkSession.builder.appName("table_maintenance").getOrCreate()
    now = datetime.now(UTC)
    done = [
        maintain_table(
            session, options.catalog, options.database, table, retention_days=options.retention_days, now=now
        )
        for table in options.tables
    ]
    print(json.dumps([asdict(each) for each in done]))


if __name__ == "__main__":
    main(sys.argv[1:])
