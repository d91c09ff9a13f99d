"""Does docs/data.md list every layout, each with tests that exist, and every lenient column?"""

import csv
import re
from pathlib import Path

import duckdb

from sample_data import VARIANTS
from taxi_etl.datasets import DATASETS
from taxi_etl.transform.predicates import Reason

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "data.md").read_text()
ROWS = {row[1]: row[0] for row in re.finditer(r"^\| ([A-Z][\w-]*) \|.*$", TEXT, re.MULTILINE)}
PUBLISHED = Path(__file__).parent / "expected" / "published_files.csv"
TESTS = {
    "V": set(VARIANTS),
    "M": {f"{variant.id}-{month}" for variant in VARIANTS.values() for month in variant.months},
    "P": {line["file"] for line in csv.DictReader(PUBLISHED.read_text().splitlines())},
}
"""The parameters of the three tests that the document calls by a letter."""


def test_every_layout_is_listed_with_its_tests():
    assert set(ROWS) == set(VARIANTS)
    listed = {layout: set(re.findall(r"`([VMP])\[([^\]]+)\]`", row)) for layout, row in ROWS.items()}
    assert {layout for layout, tests in listed.items() if ("V", layout) not in tests} == set()
    named = [test for tests in listed.values() for test in tests]
    assert {(letter, name) for letter, names in TESTS.items() for name in names} == set(named)
    assert len(named) == len(set(named)), "a test stands beside one layout"


def test_every_test_that_is_named_exists():
    folder = ROOT / "tests" / "transform"
    named = re.findall(r"`(?:tests/spark/)?(test_\w+\.py)::(test_\w+)`", TEXT)
    assert len(named) >= 7
    for file, function in named:
        path = next(path for path in (folder / file, ROOT / "tests" / "spark" / file) if path.is_file())
        assert f"def {function}(" in path.read_text(), f"{file} has no {function}"


def test_lenient_columns_and_reasons_are_told():
    for dataset in DATASETS.values():
        for column in dataset.columns:
            if column.lenient:
                assert f"`{dataset.table}.{column.name}`" in TEXT
                assert column.lenient in TEXT
    assert all(f"| `{reason}` |" in TEXT for reason in Reason)


def test_the_query_of_the_quarantine_runs_as_it_is_written():
    [query] = re.findall(r"```sql\n(.+?)```", TEXT, re.DOTALL)
    with duckdb.connect() as engine:
        engine.execute(
            "CREATE TABLE quarantined_trips AS SELECT * FROM (VALUES "
            "('a.csv', ['implausible_distance', 'unknown_location'], MAP {'trip_distance': '2500'}), "
            "('a.csv', ['unknown_location'], MAP {'fare': '1'})) AS rows(source_file, reasons, row_as_read)"
        )
        assert engine.execute(query).fetchall() == [
            ("a.csv", "unknown_location", 2, "2500"),
            ("a.csv", "implausible_distance", 1, "2500"),
        ]
