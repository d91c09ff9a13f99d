"""Day ranges that keep a table in the order of pickups: rows of neighboring days share a data file.

A file's rows come in parts, and each part holds every day of the month. If each part were sorted by itself,
every data file would span the month, and a query of one day would read them all. Therefore the month is split
into as many ranges of days as there are parts, and one task writes each range. The ranges follow from the
file's name and size, because reading them from the rows would need a second pass.
"""

import math
from calendar import monthrange
from collections.abc import Sequence

from taxi_etl.identity import FileVersion, source_id
from taxi_etl.recognition import month_of


def range_count(version: FileVersion, part_bytes: int) -> int:
    """The number of ranges of a file: at most one per day, and one if its name has no month."""
    month = month_of(version.key.rpartition("/")[2])
    if month is None:
        return 1
    return min(monthrange(*month)[1], max(1, math.ceil(version.size / part_bytes)))


def day_ranges(versions: Sequence[FileVersion], part_bytes: int) -> tuple[int, str]:
    """The number of ranges of all files, and the SQL of a row's zero-based range.

    Days outside the month belong to its first or last range. Rows of other files are in the first range.
    """
    cases, first = [], 0
    for version in versions:
        count = range_count(version, part_bytes)
        owner = source_id(version.bucket, version.key)
        cases.append(f"WHEN '{owner}' THEN {_range(version, count, first)}")
        first += count
    return first, f"CAST(CASE source_id {' '.join(cases)} ELSE 0 END AS int)"


def _range(version: FileVersion, count: int, first: int) -> str:
    """The SQL of a row's range, where the ranges of its file begin with `first`."""
    month = month_of(version.key.rpartition("/")[2])
    if count == 1 or month is None:
        return str(first)
    year, number = month
    day = f"datediff(pickup_datetime, DATE '{year:04d}-{number:02d}-01')"
    return f"{first} + least(greatest({day} * {count} DIV {monthrange(*month)[1]}, 0), {count - 1})"
