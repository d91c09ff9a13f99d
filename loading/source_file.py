"""A file as a load reads it."""

from dataclasses import dataclass

from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import FileWarning


@dataclass(frozen=True)
class SourceFile:
    """An accepted file and the URI from which the engine reads it.

    The other fields come from the bytes of a CSV file. `rows` is the number of its rows, None if unknown, and
    `unbalanced_quotes` is true if any line has an odd number of quotes.
    """

    file: AcceptedFile
    uri: str
    rows: int | None = None
    unbalanced_quotes: bool = False
    warnings: tuple[FileWarning, ...] = ()
