"""Finds sources that probably have the same trips.

Two files of one dataset probably have the same trips if they have the same number of rows, and their first
pickups are in the same month or their last pickups are at the same time. Quarantined rows count too,
because a file's name decides which of its rows are quarantined.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DataFile:
    """A data file's source and number of rows; the first and the last pickup of a file with trips."""

    source_id: str
    rows: int
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True)
class _Source:
    source_id: str
    rows: int
    month: tuple[int, int] | None
    latest: datetime | None

    def resembles(self, other: "_Source") -> bool:
        same_month = self.month is not None and self.month == other.month
        return same_month or (self.latest is not None and self.latest == other.latest)


def same_trips(files: Iterable[DataFile], loaded: Collection[str]) -> dict[str, list[str]]:
    """Return the other sources that probably have the trips of each loaded source, for sources with any.

    `files` are the data files of a dataset's table and of quarantine, `loaded` the IDs of the loaded sources.
    """
    by_source: defaultdict[str, list[DataFile]] = defaultdict(list)
    for file in files:
        by_source[file.source_id].append(file)
    by_rows: defaultdict[int, list[_Source]] = defaultdict(list)
    for source_id, parts in by_source.items():
        source = _source(source_id, parts)
        by_rows[source.rows].append(source)
    found: dict[str, list[str]] = {}
    for sources in by_rows.values():
        for ours in sources:
            if ours.source_id in loaded:
                others = [each.source_id for each in sources if each is not ours and ours.resembles(each)]
                if others:
                    found[ours.source_id] = others
    return found


def _source(source_id: str, files: Iterable[DataFile]) -> _Source:
    files = list(files)
    earliest = min((file.earliest for file in files if file.earliest), default=None)
    latest = max((file.latest for file in files if file.latest), default=None)
    month = (earliest.year, earliest.month) if earliest else None
    return _Source(source_id, sum(file.rows for file in files), month, latest)
