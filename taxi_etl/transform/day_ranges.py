"""Which rows share a data file, where a table is kept in the order of its pick-ups? Neighbouring days'.

A file's rows come in parts, and each part holds every day of its month. Sorted part by part, every data file
would still span the month, and a query of one day would have to read them all. So the month's days are cut
into as many ranges as there are parts, and each range is written by one task. The ranges come from the name
of the file and its size: finding them in its rows would mean to read and transform it twice.
"""

import math
from calendar import monthrange
from collections.abc import Sequence

from taxi_etl.identity import FileVersion, source_id
from taxi_etl.recognition import month_of


def range_count(version: FileVersion, part_bytes: int) -> int:
    """How many ranges a file's rows are cut into: one where its name tells no month, at most one a day."""
    month = month_of(version.key.rpartition("/")[2])
    if month is None:
        return 1
    return min(monthrange(*month)[1], max(1, math.ceil(version.size / part_bytes)))


def day_ranges(versions: Sequence[FileVersion], part_bytes: int) -> tuple[int, str]:
    """How many ranges the files have in all, and the SQL of a row's range, counted from 0.

    Days outside the month belong to its first or last range, so that ranges do not overlap. Rows of another
    owner are of no range, and join the first.
    """
    cases, first = [], 0
    for version in versions:
        count = range_count(version, part_bytes)
        owner = source_id(version.bucket, version.key)
        cases.append(f"WHEN '{owner}' THEN {_range(version, count, first)}")
        first += count
    return first, f"CAST(CASE source_id {' '.join(cases)} ELSE 0 END AS int)"


def _range(version: FileVersion, count: int, first: int) -> str:
    """The SQL of a row's range among all, where its file's ranges begin with `first`."""
    month = month_of(version.key.rpartition("/")[2])
    if count == 1 or month is None:
        return str(first)
    year, number = month
    day = f"datediff(pickup_datetime, DATE '{year:04d}-{number:02d}-01')"
    return f"{first} + least(greatest({day} * {count} DIV {monthrange(*month)[1]}, 0), {count - 1})"
