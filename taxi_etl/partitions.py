"""Columns in the folders of a key, as Hive, Spark and others write them: `payment_type=1/part-0.parquet`."""

from collections.abc import Sequence
from urllib.parse import unquote

from taxi_etl.schema import Dataset, SourceColumn, comparable, match_columns, text_columns

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""The value by which Hive and Spark write null."""


def folder_values(key: str) -> dict[str, str | None]:
    """The columns and values in a key's folders."""
    return dict(_folders(key))


def contradicting_folders(key: str, dataset: Dataset) -> str:
    """A sentence about a column of the dataset to which the key's folders give two values, or ""."""
    folders = _folders(key)
    for column in dataset.columns:
        names = {comparable(name) for name in column.names}
        values = {str(value) for name, value in folders if comparable(name) in names}
        if len(values) > 1:
            listed = " and ".join(map(repr, sorted(values)))
            return f"the folders of the key give {column.name!r} the values {listed}; move the file"
    return ""


def _folders(key: str) -> list[tuple[str, str | None]]:
    """The columns and values in a key's folders, in order."""
    pairs = (folder.partition("=") for folder in key.split("/")[:-1])
    found = [(unquote(name), unquote(value)) for name, mark, value in pairs if mark and name]
    return [(name, None if value == NULL_PARTITION else value) for name, value in found]


def added_columns(key: str, dataset: Dataset, columns: Sequence[SourceColumn]) -> dict[str, str | None]:
    """The dataset's columns that the file lacks but folders of its key supply, with the folders' values."""
    folders = folder_values(key)
    if not folders:
        return {}
    missing = match_columns(dataset, columns).missing
    sources = match_columns(dataset, text_columns(folders)).sources
    return {source.name: folders[source.name] for name, (source, *_) in sources.items() if name in missing}


def repeated_columns(key: str, dataset: Dataset, columns: Sequence[SourceColumn]) -> dict[str, str | None]:
    """The values in a key's folders of columns that the file has as well, by the names of the dataset."""
    folders = folder_values(key)
    if not folders:
        return {}
    present = match_columns(dataset, columns).sources
    sources = match_columns(dataset, text_columns(folders)).sources
    return {name: folders[source.name] for name, (source, *_) in sources.items() if name in present}
