"""Forms of numbers, times and nulls in texts, shared by validation and the transform.

The patterns are written for Java, RE2 and Python, without anchors.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from taxi_etl.schema import DateOrder

NULL_TEXTS = ("-", "(null)", "(NULL)", "[null]", "[NULL]", "<null>", "<NULL>")
"""Texts that other tools write for null. Base numbers are as long, and lower() costs more than `=`."""
NULL_WORDS = (
    "na", "n/a", "n.a.", "#na", "#n/a", "<na>", "\\n", "nil", "null", "none", "nan", "-nan", "nat",
)  # fmt: skip
"""Further texts, here in lower case, that mean null in any case."""
NULL_WORD_LENGTHS = (min(map(len, NULL_WORDS)), max(map(len, NULL_WORDS)))

CONTROL_CHARACTERS = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
"""Bytes with one of them are not text."""

_EXPONENT = "([eE][+-]?[0-9]+)?"
NUMBER: Mapping[str, str] = {
    mark: f"[+-]?([0-9]+[{mark}]?[0-9]*|[{mark}][0-9]+){_EXPONENT}" for mark in (".", ",")
}
"""Numbers by their decimal separator."""
GROUPED_NUMBER: Mapping[str, str] = {
    mark: f"[+-]?[0-9]{{1,3}}([{group}][0-9]{{3}})+[{mark}][0-9]+" for mark, group in ((".", ","), (",", "."))
}
"""Numbers with thousands separators, by their decimal separator. Without a fraction, `1,234` could also be a
number with a decimal comma."""

_CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_CLOCK_OF_12_HOURS = (
    "(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?[ \u202f]?[AaPp]([Mm]|[.] ?[Mm][.])"
)
_ZERO_OFFSET = "( ?[+]00(:?00)?)?( ?(Z|z|UTC|utc|GMT|Etc/UTC)(\\[UTC\\])?)?"
"""Exports add a zero offset to New York's wall clock; it carries no information."""


def _date(first: str, last: str) -> str:
    return f"{first}(-[0-9]{{1,2}}-|/[0-9]{{1,2}}/|[.][0-9]{{1,2}}[.]){last}"


_YEAR_FIRST, _YEAR_LAST = _date("[0-9]{4}", "[0-9]{1,2}"), _date("[0-9]{1,2}", "[0-9]{4}")
TIME: Mapping[DateOrder, str] = {
    order: f"{date}(T|t|,? +)({_CLOCK}|{_CLOCK_OF_12_HOURS}){_ZERO_OFFSET}"
    for order, date in (
        (DateOrder.YMD, _YEAR_FIRST),
        (DateOrder.MDY, _YEAR_LAST),
        (DateOrder.DMY, _YEAR_LAST),
    )
}
"""Times by the order of their dates. The cast checks whether the date exists."""
_PARTS = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.]\d")
_PORTAL_TIME = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [AP]M")
"""Times as the city's open data portal writes them, with the month first."""


def is_null(text: str) -> bool:
    """Whether a text means null."""
    return text.strip(" ") in ("", *NULL_TEXTS) or text.strip(" ").lower() in NULL_WORDS


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number."""
    patterns = (NUMBER[decimal], GROUPED_NUMBER[decimal])
    return any(re.fullmatch(pattern, text.strip(" ")) for pattern in patterns)


def is_time(text: str, order: DateOrder) -> bool:
    """Whether a text is a time of this order."""
    text = text.strip(" ")
    return bool(re.fullmatch(TIME[order], text)) and _order_is_possible(text, order)


@dataclass(frozen=True)
class DateEvidence:
    """Evidence from a column's values about the order of their dates.

    `orders` counts values by the order that they prove; `undecided` is a value with the year last that fits
    both other orders, `examples` has a value of each proven order.
    """

    orders: Mapping[DateOrder, int]
    examples: Mapping[DateOrder, str]
    undecided: str = ""

    @classmethod
    def of(cls, values: Iterable[str]) -> "DateEvidence":
        """Gather the evidence of a column's values."""
        orders: dict[DateOrder, int] = {}
        examples: dict[DateOrder, str] = {}
        undecided = ""
        from_portal = True
        for text in (value.strip(" ") for value in values):
            possible = [order for order in DateOrder if is_time(text, order)]
            if len(possible) == 1:
                orders[possible[0]] = orders.get(possible[0], 0) + 1
                examples.setdefault(possible[0], text)
            elif possible:
                undecided = undecided or text
                from_portal = from_portal and bool(_PORTAL_TIME.fullmatch(text))
        proven = {DateOrder.MDY, DateOrder.DMY}.intersection(orders)
        if undecided and from_portal and not proven:
            orders[DateOrder.MDY], examples[DateOrder.MDY], undecided = 1, undecided, ""
        return cls(orders, examples, undecided)


def date_orders(columns: Mapping[str, Iterable[str]]) -> tuple[dict[str, DateOrder], str]:
    """Decide the order of dates for each column of a file from its first values.

    Returns the orders by column, and why they cannot be decided, or "". A column whose own values do not
    distinguish month from day has the order of the file's other columns.
    """
    found = {name: DateEvidence.of(values) for name, values in columns.items()}
    shared = {order for each in found.values() for order in each.orders} - {DateOrder.YMD}
    decided = {}
    for name, evidence in found.items():
        year_last = [order for order in evidence.orders if order is not DateOrder.YMD]
        if len(year_last) > 1:
            one, other = (evidence.examples[order] for order in (DateOrder.MDY, DateOrder.DMY))
            return (
                {},
                f"column {name!r} has dates with the month first and with the day first: {one!r}, {other!r}",
            )
        if evidence.undecided and not year_last and DateOrder.YMD not in evidence.orders:
            if len(shared) != 1:
                return {}, (
                    f"column {name!r} does not tell month from day, for example {evidence.undecided!r}; "
                    "write dates as YYYY-MM-DD"
                )
            decided[name] = next(iter(shared))
        else:
            decided[name] = max(evidence.orders, key=evidence.orders.__getitem__, default=DateOrder.YMD)
    return decided, ""


def _order_is_possible(text: str, order: DateOrder) -> bool:
    first, second = map(int, _PARTS.match(text).groups())  # type: ignore[union-attr]
    month, other = (first, second) if order is DateOrder.MDY else (second, first)
    return 1 <= month <= 12 and (order is DateOrder.YMD or 1 <= other <= 31)
