"""Which files were accepted, and what became of them? The Glue job: manifest in, Iceberg tables and a
result out.

Runs unchanged on AWS Glue and on a laptop; only Spark's configuration differs. A file that cannot be
loaded is a result, not an error: the exit code is 0, and whoever started the run reads `summary.json`
beside the manifest. The exit code is 1, with one line that says why, where the run itself could not work.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from glue_scripts.loading import Loader, Options
from glue_scripts.spark_errors import one_line
from glue_scripts.stall_watchdog import VECTORIZED_READER
from glue_scripts.storage import S3Storage, Storage
from glue_scripts.table_optimizers import create_optimizers
from taxi_etl.documents import JobResult, Manifest
from taxi_etl.names import SPARK_CATALOG, TAXI_DATABASE
from taxi_etl.table_maintenance import TableMaintenance
from taxi_etl.transform.sources import Run

SESSION = {
    # Names of files and columns stand in the SQL: Spark would put variables of the driver's environment and
    # JVM in for each ${…} of theirs, and the table would tell them.
    "spark.sql.variable.substitute": "false",
    # Parquet names that differ in case only are two columns.
    "spark.sql.caseSensitive": "true",
    # Java does not compile methods beyond 8,000 bytes; Spark's generated ones are then slower than none.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # The transform converts step by step, each value once. Pushing its filter down would write every step
    # into the next one's text, again and again: for a CSV file, gigabytes of plan.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.PushDownPredicates",
    # Spark infers facts about every column from every other one's expression: with some fifty columns that
    # each take several steps, it does so until the memory is gone. The transform needs none of them.
    "spark.sql.constraintPropagation.enabled": "false",
    # pandas saves nanoseconds; without this, Spark refuses the file.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # The stall watchdog turns it off for the rest of a job run after a stall.
    VECTORIZED_READER: "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
}


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The job's own arguments among those that Glue passes. Exits with 2 when one is missing or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--manifest", required=True, help="s3://…/manifest.json that validation wrote")
    parser.add_argument("--database", default=TAXI_DATABASE, help="the catalog's database of the taxi tables")
    parser.add_argument("--catalog", default=SPARK_CATALOG, help="the Spark catalog that holds the database")
    parser.add_argument("--max-quarantine-share", type=float, default=0.5, help="above it, a file fails")
    parser.add_argument("--sort-by-pickup", choices=("true", "false"), default="false")
    parser.add_argument("--stall-minutes", type=float, default=5, help="how long tasks may stand still")
    parser.add_argument("--optimizer-role", default="", help="ARN that Glue's table optimizers act as")
    parser.add_argument("--retention-days", type=int, default=7, help="how long old snapshots stay")
    parser.add_argument("--JOB_RUN_ID", dest="run_id", default="local", help="Glue passes it")
    known, _ = parser.parse_known_args(arguments)
    return known


def run(spark: SparkSession, storage: Storage, arguments: argparse.Namespace, now: datetime) -> JobResult:
    """Load the manifest's files, write result.json and summary.json beside it, and return the result."""
    for key, value in SESSION.items():
        spark.conf.set(key, value)
    manifest = Manifest.loads(storage.read(arguments.manifest))
    options = Options(
        database=f"{arguments.catalog}.{arguments.database}",
        max_quarantine_share=arguments.max_quarantine_share,
        sort_by_pickup=arguments.sort_by_pickup == "true",
        stall_minutes=arguments.stall_minutes,
    )
    loader = Loader(spark, storage, options, Run(arguments.run_id, now))
    result = loader.load(manifest)
    folder = arguments.manifest.rsplit("/", 1)[0]
    storage.write(f"{folder}/result.json", result.dumps())
    storage.write(f"{folder}/summary.json", result.summary())
    if arguments.optimizer_role:
        care = TableMaintenance(arguments.optimizer_role, arguments.retention_days)
        for warning in create_optimizers(loader.touched(), arguments.database, care):
            print(f"process_taxi_data: {warning}")
    return result


def main(arguments: Sequence[str]) -> None:
    """Run as Glue runs it."""
    parsed = parse_arguments(arguments)
    spark = SparkSession.builder.appName("process_taxi_data").getOrCreate()
    try:
        result = run(spark, S3Storage.connect(), parsed, datetime.now(UTC))
    except Exception as error:
        sys.exit(f"process_taxi_data: {type(error).__name__}: {one_line(error)}")
    print(f"process_taxi_data: {result.counts()} {result.rows()}")


if __name__ == "__main__":
    main(sys.argv[1:])
