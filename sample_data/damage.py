"""Damage to the rows of a sample file, with exact counts that tests can rely on.

Every damaged row has exactly one of the reasons for which the job quarantines rows. The columns of a file
decide which reasons are possible: without zones there is no unknown zone, and a column that has the type of
the table has no unparseable value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sample_data.variants import Column

_NUMBERS = ("fare", "passengers", "pickup_zone")
"""Contents that can get an unparseable value, in order of preference; every dataset has one of them."""
_WHOLE_NUMBERS = ("passengers", "payment", "rate", "pickup_zone")
"""Whole numbers that some Parquet files store as doubles or text, which allow other values."""


@dataclass(frozen=True)
class Damage:
    """One way to damage a row: the contents it needs, and the SQL of the damaged value by content.

    `nth` in the SQL is the number of the damaged row in its file, from 0; it varies the damage.
    """

    needs: frozenset[str]
    becomes: Mapping[str, str]


# 2003 is before the first published file and more than a year away from any of their months.
_IN_2003 = "timestamp '2003-06-01 12:00:00' + to_seconds(nth % 1000000)"

DAMAGES: Mapping[str, Damage] = {
    "missing_datetime": Damage(frozenset({"pickup"}), {"pickup": "null"}),
    "negative_duration": Damage(
        frozenset({"pickup", "dropoff"}), {"dropoff": "pickup - to_seconds(60 + nth % 7200)"}
    ),
    "pickup_out_of_range": Damage(
        frozenset({"pickup"}), {"pickup": _IN_2003, "dropoff": f"{_IN_2003} + to_seconds(seconds)"}
    ),
    "implausible_distance": Damage(
        frozenset({"distance"}), {"distance": "case when nth % 2 = 0 then 205654.12 else -1.5 end"}
    ),
    "unknown_location": Damage(
        frozenset({"pickup_zone"}), {"pickup_zone": "case when nth % 2 = 0 then 266 else 0 end"}
    ),
}
REASONS = ("unparseable", *DAMAGES)


def unparseable_column(columns: Sequence[Column]) -> Column | None:
    """Return the column that can hold a value outside the table's type, or None."""
    is_csv = not columns[0].type
    types = {""} if is_csv else {"double", "string", "large_string"}
    fitting = {column.content: column for column in columns if column.type in types}
    return next(
        (fitting[content] for content in (_NUMBERS if is_csv else _WHOLE_NUMBERS) if content in fitting),
        None,
    )


def unparseable_value(column: Column) -> str:
    """Return SQL of a value that is not a number (text) or not a whole number (double)."""
    return "1.5" if column.type == "double" else "'abc'"


def possible(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the reasons for which rows of such a file can be damaged, in the order of `REASONS`."""
    contents = {column.content for column in columns}
    found = [reason for reason, damage in DAMAGES.items() if damage.needs <= contents]
    return ("unparseable", *found) if unparseable_column(columns) else tuple(found)


@dataclass(frozen=True)
class Plan:
    """The damaged rows of a file: `dirty` of `rows`, spread evenly, with the reasons in rotation."""

    rows: int
    dirty: int
    reasons: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return the number of damaged rows by reason, without reasons that have none."""
        turns, rest = divmod(self.dirty, len(self.reasons)) if self.reasons else (0, 0)
        counts = {reason: turns + (turn < rest) for turn, reason in enumerate(self.reasons)}
        return {reason: count for reason, count in counts.items() if count}

    def nth(self) -> str:
        """Return SQL of the number of row `i` among the damaged rows, from 0; null for a clean row.

        Row i is damaged if floor(i * dirty / rows) differs from the next row's; that happens `dirty` times.
        """
        if not self.dirty:
            return "null::bigint"
        before, after = (f"({row} * {self.dirty} // {self.rows})" for row in ("i", "(i + 1)"))
        return f"case when {after} > {before} then {before} end"

    def reason(self) -> str:
        """Return SQL of the reason of damaged row `nth`; null for a clean row."""
        return f"{list(self.reasons)!r}[1 + nth % {len(self.reasons)}]" if self.dirty else "null::varchar"


def plan(columns: Sequence[Column], rows: int, dirty_share: float, reasons: Sequence[str] | None) -> Plan:
    """Plan the damage of a file; `reasons` limits it to these reasons, None allows all that are possible.

    Raises ValueError for a share outside 0..1 and for a reason that is unknown or impossible here.
    """
    if not 0 <= dirty_share <= 1:
        raise ValueError(f"the dirty share is {dirty_share}; it must be between 0 and 1")
    allowed = possible(columns)
    wrong = [reason for reason in reasons or () if reason not in allowed]
    if wrong:
        raise ValueError(
            f"files with these columns cannot have {', '.join(wrong)}; choose from {', '.join(allowed)}"
        )
    chosen = tuple(reason for reason in REASONS if reason in (reasons or allowed))
    return Plan(rows, round(rows * dirty_share), chosen)


def damaged(content: str, clean: str) -> str:
    """Return SQL of a content: the damaged value for the row's reason, else `clean`."""
    cases = " ".join(
        f"when '{reason}' then {damage.becomes[content]}"
        for reason, damage in DAMAGES.items()
        if content in damage.becomes
    )
    return f"case reason {cases} else {clean} end" if cases else clean
