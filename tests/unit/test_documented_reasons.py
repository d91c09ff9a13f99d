"""Tests that documents and fixtures show only reasons, failure codes and warning codes that exist."""

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from taxi_etl.failures import FailureCode, WarningCode
from taxi_etl.transform.predicates import Reason

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".txt", ".json", ".md"}
FILES = [ROOT / "README.md", *(path for name in ("docs", "tests") for path in (ROOT / name).rglob("*"))]
COUNTS = re.compile(r'"?reasons"?\s*[:=]\s*(\{[^{}]*\})')
"""Rows by reason, in JSON or Python."""
COUNTED = re.compile(r'"([a-z_]+)"\s*:\s*\d')
CODE = re.compile(r'"code"\s*:\s*"([a-z_]+)"')


def reasons_in(text: str) -> set[str]:
    return {reason for counts in COUNTS.findall(text) for reason in COUNTED.findall(counts)}


def codes_in(text: str) -> set[str]:
    return set(CODE.findall(text))


@pytest.mark.parametrize(
    ("words_in", "known"), [(reasons_in, [*Reason]), (codes_in, [*FailureCode, *WarningCode])]
)
def test_every_reason_and_code_that_is_shown_exists(
    words_in: Callable[[str], set[str]], known: list[StrEnum]
) -> None:
    shown = {
        path.relative_to(ROOT).as_posix(): words
        for path in FILES
        if path.suffix in SUFFIXES and (words := words_in(path.read_text()))
    }
    assert "docs/notifications.md" in shown
    assert {path: sorted(words - set(known)) for path, words in shown.items() if words - set(known)} == {}
