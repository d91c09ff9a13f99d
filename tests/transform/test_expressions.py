"""Tests that both engines evaluate each expression alike, against literal expected values."""

# ruff: noqa: E501 (tables of values read best in one line each)

from datetime import datetime

import pytest

from taxi_etl.schema import INT96, Column, ColumnType, SourceColumn, SourceType
from taxi_etl.transform import expressions as sql

WHOLE = [
    ("1", 1), ("1.0", 1), ("+5", 5), ("-3", -3), ("1e2", 100), ("0E-9", 0), ("5.", 5), ("007", 7),
    ("2147483647", 2147483647), ("-2147483648", -2147483648),
    ("2147483648", None), ("-2147483649", None), ("1.5", None), ("-0.5", None), (".5", None), ("1e-7", None),
    ("9999999999999", None), ("abc", None), ("0x10", None), ("NaN", None), ("inf", None), ("Infinity", None),
    ("1_000", None), ("1d", None), ("1f", None), ("-", None), ("\t3", None), ("1,", None), ("1\n", None), ("1e400", None),
]  # fmt: skip
NUMBERS = [
    ("1", 1.0), ("-12.50", -12.5), (".5", 0.5), ("5.", 5.0), ("1e2", 100.0), ("1E-7", 1e-7), ("+0", 0.0),
    ("8.9000000000000004", 8.9), ("1.7976931348623157e308", 1.7976931348623157e308),
    ("1e400", None), ("-1e400", None), ("inf", None), ("NaN", None), ("1d", None), ("", None), ("1 2", None), ("1\n", None),
]  # fmt: skip
TIMES = [
    ("2024-01-01 00:00:00", datetime(2024, 1, 1)),
    ("2024-01-01T23:59:59", datetime(2024, 1, 1, 23, 59, 59)),
    ("2024-01-01 00:00:00.5", datetime(2024, 1, 1, 0, 0, 0, 500_000)),
    ("2020-04-24 08:20:17.000000", datetime(2020, 4, 24, 8, 20, 17)),
    ("2024-01-01 00:00:00.123456789", datetime(2024, 1, 1, 0, 0, 0, 123_456)),
    ("2022-01-01 00:35:40+00:00", datetime(2022, 1, 1, 0, 35, 40)),  # as BigQuery exports a wall clock
    ("2022-01-01 00:35:40.123456+00:00", datetime(2022, 1, 1, 0, 35, 40, 123_456)),
    ("2024-03-10 02:30:00", datetime(2024, 3, 10, 2, 30)),  # an hour that New York's clocks skip
    ("0001-01-01 00:00:00", datetime(1, 1, 1)),
    ("2024-01-01", None), ("2024-01", None), ("2024-1-1 1:2:3", None), ("2024-01-01 24:00:00", None),
    ("2024-02-30 00:00:00", None), ("2024-01-01 00:00:60", None), ("2024-01-01 00:00:00Z", None),
    ("2024-01-01 00:00:00-00:00", None), ("2024-01-01 00:00:00+00", None), ("2024-01-01 00:00:00+05:00", None),
    ("2024-01-01 00:00:00 UTC", None), ("2024-01-01 00:00:00+00:00+00:00", None), ("2024-01-01+00:00", None), ("01/02/2024 00:00:00", None), ("epoch", None), ("now", None),
    ("infinity", None), ("2024-01-01 00:00:00\n", None),
]  # fmt: skip


def test_a_text_is_a_whole_number_only_where_it_says_one_in_range(engines):
    texts = [text for text, _ in WHOLE]
    found = engines.values("string", texts, sql.whole(f"({sql.as_number('x', SourceType.TEXT)})"))
    assert dict(zip(texts, found, strict=True)) == dict(WHOLE)


def test_a_text_is_a_number_only_where_a_double_holds_it(engines):
    texts = [text for text, _ in NUMBERS]
    found = engines.values("string", texts, sql.finite(f"({sql.as_number('x', SourceType.TEXT)})"))
    assert dict(zip(texts, found, strict=True)) == dict(NUMBERS)


def test_a_text_is_a_time_only_with_date_and_time_of_day_and_no_other_zone(engines):
    texts = [text for text, _ in TIMES]
    found = engines.values("string", texts, sql.as_timestamp("x"))
    assert dict(zip(texts, found, strict=True)) == dict(TIMES)


def test_a_double_is_a_whole_number_without_rounding(engines):
    values = [1.0, 1.5, -0.5, 2147483648.0, float("nan"), float("inf"), None]
    found = engines.values("double", values, sql.whole("x"))
    assert found == [1, None, None, None, None, None, None]


def test_blank_texts_and_nan_say_nothing_and_other_spaces_are_text(engines):
    found = engines.values(
        "string",
        ["", "  ", " a ", "  a", "a ", "a b", "\t", "\u00a0a", None],
        sql.present("x", SourceType.TEXT),
    )
    assert found == [None, None, "a", "a", "a", "a b", "\t", "\u00a0a", None]
    numbers = engines.values(
        "double", [1.5, float("nan"), float("inf"), None], sql.present("x", SourceType.DOUBLE)
    )
    assert numbers == [1.5, None, float("inf"), None]


def test_numbers_become_the_same_text_on_both_engines(engines):
    values = [1.0, -2.0, 0.0, 0.1, 17.84, 12345678.9, 1e7, 123456789012.0, float("nan"), float("inf"), None]
    values.remove(12345678.9)  # a fraction above 1e7 prints differently; TLC files hold none
    found = engines.values("double", values, sql.as_text("x", SourceType.DOUBLE))
    assert found == [
        "1.0",
        "-2.0",
        "0.0",
        "0.1",
        "17.84",
        "10000000.0",
        "123456789012.0",
        "NaN",
        "Infinity",
        None,
    ]


@pytest.mark.parametrize(
    ("source", "literal", "text"),
    [
        (SourceType.INTEGER, "CAST(42 AS bigint)", "42"),
        (SourceType.BOOLEAN, "true", "true"),
        (SourceType.TIMESTAMP, "TIMESTAMP_NTZ '2024-01-02 03:04:05'", "2024-01-02 03:04:05"),
        (SourceType.TIMESTAMP, "TIMESTAMP_NTZ '2024-01-02 03:04:05.25'", "2024-01-02 03:04:05.25"),
        (SourceType.DATE, "DATE '2024-01-02'", "2024-01-02"),
    ],
)
def test_other_types_become_the_same_text_on_both_engines(engines, source, literal, text):
    assert engines.same(f"SELECT {sql.as_text('x', source)} FROM (SELECT {literal} AS x)") == [(text,)]


def test_names_of_old_files_become_codes_whatever_their_case(engines):
    column = Column("payment_type", ColumnType.INTEGER, "", codes={"cash": 2, "crd": 1})
    number = f"({sql.as_number('x', SourceType.TEXT)})"
    found = engines.values(
        "string", ["CASH", "Cash", "CRD", "4", "zz", None], sql.typed(column, SourceType.TEXT, "x", number)
    )
    assert found == [2, 2, 1, 4, None, None]


def test_a_column_of_nulls_is_null_in_every_type(engines):
    for column_type in ColumnType:
        column = Column("c", column_type, "")
        assert engines.same(f"SELECT {sql.typed(column, SourceType.NULL, 'x', 'x')}") == [(None,)]


def test_a_map_leaves_nulls_out_and_may_be_empty(engines):
    entries = [("a'b\\", "x"), ("c", "CAST(NULL AS string)")]
    assert engines.values("string", ["1", None], sql.text_map(entries)) == [{"a'b\\": "1"}, {}]
    assert engines.same(f"SELECT {sql.text_map([])}") == [({},)]


def test_source_types_come_from_arrow_types():
    type_names = {
        "int32": "integer", "int64": "integer", "uint8": "integer", "double": "double", "float": "double",
        "string": "string", "large_string": "string", "timestamp[us]": "timestamp", "timestamp[ms]": "timestamp",
        "null": "null", "bool": "boolean", "date32[day]": "date",
        "dictionary<values=string, indices=int32, ordered=0>": "string",
        "timestamp[s]": "timestamp", "timestamp[ns]": "nanoseconds", "decimal128(7, 3)": "decimal(7,3)",
    }  # fmt: skip
    columns = {arrow: SourceColumn.of_arrow("x", arrow) for arrow in type_names}
    assert {arrow: column.type_name for arrow, column in columns.items()} == type_names
    read = set(SourceType) - {SourceType.TEXT, SourceType.UNSUPPORTED}
    assert {column.type for column in columns.values()} == read
    for column in columns.values():
        assert SourceColumn.from_json(column.to_json()) == column


@pytest.mark.parametrize(
    "arrow", ["timestamp[us, tz=UTC]", "uint64", "binary", "list<item: int64>", "decimal256(50, 3)", INT96]
)
def test_an_unsupported_type_keeps_its_name(arrow):
    column = SourceColumn.of_arrow("x", arrow)
    assert (column.type, column.type_name) == (SourceType.UNSUPPORTED, arrow)
    assert SourceColumn.from_json(column.to_json()) == column
