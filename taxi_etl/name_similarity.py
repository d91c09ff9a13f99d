"""Similarity of column names: misspelled, rearranged, shortened and extended names."""

import re
from collections.abc import Mapping

from taxi_etl.schema import comparable

SHORTEST = 5
"""Minimum length of names that are compared by their letters; many shorter words differ in one letter."""
SHORTEST_PLURAL = 3
LONG = 8
"""Minimum length of names that may differ in two letters; shorter ones may differ in one."""
EQUIVALENT: Mapping[str, str] = {
    **dict.fromkeys(("amt", "charge", "cost", "fee", "surcharge", "tax"), "amount"),
    **dict.fromkeys(("code", "num", "number"), "id"),
    **dict.fromkeys(("datetime", "timestamp", "ts", "at", "duration"), "time"),
    **dict.fromkeys(("dist", "mile"), "distance"),
    **dict.fromkeys(("lon", "lng", "long"), "longitude"),
    "lat": "latitude",
    "loc": "location",
    "pay": "payment",
    "method": "type",
    "pax": "passenger",
    "gratuity": "tip",
}
"""Words that names use for each other, all in the singular."""
COMMON_WORDS = frozenset(
    {
        "id", "trip", "type", "amount", "flag", "count", "pickup", "dropoff", "pu", "do", "date", "time",
        "location", "zone", "base", "license", "extra", "total",
    }
)  # fmt: skip
"""Words that several columns share; such a word alone does not identify a column."""
UNITS = frozenset({"usd", "dollar", "cent", "mi", "km", "minute", "second"})
"""Words that add a unit to a name."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_similar(name: str, known: str) -> bool:
    """Whether a name could be another spelling of a known one.

    It differs in few letters, has the same or equivalent words in another order, or lacks or adds some words.
    """
    return _differ_little(comparable(name), comparable(known)) or have_similar_words(name, known)


def have_similar_words(name: str, known: str) -> bool:
    """Whether a name has a known name's words, give or take units and a few words."""
    return _share_words(_words(name) - UNITS, _words(known))


def _differ_little(name: str, known: str) -> bool:
    shorter = min(len(name), len(known))
    return shorter >= SHORTEST and edit_distance(name, known) <= (2 if shorter >= LONG else 1)


def _share_words(name: frozenset[str], known: frozenset[str]) -> bool:
    if name == known:
        return True
    if known < name and len(known) == 1:
        return name - known <= COMMON_WORDS
    return (name < known or known < name) and bool((name & known) - COMMON_WORDS)


def _words(name: str) -> frozenset[str]:
    words = (word.lower() for word in _WORD.findall(name))
    singular = (word.removesuffix("s") if len(word) > SHORTEST_PLURAL else word for word in words)
    return frozenset(EQUIVALENT.get(word, word) for word in singular)


def edit_distance(one: str, other: str) -> int:
    """The number of letters to insert, delete or replace to turn one text into the other."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        left, row[0] = row[0], place
        for column, other_letter in enumerate(other, start=1):
            left, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, left + (letter != other_letter)),
            )
    return row[-1]
