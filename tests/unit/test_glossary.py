"""Tests that the concepts of the glossary have one name each, in code and prose."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

TERMS = {
    "closers?": "finalizer",
    "sweep(?:s|ing|er)?": "reconciler",
    "headway": "stall watchdog",
    "patience": "stall timeout",
    "care": "table maintenance",
    "rights": "permissions",
    "catalogues?": "catalog",
    "stand-?ins?": "fake",
    "setbacks?": "error scenario",
    "journeys?": "path scenario",
    "(?:un)?told": "notified, reported",
}
"""Names that are not used, as patterns, with the term of the glossary."""

FIXED = re.compile(
    r"""["'](?:[Ss]weep|Closer)["']|\bCloser/\w+|sweep_interval_minutes|(?i:sweep_after_(?:minutes|seconds))|\bsweep\.json"""
    r"""|"closer, dead letters"|_dlq_sweep|taxi-etl care|" ?care ?"|test_care_is_a_deprecated_name"""
)
"""Names that cannot change: construct ids, settings, JSON keys, emulator names, a command's old name."""

FOLDERS = [
    *(path.parent.name for path in ROOT.glob("*/__init__.py")),
    *("docs", "tests", ".ci", ".github"),
]
SUFFIXES = {".py", ".md", ".toml", ".yml", ".in", ".mjs", ""}


def sources() -> list[Path]:
    """Return the files of code and prose."""
    found = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in SUFFIXES]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix in SUFFIXES]
    return [path for path in found if path != Path(__file__) and path.name != "LICENSE"]


@pytest.mark.parametrize("name", TERMS)
def test_a_concept_has_no_second_name(name: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z]){name}(?![A-Za-z])", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(FIXED.sub("", line))
    ]
    assert found == [], f"write {TERMS[name]}"


def test_the_check_sees_code_tests_and_pages() -> None:
    seen = {str(path.relative_to(ROOT)) for path in sources()}
    assert {
        "taxi_etl/ledger.py",
        "tests/conftest.py",
        "docs/data.md",
        "README.md",
        "Makefile",
        ".ci/run",
    } <= seen
