"""The Glue job: loads the files of a manifest into Iceberg tables with Spark and writes a result.

Runs unchanged on AWS Glue and locally; only Spark's configuration differs. A file that cannot be loaded is
part of the result (`result.json` and `summary.json` next to the manifest), and the exit code is 0. If the job
run itself fails, it exits with 1 and one line that states the error.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from pyspark.sql import SparkSession

from glue_scripts.reading import VECTORIZED_READER
from glue_scripts.spark_engine import SparkEngine
from glue_scripts.spark_errors import one_line
from loading.job import load_manifest, write_summary
from loading.options import Options
from loading.storage import S3Storage, Storage
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.documents import JobResult
from taxi_etl.table_maintenance import TableMaintenance
from taxi_etl.transform.sources import JobRun

PROGRAM = "process_taxi_data"
SESSION = {
    # The SQL contains names of files and columns. Spark would replace each ${…} in them by a variable of the
    # driver's environment or JVM and so disclose it in the table.
    "spark.sql.variable.substitute": "false",
    # Parquet column names may differ in case only.
    "spark.sql.caseSensitive": "true",
    # Java does not compile methods above 8,000 bytes; larger generated code is slower than interpreted plans.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # The transform converts each value once, in steps. Pushing its filter down would repeat the expressions
    # of all steps: for a CSV file, gigabytes of plan.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.PushDownPredicates",
    # Spark infers constraints for every column from the expressions of the others. With fifty columns and
    # several steps each, that exhausts the memory, and the transform does not need them.
    "spark.sql.constraintPropagation.enabled": "false",
    # pandas writes nanoseconds; without this setting Spark rejects the file.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # The stall watchdog turns it off for the rest of a job run after a stall.
    VECTORIZED_READER: "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the job's arguments and ignore Glue's own. Exits with 2 if one is missing or invalid."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    add = partial(parser.add_argument, required=True)
    add("--manifest", help="URI of the manifest.json that validation wrote")
    add("--catalog", help="Spark catalog of the database")
    add("--database", help="database of the taxi tables")
    add("--max-quarantine-share", type=float, help="a file fails above this fraction of quarantined rows")
    add("--sort-by-pickup", choices=("true", "false"), help="whether to sort each file's rows by pickup time")
    add("--anomaly-policy", type=AnomalyPolicy, choices=list(AnomalyPolicy), help="policy for unusual months")
    add("--stall-minutes", type=float, help="stall timeout: how long Spark may make no progress")
    add("--command-line", help="how messages call the command line, such as `taxi-etl --environment dev`")
    add("--optimizer-role", help="ARN of the role of Glue's table optimizers; empty to create none")
    add("--retention-days", type=int, help="days to keep old snapshots and orphan files")
    add("--JOB_RUN_ID", dest="run_id", help="ID of the job run, which Glue passes")
    known, _ = parser.parse_known_args(arguments)
    return known


def run(spark: SparkSession, storage: Storage, arguments: argparse.Namespace, now: datetime) -> JobResult:
    """Set the session up and load the files of a manifest; see `loading.job`."""
    for key, value in SESSION.items():
        spark.conf.set(key, value)
    role = arguments.optimizer_role
    options = Options(
        database=arguments.database,
        max_quarantine_share=arguments.max_quarantine_share,
        sort_by_pickup=arguments.sort_by_pickup == "true",
        command=arguments.command_line,
        program=PROGRAM,
        anomaly_policy=arguments.anomaly_policy,
        maintenance=TableMaintenance(role, arguments.retention_days) if role else None,
    )
    job_run = JobRun(arguments.run_id, now)
    engine = SparkEngine(spark, arguments.catalog, options, job_run, arguments.stall_minutes)
    result, summary = load_manifest(arguments.manifest, engine, storage, options, job_run)
    write_summary(storage, arguments.manifest, summary)
    return result


def main(arguments: Sequence[str]) -> None:
    """Run the job as Glue does."""
    parsed = parse_arguments(arguments)
    spark = SparkSession.builder.appName(PROGRAM).getOrCreate()
    try:
        result = run(spark, S3Storage.connect(), parsed, datetime.now(UTC))
    except Exception as error:
        sys.exit(f"{PROGRAM}: {type(error).__name__}: {one_line(error)}")
    print(f"{PROGRAM}: {result.counts()} {result.rows()}")


if __name__ == "__main__":
    main(sys.argv[1:])
