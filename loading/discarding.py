"""Deletes data files that will not be committed because of an error, and keeps that error."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from loading.engine import Table
from loading.file_load import FileLoad, StagedFile


@contextmanager
def discard_on_error(
    data_files: Callable[[], Iterable[tuple[Table, Iterable[StagedFile]]]],
) -> Iterator[None]:
    """If the block raises, delete data files and re-raise, even if the error ends the process.

    `data_files` returns the tables and their data files at that time. If a deletion fails, its error becomes
    a note of the first one; orphan file deletion finds the data files that remain.
    """
    try:
        yield
    except BaseException as error:
        for table, files in data_files():
            for file in files:
                try:
                    table.discard([file])
                except Exception as failed:
                    error.add_note(f"the data file {file.location} remains: {failed}")
        raise


def data_files_of(
    trips: Table, quarantine: Table, loads: Iterable[FileLoad]
) -> list[tuple[Table, list[StagedFile]]]:
    """The data files of both tables that belong to these files."""
    return [
        pair
        for load in loads
        for pair in ((trips, load.trips), (quarantine, [*load.quarantine, *load.bad_row_files]))
    ]
