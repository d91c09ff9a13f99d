"""Errors that Spark raises for damaged files, summarized in one line for people."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

LINE_MAX = 600
HINTS = {
    "com.univocity.parsers.common.TextParsingException": (
        "a row has too many fields, or a value is too long; check the file's quotes and line endings"
    ),
    "Reading past RLE/BitPacking stream": "a Parquet page is damaged",
}
"""What an exception's class or message means to people, where it does not say itself."""


class RowsLostError(Exception):
    """Rows read are not rows written plus rows in quarantine: nothing of it may be committed."""


class HiddenFileError(Exception):
    """Spark left a file out of its listing: it takes names that begin with a dot or underscore for hidden
    ones."""


SPARK_ERRORS = (PySparkException, Py4JJavaError, RowsLostError, HiddenFileError)
"""What reading a damaged file raises. A lost JVM raises none of these: that ends the run."""


def one_line(error: BaseException) -> str:
    """What an error says, with the innermost cause that a Java stack trace names, in one line."""
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    trace = [*lines, *_java_trace(error)]
    causes = [line.removeprefix("Caused by: ") for line in trace if line.startswith("Caused by: ")]
    says = lines[0] if lines else type(error).__name__
    if says.startswith("An error occurred while calling") and len(lines) > 1:
        says = lines[1].removeprefix(": ")
    cause = causes[-1] if causes and causes[-1] not in says else ""
    hints = [hint for name, hint in HINTS.items() if any(name in line for line in trace)]
    cause = "; ".join([*hints, cause]) if cause else "; ".join(hints)
    line = f"{says} (cause: {cause})" if cause else says
    return line if len(line) <= LINE_MAX else f"{line[: LINE_MAX - 1]}…"


def whole_text(error: BaseException) -> str:
    """Everything an error says, stack trace included: where a damaged file's name may be."""
    return "\n".join([str(error), *_java_trace(error)])


def is_cancelled(error: BaseException) -> bool:
    """Whether the Spark job was canceled; the error then says nothing about the file that was read."""
    return "SPARK_JOB_CANCELLED" in str(error)


def java_class(error: Py4JJavaError) -> str:
    """The full name of the Java exception behind an error."""
    return str(error.java_exception.getClass().getName())


def _java_trace(error: BaseException) -> list[str]:
    """The lines of the Java stack trace that PySpark keeps beside its own exceptions."""
    trace = getattr(error, "_stackTrace", None) or ""
    cause = getattr(error, "_cause", None)
    own = [line.strip() for line in str(trace).splitlines()]
    return own + ([f"Caused by: {str(cause).splitlines()[0]}", *_java_trace(cause)] if cause else [])
