"""Spark readers for trip files: one scan for all files of one schema, with lineage columns for each row."""

import codecs
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from glue_scripts.spark_errors import HiddenFileError
from taxi_etl.documents import AcceptedFile
from taxi_etl.schema import SourceColumn, SourceType
from taxi_etl.transform import sources
from taxi_etl.transform.expressions import literal, name

THREADS = 16
SCHEME = "^[a-z0-9]+:/+"
"""The scheme of a path. File systems return `s3a://` for `s3://` and `file:/` for `file:///`."""
SPARK_TYPES = {
    SourceType.STRING: "string",
    SourceType.INTEGER: "bigint",
    SourceType.DOUBLE: "double",
    SourceType.TIMESTAMP: "timestamp_ntz",
    # Spark has no type for nanoseconds; with `nanosAsLong` it reads the plain number.
    SourceType.NANOSECONDS: "bigint",
    SourceType.DATE: "date",
    SourceType.BOOLEAN: "boolean",
}
JAVA_CHARSETS = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be"}
VALUE_MAX_CHARS = 100_000
"""A longer value in a CSV file fails the file, since it results from a missing quote or line ending."""
FILE_OPTIONS = {
    # Object keys are not glob patterns.
    "__globPaths__": "false",
    # Skipping unreadable or missing files would lose rows silently.
    "ignoreCorruptFiles": "false",
    "ignoreMissingFiles": "false",
}


@dataclass(frozen=True)
class SourceFile:
    """An accepted file and the URI from which Spark reads it."""

    file: AcceptedFile
    uri: str


def read_parquet(spark: SparkSession, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of Parquet files of one schema. Page checksums are verified if a file has them.

    The schema is built from the source types, so files with int32 and int64 columns share a plan.
    """
    columns = files[0].file.columns
    typed = ", ".join(
        f"{name(column.name)} {spark_type(column)}"
        for column in columns
        if column.type is not SourceType.NULL
    )
    # Spark rejects an empty schema text. pandas gives the columns of an empty table no type.
    schema = typed or StructType([])
    reader = (
        spark.read.options(**FILE_OPTIONS)
        .option("parquet.page.verify-checksum.enabled", "true")
        .schema(schema)
    )
    offered = sources.source_columns("parquet", columns)
    values = [
        f"{_value(column)} AS {name(offer.name)}" for column, offer in zip(columns, offered, strict=True)
    ]
    rows = reader.parquet(*(file.uri for file in files))
    return rows.selectExpr(
        *values,
        "_metadata.row_index AS _position",
        "_metadata.file_path AS _path",
    )


def read_csv(spark: SparkSession, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of CSV files of one header, all values as text.

    Fields are named by position, followed by spare fields, so that rows wider than the header neither shift
    nor lose values. A row with more fields than that fails its file. Blank lines are skipped.
    """
    offered = [column.name for column in sources.source_columns("csv", files[0].file.columns)]
    width = len(files[0].file.columns)
    fields = [f"c{place}" for place in range(width + sources.SPARE_FIELDS)]
    charset = java_charset(files[0].file.encoding)
    reader = (
        spark.read.options(**FILE_OPTIONS)
        .schema(", ".join(f"{field} string" for field in fields))
        .options(header="true", sep=",", quote='"', escape='"', encoding=charset, mode="PERMISSIVE")
        .option("maxColumns", len(fields))
        .option("maxCharsPerColumn", VALUE_MAX_CHARS)
        # Spark splits files at newline bytes, which in UTF-16 are half a character. UTF-16 files are read
        # whole.
        .option("multiLine", str(charset.startswith("utf-16")).lower())
    )
    surplus = f"nullif(trim(BOTH ',' FROM concat_ws(',', {', '.join(fields[width:])})), '')"
    values = [f"{field} AS {name(column)}" for field, column in zip(fields[:width], offered, strict=False)]
    values.append(f"{surplus} AS {name(offered[-1])}")
    rows = reader.csv([file.uri for file in files])
    return rows.selectExpr(
        *values,
        "CAST(NULL AS bigint) AS _position",
        "_metadata.file_path AS _path",
    )


def spark_type(column: SourceColumn) -> str:
    """The type by which Spark reads a Parquet column."""
    return column.type_name if column.type is SourceType.DECIMAL else SPARK_TYPES[column.type]


def _value(column: SourceColumn) -> str:
    """A Parquet column as the transform expects it; nanoseconds are truncated to microseconds."""
    if column.type is SourceType.NULL:
        return "CAST(NULL AS string)"
    if column.type is SourceType.NANOSECONDS:
        whole = f"({name(column.name)} - pmod({name(column.name)}, 1000)) DIV 1000"
        return f"timestampadd(MICROSECOND, {whole}, TIMESTAMP_NTZ '1970-01-01 00:00:00')"
    return name(column.name)


def java_charset(encoding: str) -> str:
    """Java's name of a Python codec. Raises LookupError for an unknown codec."""
    codec = codecs.lookup(encoding).name
    return JAVA_CHARSETS.get(codec, codec)


def with_lineage(
    spark: SparkSession, rows: DataFrame, files: Sequence[SourceFile], run: sources.Run
) -> DataFrame:
    """The rows with the lineage columns of their files in place of `_path`.

    For one file they are literals; for several files they come from a broadcast join. A row whose path does
    not match any file is dropped by the join, which the row counts reveal. Raises HiddenFileError.
    """
    paths = listed_paths(spark, rows, files)
    by_file = {path: sources.lineage(file.file.version, run) for path, file in zip(paths, files, strict=True)}
    if len(files) == 1:
        [values] = by_file.values()
        return rows.drop("_path").selectExpr("*", *_aliased(values))
    named = [{"_path": literal(path), **values} for path, values in by_file.items()]
    selects = [f"SELECT {', '.join(_aliased(values))}" for values in named]
    return rows.join(spark.sql(" UNION ALL ".join(selects)).hint("broadcast"), on="_path").drop("_path")


def _aliased(values: Mapping[str, str]) -> list[str]:
    return [f"{value} AS {column}" for column, value in values.items()]


def listed_paths(spark: SparkSession, rows: DataFrame, files: Sequence[SourceFile]) -> list[str]:
    """The path of each file, in order, as `_metadata.file_path` spells it.

    Raises HiddenFileError for a file that Spark silently skips.
    """
    java = jvm(spark)
    listed = {}
    for encoded in rows.inputFiles():
        # The listing has `file:///` where `_metadata.file_path` has `file:/`.
        plain = java.org.apache.hadoop.fs.Path(java.java.net.URI(encoded)).toString()
        listed[re.sub(SCHEME, "", encoded)] = spark_path(spark, plain)
    found = []
    for file in files:
        known = listed.get(re.sub(SCHEME, "", spark_path(spark, file.uri)))
        if known is None:
            raise HiddenFileError(
                f"Spark skips {file.uri} because its name begins with a dot or underscore; rename the file"
            )
        found.append(known)
    return found


def spark_path(spark: SparkSession, uri: str) -> str:
    """A URI as Spark's `_metadata.file_path` spells it, with percent-encoding."""
    return str(jvm(spark).org.apache.hadoop.fs.Path(uri).toUri().toString())


def footer_rows(spark: SparkSession, files: Sequence[SourceFile]) -> dict[SourceFile, "int | Exception"]:
    """The row count in each Parquet footer, read without Spark's reader; the error if it cannot be read."""
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    parquet = jvm(spark).org.apache.parquet.hadoop

    def count(file: SourceFile) -> "int | Exception":
        failure: Exception
        try:
            path = jvm(spark).org.apache.hadoop.fs.Path(file.uri)
            reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(path, conf))
        except Py4JJavaError as error:
            failure = error
            return failure
        try:
            return int(reader.getRecordCount())
        finally:
            reader.close()

    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        return dict(zip(files, pool.map(count, files), strict=True))


def jvm(spark: SparkSession) -> Any:
    """Spark's JVM, for calls that PySpark does not offer."""
    return spark.sparkContext._jvm
