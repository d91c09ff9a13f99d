"""Tests of docs/data.md: it lists every layout, lenient column and reason, and its query runs."""

import re
from pathlib import Path

import duckdb

from sample_data import VARIANTS
from taxi_etl.datasets import DATASETS
from taxi_etl.transform.predicates import Reason

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()


def test_every_layout_is_listed_once():
    assert sorted(re.findall(r"^\| ([A-Z][\w-]*) \| \w+ (?:csv|parquet), ", TEXT, re.MULTILINE)) == sorted(
        VARIANTS
    )


def test_lenient_columns_and_reasons_are_listed():
    lenient = [
        (f"`{dataset.table}.{column.name}`", column.lenient)
        for dataset in DATASETS.values()
        for column in dataset.columns
        if column.lenient
    ]
    assert lenient
    assert [column for column, reason in lenient if column not in TEXT or reason not in TEXT] == []
    quarantine = TEXT.split("## Quarantine")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", quarantine, re.MULTILINE) == list(Reason)


def test_the_query_of_the_quarantine_runs_as_documented():
    [query] = re.findall(r"```sql\n(.+?)```", TEXT, re.DOTALL)
    with duckdb.connect() as engine:
        engine.execute(
            "CREATE TABLE quarantined_trips AS SELECT * FROM (VALUES "
            "('a.csv', ['implausible_distance', 'unknown_location'], MAP {'trip_distance': '2500'}, NULL), "
            "('a.csv', ['unknown_location'], MAP {'fare': '1'}, NULL), "
            "('b.csv', ['unparseable'], MAP {'fare': 'x'}, 'too_many_quarantined')) "
            "AS rows(source_file, reasons, row_as_read, file_failure)"
        )
        assert engine.execute(query).fetchall() == [
            ("a.csv", "unknown_location", 2, "2500"),
            ("a.csv", "implausible_distance", 1, "2500"),
        ]
