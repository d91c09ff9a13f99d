"""Rules for the values of one month: days without trips, and distances or fares in another unit.

They need no other month: every day has trips, and mean distances and fares change slowly. `docs/data.md`
states how often these rules would have fired on the TLC's files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from taxi_etl.coverage import month_text
from taxi_etl.datasets import PICKUP
from taxi_etl.schema import Dataset

TRIPS_MIN = 1_000
"""Minimum number of trips of a checked file, and of values of a checked column."""
VALUE_MAX = 1_000
"""Means count larger values as this one, and negative ones as zero, so that outliers do not distort them."""
USUAL_MILES = (0.8, 16.0)
USUAL_FARE_USD = (3.0, 75.0)
"""Limits for the mean of a month; ten times a usual mean, or a tenth of it, is outside of them."""
LISTED_DAYS_MAX = 5
SAMPLED_FROM = 200_000
"""In files with more trips, only those in the first six seconds of each minute count."""


@dataclass(frozen=True)
class DayTotals:
    """The trips of a day; `sums` has the number of values and their sum for each of `measured_columns`."""

    day: date
    trips: int
    sums: tuple[tuple[int, float], ...]

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Self:
        """Convert a row of the query with the columns `day_totals`."""
        day, trips, *rest = row
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return cls(
            date.fromisoformat(str(day)),
            int(trips),
            tuple((int(count), float(total or 0)) for count, total in pairs),
        )


def measured_columns(dataset: Dataset) -> tuple[str, ...]:
    """The columns whose means are checked."""
    return (*dataset.distances, *dataset.fares)


def day_totals(dataset: Dataset) -> list[str]:
    """The SQL expressions of `DayTotals` for a dataset's table; group by the first one."""
    sums = [
        text
        for column in measured_columns(dataset)
        for text in (f"count({column})", f"sum(least(greatest({column}, 0D), {VALUE_MAX}D))")
    ]
    return [f"CAST({PICKUP} AS date)", "count(*)", *sums]


def counted_rows(trips: int) -> str:
    """The SQL condition for the rows that count, in a file with this many trips.

    In a large file, a tenth of the trips gives the same answer, and takes far less time.
    """
    return "true" if trips <= SAMPLED_FROM else f"second({PICKUP}) < 6"


def unusual_values(dataset: Dataset, month: int, days: Sequence[DayTotals]) -> list[str]:
    """Return the findings about a file of this month, such as 202401, as sentences about it."""
    if sum(each.trips for each in days) < TRIPS_MIN:
        return []
    return [*_missing_days(month, days), *_unusual_means(dataset, days)]


def _missing_days(month: int, days: Sequence[DayTotals]) -> list[str]:
    """Days between the first and the last one with trips: the first days of a month may be a sample."""
    seen = {each.day.day for each in days if 100 * each.day.year + each.day.month == month}
    missing = [day for day in range(min(seen, default=0), max(seen, default=0)) if day not in seen]
    if not missing:
        return []
    listed = ", ".join(f"{month_text(divmod(month, 100))}-{day:02d}" for day in missing[:LISTED_DAYS_MAX])
    more = len(missing) - LISTED_DAYS_MAX
    return [
        f"has no trips on {listed}{f' and {more} more days' if more > 0 else ''}, but before and after; "
        "compare it with its source, and upload it again if trips are missing"
    ]


def _unusual_means(dataset: Dataset, days: Sequence[DayTotals]) -> list[str]:
    found = []
    for place, column in enumerate(measured_columns(dataset)):
        values = sum(each.sums[place][0] for each in days)
        low, high = USUAL_MILES if column in dataset.distances else USUAL_FARE_USD
        mean = sum(each.sums[place][1] for each in days) / values if values >= TRIPS_MIN else low
        if not low <= mean <= high:
            found.append(
                f"has a mean {column} of {mean:,.2f}, but months usually have {low:g} to {high:g}; "
                "check for another unit, such as meters or cents, and upload the file again in miles and "
                "dollars"
            )
    return found
