"""Recognition of a file's dataset and month.

The columns decide the dataset; the file name breaks a tie, and then the folders of the key.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from taxi_etl.datasets import DATASETS
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.name_similarity import have_similar_words, is_similar
from taxi_etl.schema import READABLE, ColumnMatches, Dataset, SourceColumn, SourceType, match_columns

RESEMBLES = 3
"""A file with this many known columns counts as an incomplete file of a dataset, not as an unknown one."""
FIRST_YEAR = 2009
_MONTH = r"(20\d\d)[_-](0[1-9]|1[0-2])(?![0-9a-z]|[_-]\d\d(?!\d))"
"""A month, but not the beginning of a full date, which is when the file was written, or a part of a UUID."""
_TRIPDATA_MONTH = re.compile(rf"tripdata[_-](?:[a-z]+[_-])?{_MONTH}", re.IGNORECASE)
_ANY_MONTH = re.compile(rf"(?<!\d){_MONTH}", re.IGNORECASE)
_RANGE = re.compile(rf"{_MONTH}[_-](?:to[_-])?{_MONTH}", re.IGNORECASE)
"""The first and last month of a file that holds several."""


@dataclass(frozen=True)
class Recognition:
    """The dataset of a file, or None with the reasons in `failures`."""

    dataset: str | None
    failures: tuple[Failure, ...] = ()


def recognize(columns: Sequence[SourceColumn], key: str) -> Recognition:
    """Find the dataset whose columns these are.

    `columns` are in the file's order, `key` is the key without the common prefix, or its last part. A column
    whose type cannot be read counts as missing (`missing_columns`), with a message that names both types.
    """
    names = [column.name for column in columns]
    matches = {name: match_columns(dataset, columns) for name, dataset in DATASETS.items()}
    lacking = {
        name: [column for column in dataset.required if column not in matches[name].sources]
        for name, dataset in DATASETS.items()
    }
    known = {name: len(names) - len(matches[name].unknown) for name in DATASETS}
    most = max(known.values())
    best = [name for name, count in known.items() if count == most]
    best = [name for name in best if not lacking[name]] or best
    folders, _, file_name = key.rpartition("/")
    for text in (file_name, folders):
        if len(best) > 1:
            best = [name for name in best if _named_in(text, name)] or best

    if most < RESEMBLES and lacking[best[0]]:
        message = f"the columns {_listed(names)} match no dataset"
        if len(names) == 1:
            message += "; the first line must name the columns, separated by commas, semicolons, tabs or bars"
        return _rejected(FailureCode.UNKNOWN_DATASET, message)
    if len(best) > 1:
        which = " and ".join(best)
        message = (
            f"the columns match {which} equally; put the name of the dataset into the name of the file or of "
            "its folder"
        )
        return _rejected(FailureCode.UNKNOWN_DATASET, message)
    dataset = DATASETS[best[0]]
    similar = similar_names(dataset, matches[dataset.name])
    if lacking[dataset.name]:
        message = f"{dataset.name} files need {_listed(lacking[dataset.name])}, which this file lacks"
        hint = "; rename similar columns: " + "; ".join(similar) if similar else ""
        return _rejected(FailureCode.MISSING_COLUMNS, message + hint)
    if similar:
        failures = tuple(
            Failure(
                FailureCode.UNCLEAR_COLUMN,
                f"{each}, which this file lacks; rename it to that if it is the same column, "
                "otherwise to a clearly different name",
            )
            for each in similar
        )
        return Recognition(None, failures)
    unreadable = _unreadable(dataset, matches[dataset.name])
    if unreadable:
        failures = tuple(Failure(FailureCode.MISSING_COLUMNS, message) for message in unreadable)
        return Recognition(None, failures)
    return Recognition(dataset.name)


def similar_names(dataset: Dataset, matches: ColumnMatches) -> list[str]:
    """A phrase for each unknown column of a file that resembles a column of the dataset without a source."""
    missing = [column for column in dataset.columns if column.name in matches.missing]
    return [
        f"column {unknown.name!r} resembles {dataset.name}'s {column.name!r}"
        for unknown in matches.unknown
        for column in missing
        if any(is_similar(unknown.name, name) for name in (*column.aliases, column.name))
        # Some synonyms are so short that other columns differ from them in two letters.
        or any(have_similar_words(unknown.name, name) for name in column.synonyms)
    ]


def month_number(file_name: str) -> int | None:
    """The month in a file's name as a number, for example 202401; None where `month_of` is None."""
    month = month_of(file_name)
    return None if month is None else 100 * month[0] + month[1]


def month_of(file_name: str) -> tuple[int, int] | None:
    """The (year, month) in a file's name, e.g. (2024, 1) for `green_tripdata_2024-01.parquet`.

    In a name that does not follow the TLC's pattern, exactly one month must occur. A full date is not a
    month. None without a month, for a range of months, or for a month before FIRST_YEAR.
    """
    name = file_name.rsplit("/", 1)[-1]
    if _RANGE.search(name):
        return None
    found = _TRIPDATA_MONTH.search(name)
    months = {found.groups()} if found else set(_ANY_MONTH.findall(name))
    if len(months) != 1:
        return None
    year, month = months.pop()
    return (int(year), int(month)) if int(year) >= FIRST_YEAR else None


def variant(dataset: str, file_format: str, columns: Sequence[SourceColumn]) -> str:
    """The name of a schema variant, e.g. `green-parquet-20-1f3a5c7e`."""
    digest = hashlib.sha256(json.dumps([column.to_json() for column in columns]).encode()).hexdigest()
    return f"{dataset}-{file_format}-{len(columns)}-{digest[:8]}"


def _unreadable(dataset: Dataset, matches: ColumnMatches) -> list[str]:
    """A sentence for each column whose type its table column cannot hold.

    A further source of a column is rejected only if its values have no text form: a row that needs one of the
    others is quarantined.
    """
    types = {column.name: column.type for column in dataset.columns}
    return [
        f"column {source.name!r} holds {source.type_name} values, but {dataset.name} needs {types[home]}"
        for home, sources in matches.sources.items()
        for place, source in enumerate(sources)
        if source.type not in READABLE[types[home]] and (place == 0 or source.type is SourceType.UNSUPPORTED)
    ]


def _named_in(text: str, dataset: str) -> bool:
    """Whether a name has the dataset's name as a word; `fhvhv_tripdata` does not have `fhv`."""
    return dataset in re.split(r"[^a-z]+", text.lower())


def _listed(names: Sequence[str], limit: int = 30) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more


def _rejected(code: FailureCode, message: str) -> Recognition:
    return Recognition(None, (Failure(code, message),))
