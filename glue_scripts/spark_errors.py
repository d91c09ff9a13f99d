"""Errors that Spark raises for damaged files, summarized in one line for people."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from taxi_etl.failures import Failure, FailureCode
from taxi_etl.object_access import ARCHIVED, UNUSABLE_KEY, refusal

LINE_MAX = 600
HINTS = {
    "com.univocity.parsers.common.TextParsingException": (
        "a row has too many fields, or a value is too long; check the file's quotes and line endings"
    ),
    "Reading past RLE/BitPacking stream": "a Parquet page is damaged",
}
"""Explanations of exceptions, by class name or message."""

S3_REFUSALS = (*sorted(ARCHIVED), *sorted(UNUSABLE_KEY), "AccessDenied")
"""Error codes of S3 by which Hadoop's exceptions show that S3 refused an object."""
S3A_BAD_REQUEST = "AWSBadRequestException: getFileStatus"
"""How Hadoop reports that S3 answers the HEAD of an object with 400, as it does without the key of SSE-C."""


class RowsLostError(Exception):
    """The rows read differ from the rows written plus quarantined, so nothing may be committed."""


class HiddenFileError(Exception):
    """Spark skipped a file because it treats names that begin with a dot or underscore as hidden."""


SPARK_ERRORS = (PySparkException, Py4JJavaError, RowsLostError, HiddenFileError)
"""Errors that a damaged file can cause. A lost JVM raises others, which end the job run."""


def one_line(error: BaseException) -> str:
    """An error's message and the innermost cause in its Java stack trace, in one line of limited length."""
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    trace = [*lines, *_java_trace(error)]
    causes = [line.removeprefix("Caused by: ") for line in trace if line.startswith("Caused by: ")]
    message = lines[0] if lines else type(error).__name__
    if message.startswith("An error occurred while calling") and len(lines) > 1:
        message = lines[1].removeprefix(": ")
    cause = causes[-1] if causes and causes[-1] not in message else ""
    hints = [hint for name, hint in HINTS.items() if any(name in line for line in trace)]
    cause = "; ".join(filter(None, [*hints, cause]))
    line = f"{message} (cause: {cause})" if cause else message
    return line if len(line) <= LINE_MAX else f"{line[: LINE_MAX - 1]}…"


def read_failure(error: BaseException) -> Failure:
    """The failure of a file that could not be read: S3 refused the object, or its data is unreadable."""
    text, line = whole_text(error), one_line(error)
    found = next((code for code in S3_REFUSALS if code in text), None)
    if S3A_BAD_REQUEST in text and "ExpiredToken" not in text:
        found = "400"
    failure = refusal(found, line) if found else None
    return failure or Failure(FailureCode.UNREADABLE, line)


def whole_text(error: BaseException) -> str:
    """An error's message and stack traces, which may contain the damaged file's name."""
    return "\n".join([str(error), *_java_trace(error)])


def is_canceled(error: BaseException) -> bool:
    """Whether the Spark job was canceled; the error then does not mean that the file is damaged."""
    return "SPARK_JOB_CANCELLED" in str(error)


def java_class(error: Py4JJavaError) -> str:
    """The class name of an error's Java exception."""
    return str(error.java_exception.getClass().getName())


def _java_trace(error: BaseException) -> list[str]:
    """The lines of the Java stack traces that PySpark attaches to its exceptions."""
    trace = getattr(error, "_stackTrace", None) or ""
    cause = getattr(error, "_cause", None)
    own = [line.strip() for line in str(trace).splitlines()]
    return own + ([f"Caused by: {str(cause).splitlines()[0]}", *_java_trace(cause)] if cause else [])
