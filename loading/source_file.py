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

    @property
    def layout(self) -> tuple[object, ...]:
        """What files that an engine reads with one query have in common."""
        file = self.file
        return (
            file.format,
            file.columns,
            tuple(file.key_values),
            file.encoding,
            file.dialect,
            file.row_decoder,
            self.unbalanced_quotes,
        )
