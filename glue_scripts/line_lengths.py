"""Does a CSV file hold a line that no worker's memory could? Looked at in a stream, before Spark takes lines.

Spark's reader of lines holds each one whole, several times over, however long it is: some hundred megabytes
without a line end, or a gzip file of some hundred kilobytes that unpacks to them, end the worker. Hadoop has
a limit of its own (`mapreduce.input.linerecordreader.line.maxlength`), but it leaves longer lines out
without a word. So the CSV parser itself reads a doubtful file first, as one column: in a stream, through a
buffer of a line's limit, and it raises as soon as a line passes that.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

from glue_scripts.reading import ONE_BY_ONE, THREADS, Located, java_charset
from glue_scripts.spark_errors import SPARK_ERRORS, is_cancelled, one_line, whole_text

LINE_MAX_CHARS = 16 * 1024**2
"""The longest line of a file that could hold a longer one; many times what the longest rows have."""
GZIP_RATIO_MAX = 1032
"""So many bytes deflate makes of one at most. Source: zlib's technical details, maximum expansion factor."""
ONE_COLUMN = {"sep": "\ufffe", "quote": "\uffff", "escape": "\uffff", "comment": "\ufdd0"}
"""Characters that no text has: Unicode keeps them free."""


def overlong(spark: SparkSession, files: Sequence[Located]) -> dict[Located, str]:
    """The CSV files that cannot be read line by line, each with the reason: a line is too long, or the file
    cannot be unpacked. Raises Spark's error where its work was cancelled."""
    doubtful = [file for file in files if _may_be_overlong(file)]
    if not doubtful:
        return {}
    with ThreadPoolExecutor(min(THREADS, len(doubtful))) as pool:
        reasons = pool.map(lambda file: _reason(spark, file), doubtful)
        return {file: reason for file, reason in zip(doubtful, reasons, strict=True) if reason}


def _may_be_overlong(file: Located) -> bool:
    """Whether the file has room for such a line, and is read line by line: UTF-16 is not."""
    ratio = GZIP_RATIO_MAX if file.file.compression == "gzip" else 1
    by_lines = not java_charset(file.file.encoding).startswith("utf-16")
    return by_lines and file.file.version.size * ratio > LINE_MAX_CHARS


def _reason(spark: SparkSession, file: Located) -> str:
    reader = (
        spark.read.options(**ONE_BY_ONE, **ONE_COLUMN)
        .schema("line string")
        .options(multiLine="true", encoding=java_charset(file.file.encoding))
        .option("maxCharsPerColumn", LINE_MAX_CHARS)
    )
    try:
        reader.csv(file.uri).selectExpr("max(length(line))").collect()
    except SPARK_ERRORS as error:
        if is_cancelled(error):
            raise
        if "TextParsingException" in whole_text(error):
            return f"a line has more than {LINE_MAX_CHARS:,} characters; check the file's line endings"
        return one_line(error)
    return ""
