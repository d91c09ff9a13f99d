"""Months of trips that are loaded and missing, by dataset.

The month of a file is the one in its name; a file with too many trips of other months does not load.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from taxi_etl.datasets import DATASETS
from taxi_etl.recognition import month_of

Month = tuple[int, int]
"""Year and month."""


@dataclass(frozen=True)
class Coverage:
    """The months of one dataset: the first and last loaded one, their number, and the missing ones."""

    dataset: str
    first: Month
    last: Month
    loaded: int
    missing: tuple[Month, ...]


def coverage(files: Iterable[tuple[str, str]]) -> list[Coverage]:
    """Return the months of each dataset of trips from the (dataset, object key) of loaded files, sorted.

    A month is missing if it is after the dataset's first loaded month and not after the last loaded month of
    any dataset, because the TLC publishes all datasets of a month together. Files without a month in their
    name, and datasets that have only such files, are left out.
    """
    without_trips = {dataset.name for dataset in DATASETS.values() if not dataset.has_trips}
    months: defaultdict[str, set[Month]] = defaultdict(set)
    for dataset, key in files:
        month = month_of(key)
        if month and dataset not in without_trips:
            months[dataset].add(month)
    newest = max((max(loaded) for loaded in months.values()), default=(0, 0))
    return [
        Coverage(
            dataset,
            min(loaded),
            max(loaded),
            len(loaded),
            tuple(month for month in months_between(min(loaded), newest) if month not in loaded),
        )
        for dataset, loaded in sorted(months.items())
    ]


def month_text(month: Month) -> str:
    """Return a month as `2024-01`."""
    return f"{month[0]:04d}-{month[1]:02d}"


def month_ranges(months: Sequence[Month]) -> str:
    """Return months in order as text, consecutive ones as a range: `2023-11 to 2024-02, 2024-05`."""
    ranges: list[list[Month]] = []
    for month in months:
        if ranges and month == _next(ranges[-1][-1]):
            ranges[-1].append(month)
        else:
            ranges.append([month])
    return ", ".join(
        month_text(each[0]) if len(each) == 1 else f"{month_text(each[0])} to {month_text(each[-1])}"
        for each in ranges
    )


def months_between(first: Month, last: Month) -> Iterable[Month]:
    """Yield the months from the first to the last, both included."""
    month = first
    while month <= last:
        yield month
        month = _next(month)


def _next(month: Month) -> Month:
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)
