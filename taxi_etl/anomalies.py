"""Rules for months that differ from earlier months.

They compare Iceberg's metrics of data files. A month counts only if exactly one file has it: the parts of a
month arrive one after the other, and each of them looks like an incomplete month. `docs/data.md` states how
often these rules would have fired on the TLC's files.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from taxi_etl.coverage import month_text
from taxi_etl.recognition import month_of

MONTHS_BEFORE = 6
"""A month is compared with the loaded ones among this many months before it."""
COMPARED_MIN = 3
"""Minimum number of earlier months for a comparison."""
COMPARED_ROWS_MIN = 1_000
"""At least one of the earlier months must have this many rows. The smallest month of the TLC has 35,644."""
FEWER, MORE = 0.6, 1.6
"""A number of rows is unusual below `FEWER` times the smallest earlier month, or above `MORE` times the
largest."""
NULL_SHARE_RISE = 0.2
"""A column is unusual if its share of nulls exceeds that of every earlier month by more than this."""
LISTED_COLUMNS_MAX = 5


class AnomalyPolicy(StrEnum):
    """Policy for findings: warn about the loaded file, fail it, or check nothing."""

    WARN = "warn"
    FAIL = "fail"
    OFF = "off"


@dataclass(frozen=True)
class FileMetrics:
    """Iceberg's metrics of a data file: rows and nulls by column. `source_file` is the URI of its source."""

    source_id: str
    source_file: str
    rows: int
    nulls: Mapping[str, int]


@dataclass(frozen=True)
class _Month:
    """The only file of a month; `number` counts months."""

    source_id: str
    number: int
    text: str
    rows: int
    nulls: Mapping[str, int]

    def null_share(self, column: str) -> float:
        return self.nulls.get(column, 0) / self.rows if self.rows else 0.0


def unusual_months(
    metrics: Iterable[FileMetrics], loaded: Mapping[str, Collection[str]]
) -> dict[str, list[str]]:
    """Return the findings about each loaded source that has any, as sentences about the file.

    `metrics` are those of all data files of a dataset after the load. `loaded` maps each loaded source to the
    table's columns that its file has; columns that the file lacks are reported as missing instead.
    """
    months = _months(metrics)
    found = {}
    for month in months:
        before = [each for each in months if 0 < month.number - each.number <= MONTHS_BEFORE]
        is_compared = month.source_id in loaded and len(before) >= COMPARED_MIN
        if is_compared and max(each.rows for each in before) >= COMPARED_ROWS_MIN:
            findings = [*_rows(month, before), *_nulls(month, before, loaded[month.source_id])]
            if findings:
                found[month.source_id] = findings
    return found


def _rows(month: _Month, before: Collection[_Month]) -> list[str]:
    fewest, most = min(each.rows for each in before), max(each.rows for each in before)
    if FEWER * fewest <= month.rows <= MORE * most:
        return []
    return [
        f"has {month.rows:,} trips of {month.text}, but {_named(before)} has {fewest:,} to {most:,}; "
        "compare it with its source, and upload it again if it is incomplete"
    ]


def _nulls(month: _Month, before: Collection[_Month], columns: Collection[str]) -> list[str]:
    listed = []
    for column in sorted(columns):
        usual = max(each.null_share(column) for each in before)
        if month.null_share(column) - usual > NULL_SHARE_RISE:
            listed.append(
                f"{column} in {month.null_share(column):.0%} of the trips (before: at most {usual:.0%})"
            )
    if not listed:
        return []
    more = len(listed) - LISTED_COLUMNS_MAX
    text = ", ".join(listed[:LISTED_COLUMNS_MAX]) + (
        f" and {more} more column{'' if more == 1 else 's'}" if more > 0 else ""
    )
    return [
        f"has more nulls than {_named(before)}: {text}; compare the values with those of the source, and "
        "upload the file again if values are missing"
    ]


def _named(before: Collection[_Month]) -> str:
    return f"each of the {len(before)} earlier months"


def _months(metrics: Iterable[FileMetrics]) -> list[_Month]:
    """The months that exactly one file has in its name."""
    by_source: defaultdict[str, list[FileMetrics]] = defaultdict(list)
    for each in metrics:
        by_source[each.source_id].append(each)
    by_month: defaultdict[tuple[int, int], list[_Month]] = defaultdict(list)
    for source_id, files in by_source.items():
        month = month_of(files[0].source_file)
        if month:
            by_month[month].append(_month(source_id, month, files))
    return [sources[0] for sources in by_month.values() if len(sources) == 1]


def _month(source_id: str, month: tuple[int, int], files: Collection[FileMetrics]) -> _Month:
    nulls: defaultdict[str, int] = defaultdict(int)
    for file in files:
        for column, count in file.nulls.items():
            nulls[column] += count
    year, number = month
    return _Month(source_id, 12 * year + number, month_text(month), sum(each.rows for each in files), nulls)
