"""Tests that documents show only reasons and codes that exist, and that the runbook has all of the codes."""

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from taxi_etl.failures import FailureCode, WarningCode
from taxi_etl.transform.predicates import Reason
from tests.fixtures.reported_cases import CASES, Loaded, Rejected

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


def test_the_runbook_says_what_to_do_about_every_code() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    section = text.split("\n## Files that did not load\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert sorted(code for code, _, _ in rows) == sorted([*FailureCode, *WarningCode])


ROW_OF_CASE = {
    "c01_portal_ampm": "open data portal",
    "c02_course_sample": "with its index",
    "c04_pandas_index": "with its index",
    "c05b_r_na_only": "with `NA`",
    "c06_null_NULL": "(`NULL`)",
    "c06_null_backslash_n": "`\\N`",
    "c08_bigquery_utc": "BigQuery",
    "c09_spark_z": "Spark (`…T…Z`)",
    "c10_excel_us": "`1/15/2019 3:04`",
    "c13_sep_line": "`sep=,`",
    "c15_write_csv2": "`write.csv2`",
    "c16b_thousands_unquoted": "thousands separators",
    "c17_thousands_quoted": "thousands separators",
    "c20_payment_words": "`Credit card`",
    "c20b_payment_credit_card_caps": "`CASH`",
    "c22_latin1_in_body": "Latin-1",
    "c31_no_header": "without a header",
    "c39_one_digit_hour": "`3:04:05`",
    "c44_cut_in_last_row": "cut off: CSV in its last line",
    "c44d_short_row_amid": "fields missing",
    "c49_spaces_in_names": "`Vendor ID`",
    "c50_dlt_names": "`pu_location_id`",
    "c55_sink_date_in_name": "`2026-11-27-495496-0.csv`",
    "p01_airport_fee_twice": "`Airport_fee`",
    "p02c_list_column": "nested columns",
    "p03_uint64_extra": "hashes",
    "p03b_uint64_core": "unsigned numbers",
    "p05b_binary_text_only": "without the UTF-8 mark",
    "p07_brotli": "Brotli",
    "p09_duckdb_v2": "DuckDB with version 2",
    "p15_partitioned": "partitioned folders",
    "p50_dlt_names": "`pu_location_id`",
    "q05_pandas_timedelta": "durations",
}
"""Words of the row in docs/data.md that covers each reported file."""


def test_the_table_of_files_has_a_row_for_each_reported_file_with_its_outcome() -> None:
    text = (ROOT / "docs" / "data.md").read_text()
    section = text.split("\n## What you have, and what happens\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (.+) \| (.+) \|$", section, re.MULTILINE))
    assert set(ROW_OF_CASE) == set(CASES)
    for name, words in ROW_OF_CASE.items():
        [ending] = [ends for having, ends in rows.items() if words in having]
        outcome = CASES[name].outcome
        expected = {outcome.code} if isinstance(outcome, Rejected) else {"load"}
        if isinstance(outcome, Loaded):
            expected |= {reason for reason, _ in outcome.quarantined}
        assert [word for word in expected if word not in ending] == [], name
