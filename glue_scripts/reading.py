"""How does Spark read trip files? One scan for all files of one schema, with the lineage beside every row."""

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
from taxi_etl.schema import Kind, kind_family
from taxi_etl.transform import sources
from taxi_etl.transform.expressions import literal, name

THREADS = 16
SCHEME = "^[a-z0-9]+:/+"
"""What a file's path begins with: file systems give back `s3a://` for `s3://`, or `file:/` for `file:///`."""
SPARK_TYPES = {
    Kind.STRING: "string",
    Kind.INTEGER: "bigint",
    Kind.DOUBLE: "double",
    Kind.TIMESTAMP: "timestamp_ntz",
    # Spark has no such type, and reads the bare number with `nanosAsLong`.
    Kind.NANOSECONDS: "bigint",
    Kind.DATE: "date",
    Kind.BOOLEAN: "boolean",
}
JAVA_CHARSETS = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be"}
VALUE_MAX_CHARS = 100_000
"""A longer value of a CSV file fails its file: it is what a lost quote or line end leaves."""
ONE_BY_ONE = {
    # Keys are names, not patterns: a bracket in one is a bracket.
    "__globPaths__": "false",
    # Skipping what cannot be read would lose rows silently.
    "ignoreCorruptFiles": "false",
    "ignoreMissingFiles": "false",
}


@dataclass(frozen=True)
class Located:
    """An accepted file, and the URI under which Spark reads it."""

    file: AcceptedFile
    uri: str


def read_parquet(spark: SparkSession, files: Sequence[Located]) -> DataFrame:
    """The rows of Parquet files of one schema. Page checksums are verified where a file has them.

    The schema comes from the kinds, not from one of the files: int32 in one and int64 in the next is one
    plan.
    """
    columns = files[0].file.columns
    typed = ", ".join(f"{name(column)} {spark_type(kind)}" for column, kind in columns if kind != Kind.NULL)
    # Spark takes an empty text for a mistake; pandas saves a table without rows with columns of no type.
    schema = typed or StructType([])
    reader = (
        spark.read.options(**ONE_BY_ONE).option("parquet.page.verify-checksum.enabled", "true").schema(schema)
    )
    offered = sources.source_columns("parquet", columns)
    values = [
        f"{_value(name(column), kind)} AS {name(offer)}"
        for (column, kind), (offer, _) in zip(columns, offered, strict=True)
    ]
    rows = reader.parquet(*(file.uri for file in files))
    return rows.selectExpr(
        *values,
        "_metadata.row_index AS _position",
        "_metadata.file_path AS _path",
    )


def read_csv(spark: SparkSession, files: Sequence[Located]) -> DataFrame:
    """The rows of CSV files of one header, all values as text.

    The header's names go over the fields by position, with spare fields behind them, so that rows wider
    than the header neither shift nor lose a value. A row wider than that fails its file. Blank lines are
    no rows.
    """
    offered = [column for column, _ in sources.source_columns("csv", files[0].file.columns)]
    width = len(files[0].file.columns)
    fields = [f"c{place}" for place in range(width + sources.SPARE_FIELDS)]
    charset = java_charset(files[0].file.encoding)
    reader = (
        spark.read.options(**ONE_BY_ONE)
        .schema(", ".join(f"{field} string" for field in fields))
        .options(header="true", sep=",", quote='"', escape='"', encoding=charset, mode="PERMISSIVE")
        .option("maxColumns", len(fields))
        .option("maxCharsPerColumn", VALUE_MAX_CHARS)
        # Lines end where a byte is a newline, which in UTF-16 is half a character: such a file is read as a
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


def spark_type(kind: str) -> str:
    """The type by which Spark reads a Parquet column of this kind."""
    return kind if kind_family(kind) is Kind.DECIMAL else SPARK_TYPES[kind_family(kind)]


def _value(column: str, kind: str) -> str:
    """A Parquet column as the transform expects its kind; nanoseconds lose what microseconds do not hold."""
    if kind == Kind.NULL:
        return "CAST(NULL AS string)"
    if kind == Kind.NANOSECONDS:
        whole = f"({column} - pmod({column}, 1000)) DIV 1000"
        return f"timestampadd(MICROSECOND, {whole}, TIMESTAMP_NTZ '1970-01-01 00:00:00')"
    return column


def java_charset(encoding: str) -> str:
    """Java's name of a Python codec. Raises LookupError for a codec that Python does not know."""
    codec = codecs.lookup(encoding).name
    return JAVA_CHARSETS.get(codec, codec)


def with_lineage(
    spark: SparkSession, rows: DataFrame, files: Sequence[Located], run: sources.Run
) -> DataFrame:
    """The rows with the lineage columns of their files in place of `_path`.

    Of one file they are literals; of several, each row looks its file's up. A row whose path belongs to no
    file falls out there, and the count of rows notices. Raises HiddenFileError.
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


def listed_paths(spark: SparkSession, rows: DataFrame, files: Sequence[Located]) -> list[str]:
    """The path of each file as `_metadata.file_path` spells it, in their order.

    Raises HiddenFileError, naming it, for a file that Spark silently leaves out.
    """
    java = jvm(spark)
    listed = {}
    for encoded in rows.inputFiles():
        # `file:///` in a listing is `file:/` beside a row.
        plain = java.org.apache.hadoop.fs.Path(java.java.net.URI(encoded)).toString()
        listed[re.sub(SCHEME, "", encoded)] = spark_path(spark, plain)
    found = []
    for file in files:
        known = listed.get(re.sub(SCHEME, "", spark_path(spark, file.uri)))
        if known is None:
            raise HiddenFileError(
                f"Spark does not list {file.uri} : names must not begin with a dot or underscore"
            )
        found.append(known)
    return found


def spark_path(spark: SparkSession, uri: str) -> str:
    """A URI as Spark's `_metadata.file_path` spells it: with percent signs for spaces and the like."""
    return str(jvm(spark).org.apache.hadoop.fs.Path(uri).toUri().toString())


def footer_rows(spark: SparkSession, files: Sequence[Located]) -> dict[Located, "int | Exception"]:
    """How many rows each Parquet footer promises, read without Spark's reader; the error where there is no
    footer."""
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    parquet = jvm(spark).org.apache.parquet.hadoop

    def count(file: Located) -> "int | Exception":
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
    """Spark's JVM, for the few calls that PySpark has no name for."""
    return spark.sparkContext._jvm
