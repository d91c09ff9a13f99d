"""Check of CSV files for lines that would exceed a worker's memory.

Spark's line reader holds each line in memory several times, whatever its length: a few hundred megabytes
without a line ending, also unpacked from a small gzip file, end the worker. Hadoop's own limit
(`mapreduce.input.linerecordreader.line.maxlength`) drops longer lines silently. So a file that could hold
such a line is first read as a single column by the CSV parser, which streams it through a buffer of limited
size and raises an error when a line exceeds it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

from glue_scripts.reading import FILE_OPTIONS, THREADS, SourceFile, java_charset
from glue_scripts.spark_errors import SPARK_ERRORS, is_canceled, one_line, whole_text

LINE_MAX_CHARS = 16 * 1024**2
"""Longest accepted line; real rows are far shorter."""
GZIP_RATIO_MAX = 1032
"""Most bytes that one byte of gzip data expands to. Source: zlib's technical details, maximum expansion."""
ONE_COLUMN = {"sep": "\ufffe", "quote": "\uffff", "escape": "\uffff", "comment": "\ufdd0"}
"""Unicode noncharacters, which do not occur in text: the parser finds no separator, quote or comment."""


def find_overlong_lines(spark: SparkSession, files: Sequence[SourceFile]) -> dict[SourceFile, str]:
    """The CSV files that cannot be read line by line, each with the error: a line is too long, or the file
    cannot be unpacked. Raises Spark's error if its job was canceled."""
    suspects = [file for file in files if _may_have_overlong_lines(file)]
    if not suspects:
        return {}
    with ThreadPoolExecutor(min(THREADS, len(suspects))) as pool:
        errors = pool.map(lambda file: _read_as_one_column(spark, file), suspects)
        return {file: error for file, error in zip(suspects, errors, strict=True) if error}


def _may_have_overlong_lines(file: SourceFile) -> bool:
    """Whether the file is large enough to hold such a line and Spark reads it by lines (not UTF-16)."""
    ratio = GZIP_RATIO_MAX if file.file.compression == "gzip" else 1
    read_by_lines = not java_charset(file.file.encoding).startswith("utf-16")
    return read_by_lines and file.file.version.size * ratio > LINE_MAX_CHARS


def _read_as_one_column(spark: SparkSession, file: SourceFile) -> str:
    """The error that reading the file in a stream ends with; empty if there is none."""
    reader = (
        spark.read.options(**FILE_OPTIONS, **ONE_COLUMN)
        .schema("line string")
        .options(multiLine="true", encoding=java_charset(file.file.encoding))
        .option("maxCharsPerColumn", LINE_MAX_CHARS)
    )
    try:
        reader.csv(file.uri).selectExpr("max(length(line))").collect()
    except SPARK_ERRORS as error:
        if is_canceled(error):
            raise
        if "TextParsingException" in whole_text(error):
            return f"a line has more than {LINE_MAX_CHARS:,} characters; check the file's line endings"
        return one_line(error)
    return ""
