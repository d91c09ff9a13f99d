"""Spark readers for trip files: one scan for all files of one schema, with lineage columns for each row."""

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn
from pyspark.sql.types import StructType

from glue_scripts.parquet_columns import spark_type, value_of
from glue_scripts.spark_errors import SPARK_ERRORS, HiddenFileError, is_canceled
from loading.source_file import SourceFile
from loading.storage import THREADS
from taxi_etl.csv_head import row_pattern
from taxi_etl.csv_scan import LINE_MAX_BYTES
from taxi_etl.schema import WITHOUT_VALUES
from taxi_etl.transform import sources
from taxi_etl.transform.expressions import literal, name

VECTORIZED_READER = "spark.sql.parquet.enableVectorizedReader"
SCHEME = "^[a-z0-9]+:/+"
"""The scheme of a path. File systems return `s3a://` for `s3://` and `file:/` for `file:///`."""
JAVA_CHARSETS = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be"}
FIELDS_MAX = 20_480
"""The most fields of a line that Spark's CSV parser splits; the scan limits the length of lines."""
ONE_FIELD = {"sep": "\ufffe", "quote": "\uffff", "escape": "\uffff", "comment": "\ufdd0"}
"""Unicode noncharacters, which do not occur in text: the parser finds no separator, quote or comment."""
LINE = "_line"
FILE_OPTIONS = {
    # Object keys are not glob patterns.
    "__globPaths__": "false",
    # Skipping unreadable or missing files would lose rows silently.
    "ignoreCorruptFiles": "false",
    "ignoreMissingFiles": "false",
}


GLOB_CHARACTERS = frozenset("{}[]*?\\")
"""Characters by which Spark takes a path for a pattern."""


def must_be_read_alone(file: SourceFile) -> bool:
    """Whether Spark would read all files of a scan once more because of this file's path.

    With `__globPaths__` off, Spark 4.1.1 replaces each path with such a character by all paths of the scan:
    see findings/spark-glob-characters-repeat-files.sh.
    """
    return not GLOB_CHARACTERS.isdisjoint(file.uri)


def read_parquet(spark: SparkSession, files: Sequence[SourceFile], *, skip_damage: bool = False) -> DataFrame:
    """The rows of Parquet files of one schema. Page checksums are verified if a file has them.

    `skip_damage` leaves out the rows of damaged parts without an error: the caller must count.

    The schema is built from the source types, so files with int32 and int64 columns share a plan.
    """
    columns = files[0].file.columns
    typed = ", ".join(
        f"{name(column.name)} {spark_type(column)}" for column in columns if column.type not in WITHOUT_VALUES
    )
    # Spark rejects an empty schema text. pandas gives the columns of an empty table no type.
    schema = typed or StructType([])
    reader = (
        spark.read.options(**FILE_OPTIONS)
        .option("ignoreCorruptFiles", str(skip_damage).lower())
        .option("parquet.page.verify-checksum.enabled", "true")
        .schema(schema)
    )
    offered = sources.source_columns(columns)
    values = [
        f"{value_of(column)} AS {name(offer.name)}" for column, offer in zip(columns, offered, strict=True)
    ]
    rows = reader.parquet(*(file.uri for file in files))
    return rows.selectExpr(
        *values,
        "_metadata.row_index AS _position",
        "CAST(NULL AS string) AS _row_text",
        "_metadata.file_path AS _path",
    )


def read_csv(spark: SparkSession, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of CSV files of one header and dialect, all values as text. Blank lines are skipped.

    Spark does not mark a line whose last value opens a quote and does not close it. So files with unbalanced
    quotes are read as whole lines first, which takes twice the work.
    """
    file = files[0].file
    dialect, width = file.dialect, len(file.columns)
    fields = [f"c{place}" for place in range(max(width, dialect.row_width))]
    schema = ", ".join(f"{field} string" for field in (*fields, LINE))
    parsing = {
        "sep": dialect.delimiter,
        "quote": '"',
        "escape": '"',
        "mode": "PERMISSIVE",
        # The line of a row that has another number of fields than the schema.
        "columnNameOfCorruptRecord": LINE,
        "maxColumns": str(FIELDS_MAX),
        "maxCharsPerColumn": str(LINE_MAX_BYTES),
    }
    charset = java_charset(file.encoding)
    reader = spark.read.options(**FILE_OPTIONS).options(header="true", encoding=charset)
    uris = [each.uri for each in files]
    # If one metadata field of CSV files is used, Spark 4.1.1 copies each row to append all six.
    path = "_metadata.file_path" if len(files) > 1 else literal(files[0].uri)
    if files[0].unbalanced_quotes:
        lines = reader.options(**ONE_FIELD, maxCharsPerColumn=LINE_MAX_BYTES).schema("text string").csv(uris)
        parsed = fn.from_csv("text", schema, parsing).alias("row")
        rows = lines.select("text", fn.expr(f"{path} AS _path"), parsed).selectExpr(
            *(f"row.{field}" for field in fields),
            f"CASE WHEN {_odd_quotes('text')} THEN text ELSE row.{LINE} END AS {LINE}",
            f"{_odd_quotes('text')} AS _unbalanced",
            "_path",
        )
    else:
        rows = (
            reader.options(**parsing)
            # Spark splits files at newline bytes, which in UTF-16 are half a character. UTF-16 files are
            # read whole.
            .option("multiLine", str(charset.startswith("utf-16")).lower())
            .schema(schema)
            .csv(uris)
            .selectExpr(*fields, LINE, "false AS _unbalanced", f"{path} AS _path")
        )
    if dialect.skip_lines:
        # Spark skips one line only, so that the header arrives as a row.
        names = zip(fields, file.columns, strict=False)
        header = " AND ".join(f"{_blank(field)} = {_blank(literal(column.name))}" for field, column in names)
        rows = rows.where(f"NOT ({header})")
    offered = sources.source_columns(file.columns)
    values = [f"{field} AS {name(column.name)}" for field, column in zip(fields, offered, strict=False)]
    return rows.selectExpr(
        *values,
        "CAST(NULL AS bigint) AS _position",
        f"{_row_text(fields, width, dialect.delimiter)} AS _row_text",
        "_path",
    )


def _blank(text: str) -> str:
    """A text without surrounding blanks; a null is blank, as a column without a name is in the header."""
    return f"trim(coalesce({text}, ''))"


def _odd_quotes(text: str) -> str:
    return f"""(length({text}) - length(replace({text}, '"', ''))) % 2 = 1"""


def _row_text(fields: Sequence[str], width: int, delimiter: str) -> str:
    """The text of a row whose fields are too few, or too many and not all blank; else null.

    Spark marks each row that does not have exactly the schema's number of fields.
    """
    right = f"{LINE} RLIKE {literal(row_pattern(width, delimiter))}"
    marked = f"{LINE} IS NOT NULL AND (_unbalanced OR NOT {right})"
    if len(fields) == width:
        return f"CASE WHEN {marked} THEN {LINE} END"
    spare = " OR ".join(f"trim({field}) <> ''" for field in fields[width:])
    values = ", ".join(f"coalesce({field}, '')" for field in fields)
    joined = f"concat_ws({literal(delimiter)}, {values})"
    return f"CASE WHEN {marked} THEN {LINE} WHEN {LINE} IS NULL AND ({spare}) THEN {joined} END"


def java_charset(encoding: str) -> str:
    """Java's name of a Python codec. Raises LookupError for an unknown codec."""
    codec = codecs.lookup(encoding).name
    return JAVA_CHARSETS.get(codec, codec)


def with_lineage(
    spark: SparkSession, rows: DataFrame, files: Sequence[SourceFile], run: sources.JobRun
) -> DataFrame:
    """The rows with the lineage columns of their files in place of `_path`.

    For one file they are literals; for several files they come from a broadcast join. A row whose path does
    not match any file is dropped by the join, which the row counts reveal. Raises HiddenFileError.
    """
    paths = listed_paths(spark, rows, files)
    by_file = {path: sources.constants(file.file, run) for path, file in zip(paths, files, strict=True)}
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


@contextmanager
def decoder(spark: SparkSession, *, by_row: bool) -> Iterator[None]:
    """Decode Parquet files row by row inside the block, if `by_row`, which reads every encoding."""
    before = str(spark.conf.get(VECTORIZED_READER))
    if by_row:
        spark.conf.set(VECTORIZED_READER, "false")
    try:
        yield
    finally:
        spark.conf.set(VECTORIZED_READER, before)


def read_errors(spark: SparkSession, files: Sequence[SourceFile]) -> "list[Exception | None]":
    """Read each of these Parquet files alone; returns the error of each, None for one that can be read.

    Raises the error of a canceled Spark job, which says nothing about the file.
    """

    def read(file: SourceFile) -> "Exception | None":
        try:
            read_parquet(spark, [file]).write.format("noop").mode("overwrite").save()
        except SPARK_ERRORS as error:
            if is_canceled(error):
                raise
            return error
        return None

    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        return list(pool.map(read, files))


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
