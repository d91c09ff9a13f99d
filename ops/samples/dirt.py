"""Which rows of a sample are damaged, and how? The counts follow from arithmetic, so tests can rely on them.

Every damaged row has exactly one of the reasons for which the job quarantines rows. Which reasons a file can
hold depends on its columns: a file without zones has no unknown zone, a typed column no unparseable value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.samples.variants import Column

_TIMES = ("pickup", "dropoff")
_NUMBERS = ("fare", "passengers", "pickup_zone")
"""What gets an unparseable value, by preference: any table has one of them."""
_WHOLE_NUMBERS = ("passengers", "payment", "rate", "pickup_zone")
"""Whole numbers that some Parquet files store as doubles or text, which can hold what is no whole number."""


@dataclass(frozen=True)
class Damage:
    """One way to damage a row: which contents it needs, and what it makes of them (SQL by content).

    `nth` in the SQL numbers the damaged rows of a file from 0, to vary the damage.
    """

    needs: frozenset[str]
    becomes: Mapping[str, str]


# Whatever the month, 2003 is more than a year away from it and before the first published file.
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
    """The column in which a file can hold a value that the table's type cannot; None if there is none."""
    is_csv = not columns[0].type
    types = {""} if is_csv else {"double", "string", "large_string"}
    fitting = {column.holds: column for column in columns if column.type in types}
    return next(
        (fitting[holds] for holds in (_NUMBERS if is_csv else _WHOLE_NUMBERS) if holds in fitting), None
    )


def unparseable_value(column: Column) -> str:
    """SQL of a value that is no number (text), or no whole number (double)."""
    return "1.5" if column.type == "double" else "'abc'"


def possible(columns: Sequence[Column]) -> tuple[str, ...]:
    """The reasons for which rows of such a file can be damaged, in the order of `REASONS`."""
    held = {column.holds for column in columns}
    found = [reason for reason, damage in DAMAGES.items() if damage.needs <= held]
    return ("unparseable", *found) if unparseable_column(columns) else tuple(found)


@dataclass(frozen=True)
class Plan:
    """Which rows of a file are damaged: `dirty` of `rows`, spread evenly, the reasons taking turns."""

    rows: int
    dirty: int
    reasons: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Damaged rows by reason; a reason without any is left out."""
        turns, rest = divmod(self.dirty, len(self.reasons)) if self.reasons else (0, 0)
        counts = {reason: turns + (turn < rest) for turn, reason in enumerate(self.reasons)}
        return {reason: count for reason, count in counts.items() if count}

    def nth(self) -> str:
        """SQL: the number of the damaged row that row `i` is, from 0; null for a clean row.

        Row i is damaged when i * dirty / rows, rounded down, grows with it: `dirty` times in all.
        """
        if not self.dirty:
            return "null::bigint"
        before, after = (f"({row} * {self.dirty} // {self.rows})" for row in ("i", "(i + 1)"))
        return f"case when {after} > {before} then {before} end"

    def reason(self) -> str:
        """SQL: the reason that belongs to `nth`, null for a clean row."""
        return f"{list(self.reasons)!r}[1 + nth % {len(self.reasons)}]" if self.dirty else "null::varchar"


def plan(columns: Sequence[Column], rows: int, dirty_share: float, reasons: Sequence[str] | None) -> Plan:
    """The plan for a file: `reasons` are those that may be used, None for all that the columns allow.

    Raises ValueError for a share outside 0..1, an unknown reason, or one that these columns cannot show.
    """
    if not 0 <= dirty_share <= 1:
        raise ValueError(f"dirty share is {dirty_share}; it must be between 0 and 1")
    allowed = possible(columns)
    wrong = [reason for reason in reasons or () if reason not in allowed]
    if wrong:
        raise ValueError(f"these columns cannot show {', '.join(wrong)}, only {', '.join(allowed)}")
    chosen = tuple(reason for reason in REASONS if reason in (reasons or allowed))
    return Plan(rows, round(rows * dirty_share), chosen)


def damaged(content: str, clean: str) -> str:
    """SQL of a content with the damage that the row's reason does to it."""
    cases = " ".join(
        f"when '{reason}' then {damage.becomes[content]}"
        for reason, damage in DAMAGES.items()
        if content in damage.becomes
    )
    return f"case reason {cases} else {clean} end" if cases else clean
