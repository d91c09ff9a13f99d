"""What the engine declines before it reads a file."""

from typing import NoReturn

from loading.engine import Declined
from loading.file_load import FileLoad
from loading.row_failures import repeated_values
from loading.source_file import SourceFile

COLUMNS_MAX = 100
"""Maximum number of columns of a file; with hundreds of them, DuckDB exceeds its memory limit."""


def refuse_unlike(load: FileLoad) -> None:
    """Decline a file that DuckDB may read differently from Spark, as far as is known before the read."""
    file = load.source.file
    names = {column.name.casefold() for column in file.columns}
    if file.row_decoder:
        decline(load.source, "it has an encoding that Spark decodes row by row")
    if load.source.unbalanced_quotes:
        decline(load.source, "a line has an odd number of quotes")
    if len(file.columns) > COLUMNS_MAX:
        decline(load.source, f"it has {len(file.columns)} columns")
    if file.format == "parquet" and len(names) < len(file.columns):
        decline(load.source, "some column names differ only in case")
    if repeated_values(load):
        decline(load.source, "a folder of its key repeats a column")


def decline(source: SourceFile, reason: str) -> NoReturn:
    """Raise Declined because of one file."""
    raise Declined(f"{source.file.version.key}: {reason}")
