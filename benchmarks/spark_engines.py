"""The engines on Spark that the benchmark compares; each loads files in its own process.

- `job`: the Glue job's code.
- `floor`: Spark with the same reader, settings and table properties, writing the columns without a transform.
"""

from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.engines import OPTIONS, RUN, THREADS, accepted, load_with
from benchmarks.measuring import Load, main
from glue_scripts.process_taxi_data import SESSION
from glue_scripts.reading import read_csv, read_parquet, with_lineage
from glue_scripts.spark_engine import SparkEngine
from loading.source_file import SourceFile
from local_aws.spark import JAVA_OPTIONS, base_conf
from taxi_etl import tables

MEMORY = "2g"


def spark(folder: Path) -> SparkSession:
    """A session with the job's settings and an Iceberg catalog `lake` in a folder.

    Java compiles as on Glue, without the options that make the local account start faster.
    """
    builder = SparkSession.Builder()
    conf = base_conf(memory=MEMORY) | {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": str(folder / "warehouse"),
        "spark.master": f"local[{THREADS}]",
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        **SESSION,
    }
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.sql("CREATE NAMESPACE IF NOT EXISTS lake.taxi")
    return session


def job(folder: Path) -> Load:
    """The Glue job's loader."""
    session = spark(folder)

    def load(path: Path) -> None:
        load_with(SparkEngine(session, "lake", OPTIONS, RUN, stall_minutes=5), path)

    return load


def floor(folder: Path) -> Load:
    """The same reader and the same kind of table, without the transform."""
    session = spark(folder)

    def load(path: Path) -> None:
        file = SourceFile(accepted(path), f"file://{path}")
        rows = (read_csv if file.file.format == "csv" else read_parquet)(session, [file])
        rows = with_lineage(session, rows, [file], RUN)
        columns = [f"`{column}`" for column in rows.columns if not column.startswith("_")]
        lineage_columns = [f"_{name} AS {name}" for name in (column.name for column in tables.LINEAGE)]
        rows = rows.selectExpr(*columns, *lineage_columns)
        name = f"lake.taxi.floor_{path.name.split('.')[0].replace('-', '_')}"
        writer = rows.writeTo(name).using("iceberg").partitionedBy("source_id")
        for key, value in tables.PROPERTIES.items():
            writer = writer.tableProperty(key, value)
        writer.createOrReplace()

    return load


if __name__ == "__main__":
    main({"job": job, "floor": floor})
