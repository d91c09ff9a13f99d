"""Tests that both engines evaluate each expression alike, against literal expected values."""

# ruff: noqa: E501 (tables of values read best in one line each)

from datetime import datetime

import pytest

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import INSTANTS, INT96, Column, ColumnType, DateOrder, SourceColumn, SourceType
from taxi_etl.text_values import is_null, is_number, is_time
from taxi_etl.transform import expressions as sql

TEXT = SourceColumn("x", SourceType.TEXT)
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
    ("2024-1-1 1:02:03", datetime(2024, 1, 1, 1, 2, 3)), ("2024-01-01 3:04", datetime(2024, 1, 1, 3, 4)),
    ("2024-01-01 13:04", datetime(2024, 1, 1, 13, 4)), ("2024/01/02 03:04:05", datetime(2024, 1, 2, 3, 4, 5)),
    ("2024.1.2 3:04:05.25", datetime(2024, 1, 2, 3, 4, 5, 250_000)), ("2024-01-02 3:04:05 PM", datetime(2024, 1, 2, 15, 4, 5)),
    ("2024-01-01T01:02:03.000Z", datetime(2024, 1, 1, 1, 2, 3)), ("2024-01-01 01:02:03 UTC", datetime(2024, 1, 1, 1, 2, 3)),
    ("2024-01-01 01:02:03+00", datetime(2024, 1, 1, 1, 2, 3)), ("2024-01-01T01:02:03.123456+0000", datetime(2024, 1, 1, 1, 2, 3, 123_456)),
    ("2024-01-01 01:02:03.123456789 GMT", datetime(2024, 1, 1, 1, 2, 3, 123_456)), ("2024-01-01T1:02Z", datetime(2024, 1, 1, 1, 2)),
    ("2024-02-29 3:04", datetime(2024, 2, 29, 3, 4)), ("2024-1-1 3:04", datetime(2024, 1, 1, 3, 4)),
    ("2024/1/31 03:04", datetime(2024, 1, 31, 3, 4)), ("2024.10.1 3:04", datetime(2024, 10, 1, 3, 4)),
    ("2024-1-01 03:04:05.5", datetime(2024, 1, 1, 3, 4, 5, 500_000)), ("2024-01-1T13:04:05.123456789Z", datetime(2024, 1, 1, 13, 4, 5, 123_456)),
    ("2024/1/1T3:04Z", datetime(2024, 1, 1, 3, 4)), ("2024.1.1 12:04 AM", datetime(2024, 1, 1, 0, 4)),
    ("2024-1-1 3:04:05.5 PM", datetime(2024, 1, 1, 15, 4, 5, 500_000)), ("2024-1-1 3:04:05 +00:00", datetime(2024, 1, 1, 3, 4, 5)),
    ("2024-01-01 01:02:03 +0000 UTC", datetime(2024, 1, 1, 1, 2, 3)), ("2024-01-01T01:02:03Z[UTC]", datetime(2024, 1, 1, 1, 2, 3)),
    ("2024-01-01t01:02:03z", datetime(2024, 1, 1, 1, 2, 3)), ("2024-01-01 01:02:03 Etc/UTC", datetime(2024, 1, 1, 1, 2, 3)),
    ("2024-01-01t12:02:03 a.m.", datetime(2024, 1, 1, 0, 2, 3)), ("2024-01-01 01:02:03Z[EST]", None), ("2024-01-01 01:02:03 UTC+05", None),
    ("2024-13-1 3:04", None), ("2024-0-1 3:04", None), ("2024-001-1 3:04", None), ("2024-1/1 3:04", None), ("2024-1-1 24:00", None),
    ("2024-01-01", None), ("2024-01", None), ("2024-1-1 1:2:3", None), ("2024-01-01 24:00:00", None), ("2024-01-01 24:00", None),
    ("2024-02-30 00:00:00", None), ("2023-2-29 3:04", None), ("2024-01-01 00:00:60", None), ("2024-01-01 13:04:05 PM", None), ("2024-01-01 0:04:05 AM", None),
    ("2024-01-01 00:00:00-00:00", None), ("2024-01-01 00:00:00+05:00", None), ("2024-01-01 00:00:00-05", None), ("2024-01-01 00:00:00 EST", None),
    ("2024-01-01 00:00:00+00:00+00:00", None), ("2024-01-01+00:00", None), ("01/02/2024 00:00:00", None), ("2024-01/02 03:04:05", None),
    ("24-01-02 03:04:05", None), ("epoch", None), ("now", None), ("infinity", None), ("2024-01-01 00:00:00\n", None), ("2024-01-01 0:00:00\n", None),
]  # fmt: skip
MONTH_FIRST = [
    ("01/15/2019 03:04:05 PM", datetime(2019, 1, 15, 15, 4, 5)), ("01/15/2019 03:04:05 AM", datetime(2019, 1, 15, 3, 4, 5)),
    ("12/31/2019 12:00:00 AM", datetime(2019, 12, 31)), ("12/12/2019 12:12:12 PM", datetime(2019, 12, 12, 12, 12, 12)),
    ("1/5/2019 3:04", datetime(2019, 1, 5, 3, 4)), ("1/15/2019 15:04", datetime(2019, 1, 15, 15, 4)), ("1/5/2019 12:30am", datetime(2019, 1, 5, 0, 30)),
    ("01-15-2019 03:04:05", datetime(2019, 1, 15, 3, 4, 5)), ("1.15.2019 3:04:05.5", datetime(2019, 1, 15, 3, 4, 5, 500_000)),
    ("1/15/2019, 3:04:05 PM", datetime(2019, 1, 15, 15, 4, 5)), ("01/15/2019 03:04:05 UTC", datetime(2019, 1, 15, 3, 4, 5)),
    ("1/15/2019 12:04:05 p. m.", datetime(2019, 1, 15, 12, 4, 5)), ("1/15/2019 3:04 P.M.", datetime(2019, 1, 15, 15, 4)),
    ("1/15/2019, 3:04:05\u202fPM", datetime(2019, 1, 15, 15, 4, 5)), ("1/15/2019 3:04 p.m", None), ("1/15/2019 3:04 p .m.", None),
    ("2/29/2020 23:59:59", datetime(2020, 2, 29, 23, 59, 59)),
    ("15/01/2019 03:04:05", None), ("2019-01-15 03:04:05", None), ("2/30/2019 3:04", None), ("1/15/19 3:04", None), ("1/15/2019", None),
    ("1/15/2019 15:04:05 PM", None), ("1/15/2019 3:04:05 +05:00", None), ("0/15/2019 3:04", None), ("1/0/2019 3:04", None), ("1/15/2019 3", None),
]  # fmt: skip
DAY_FIRST = [
    ("15/01/2019 03:04:05", datetime(2019, 1, 15, 3, 4, 5)), ("5.1.2019 15:04", datetime(2019, 1, 5, 15, 4)), ("01/12/2019 3:04", datetime(2019, 12, 1, 3, 4)),
    ("31-12-2019 11:59:59 pm", datetime(2019, 12, 31, 23, 59, 59)), ("01/15/2019 03:04:05", None), ("2019-01-15 03:04:05", None), ("30/02/2019 3:04", None),
    ("15.01.2019 3 Uhr", None),
]  # fmt: skip
NULLS = [
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "\\N",
    "NULL",
    "null",
    "Null",
    "None",
    "none",
    "nan",
    "NaN",
    "<NA>",
    "NaT",
    "-",
    "n.a.",
    "#NA",
    "nil",
    "-nan",
    "(null)",
    "[NULL]",
    "<null>",
]
VALUES = ["0", "-1", "N", "Y", "NAN1", "nul", "no", "B02764", "na ", "--", ".", "(null", "[Null]", "missing"]


@pytest.mark.parametrize(
    "number",
    [sql.as_number("x", SourceType.TEXT), sql.as_number_mostly_whole("x", TEXT)],
    ids=["any", "mostly"],
)
def test_a_text_is_a_whole_number_only_where_it_says_one_in_range(engines, number):
    texts = [text for text, _ in WHOLE]
    found = engines.values("string", texts, sql.whole(f"({number})"))
    assert dict(zip(texts, found, strict=True)) == dict(WHOLE)


def test_blanks_around_numbers_and_times_mean_nothing(engines):
    whole = engines.values(
        "string", [" 5", "5  ", " -7 ", "\t5", "5\u00a0", " "], sql.as_number_mostly_whole("x", TEXT)
    )
    assert whole == [5.0, 5.0, -7.0, None, None, None]
    numbers = sql.as_number("x", SourceType.TEXT, ",", grouped=True)
    assert engines.values("string", [" 1,5 ", " 1.234,50 ", "1 ,5"], numbers) == [1.5, 1234.5, None]
    times = [" 2024-01-02 03:04:05.123456+00:00 ", "  2024-1-2 12:04 AM", "2024-01-02 03:04:05 UTC  "]
    assert engines.values("string", times, sql.as_timestamp("x")) == [
        datetime(2024, 1, 2, 3, 4, 5, 123_456), datetime(2024, 1, 2, 0, 4), datetime(2024, 1, 2, 3, 4, 5)
    ]  # fmt: skip
    noon = engines.values("string", [" 1/15/2019 12:04:05 PM "], sql.as_timestamp("x", DateOrder.MDY))
    assert noon == [datetime(2019, 1, 15, 12, 4, 5)]


def test_a_text_is_a_number_only_where_a_double_holds_it(engines):
    texts = [text for text, _ in NUMBERS]
    found = engines.values("string", texts, sql.finite(f"({sql.as_number('x', SourceType.TEXT)})"))
    assert dict(zip(texts, found, strict=True)) == dict(NUMBERS)


def test_a_text_is_a_time_only_with_date_and_time_of_day_and_no_other_zone(engines):
    texts = [text for text, _ in TIMES]
    found = engines.values("string", texts, sql.as_timestamp("x"))
    assert dict(zip(texts, found, strict=True)) == dict(TIMES)


@pytest.mark.parametrize(
    ("order", "times"), [(DateOrder.MDY, MONTH_FIRST), (DateOrder.DMY, DAY_FIRST)], ids=["mdy", "dmy"]
)
def test_a_text_with_the_year_last_is_a_time_in_the_order_of_its_column(engines, order, times):
    texts = [text for text, _ in times]
    found = engines.values("string", texts, sql.as_timestamp("x", order))
    assert dict(zip(texts, found, strict=True)) == dict(times)


@pytest.mark.parametrize("order", DateOrder)
def test_validation_reads_times_as_the_engines_do(order):
    times = {DateOrder.YMD: TIMES, DateOrder.MDY: MONTH_FIRST, DateOrder.DMY: DAY_FIRST}[order]
    impossible_days = {"2024-02-30 00:00:00", "2023-2-29 3:04", "2/30/2019 3:04", "30/02/2019 3:04"}
    read = {text: is_time(text, order) for text, _ in times}
    assert read == {text: time is not None or text in impossible_days for text, time in times}


def test_texts_of_other_tools_mean_null(engines):
    found = engines.values("string", [*NULLS, *VALUES, None], sql.is_null_token("x"))
    assert found == [True] * len(NULLS) + [False] * len(VALUES) + [None]
    assert [is_null(text) for text in NULLS] == [True] * len(NULLS)


GROUPED = [
    ("1,234.50", 1234.5), ("-1,234,567.8", -1234567.8), ("12.5", 12.5),
    ("1,234", None), ("1,23.50", None), (",234.5", None), ("1234,567.8", None), ("1.234,50", None), ("1,5", None),
]  # fmt: skip
DECIMAL_COMMA = [
    ("1,25", 1.25), ("-0,5", -0.5), ("7", 7.0), (",5", 0.5), ("1.234,50", 1234.5), ("1,5e3", 1500.0),
    ("1.25", None), ("1.234", None), ("1,234.50", None), ("1,2,3", None),
]  # fmt: skip


@pytest.mark.parametrize(("decimal", "numbers"), [(".", GROUPED), (",", DECIMAL_COMMA)])
def test_thousands_separators_count_only_where_they_cannot_be_decimal(engines, decimal, numbers):
    texts = [text for text, _ in numbers]
    number = sql.as_number("x", SourceType.TEXT, decimal, grouped=True)
    assert dict(zip(texts, engines.values("string", texts, number), strict=True)) == dict(numbers)
    assert [is_number(text, decimal) for text in texts] == [number is not None for _, number in numbers]


def test_a_decimal_that_no_double_holds_keeps_its_digits_as_text(engines):
    whole = SourceColumn("x", SourceType.DECIMAL, precision=38)
    texts = ["5", "-12345678901234567890", None]
    assert engines.values("decimal(38,0)", texts, sql.column_text("x", whole)) == texts
    parts = SourceColumn("x", SourceType.DECIMAL, precision=38, scale=9)
    texts = ["12345678901234567890.123456789", "17.840000000", "0.000000000", None]
    assert engines.values("decimal(38,9)", texts, sql.column_text("x", parts)) == [
        texts[0],
        "17.84",
        "0.0",
        None,
    ]
    short = SourceColumn("x", SourceType.DECIMAL, precision=4, scale=1)
    assert engines.values("decimal(4,1)", ["2.5"], sql.column_text("x", short)) == ["2.5"]


def test_negative_zero_is_stored_as_zero(engines):
    column = Column("c", ColumnType.DOUBLE, "")
    source = SourceColumn("c", SourceType.DOUBLE)
    found = engines.values("double", [-0.0, 0.0, -1.5, None], sql.typed(column, source, "x", "x"))
    assert [str(value) for value in found] == ["0.0", "0.0", "-1.5", "None"]
    number = f"({sql.as_number('x', SourceType.TEXT)})"
    texts = engines.values(
        "string", ["-0", "-0.00"], sql.typed(column, SourceColumn("c", SourceType.TEXT), "x", number)
    )
    assert [str(value) for value in texts] == ["0.0", "0.0"]


def test_a_double_is_a_whole_number_without_rounding(engines):
    values = [1.0, 1.5, -0.5, 2147483648.0, float("nan"), float("inf"), None]
    found = engines.values("double", values, sql.whole("x"))
    assert found == [1, None, None, None, None, None, None]


def test_blank_texts_and_nan_say_nothing_and_other_spaces_are_text(engines):
    found = engines.values(
        "string",
        ["", "  ", " a ", "  a", "a ", "a b", "\t", "\u00a0a", None],
        sql.non_blank("x", SourceType.TEXT),
    )
    assert found == [None, None, "a", "a", "a", "a b", "\t", "\u00a0a", None]
    numbers = engines.values(
        "double", [1.5, float("nan"), float("inf"), None], sql.non_blank("x", SourceType.DOUBLE)
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
        "string", ["CASH", "Cash", "CRD", "4", "zz", None], sql.typed(column, TEXT, "x", number)
    )
    assert found == [2, 2, 1, 4, None, None]


LABELS = {
    "payment_type": {
        "Credit card": 1, "CREDIT CARD": 1, "Cash": 2, "no charge": 3, "Dispute": 4, "Unknown": 5, "Voided trip": 6,
        "Flex Fare": 0, "flex fare trip": 0, "UNK": 5, "3": 3, "4.0": 4, "Bitcoin": None,
    },
    "rate_code_id": {
        "Standard rate": 1, "JFK": 2, "newark": 3, "Nassau or Westchester": 4, "NEGOTIATED FARE": 5, "Group ride": 6,
        "Null/unknown": 99, "99": 99, "Airport": None,
    },
    "vendor_id": {
        "Creative Mobile Technologies, LLC": 1, "VeriFone Inc.": 2, "CURB MOBILITY, LLC": 2,
        "Myle Technologies Inc": 6, "Helix": 7, "VTS": 2, "2": 2, "DDS": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_the_data_dictionary_are_codes_whatever_their_case(engines, name):
    [column] = [column for column in DATASETS["yellow"].columns if column.name == name]
    number = f"({sql.as_number('x', SourceType.TEXT)})"
    found = engines.values("string", list(LABELS[name]), sql.typed(column, TEXT, "x", number))
    assert dict(zip(LABELS[name], found, strict=True)) == LABELS[name]


def test_a_column_of_nulls_is_null_in_every_type(engines):
    for column_type in ColumnType:
        column = Column("c", column_type, "")
        assert engines.same(f"SELECT {sql.typed(column, SourceColumn('x', SourceType.NULL), 'x', 'x')}") == [
            (None,)
        ]


def test_a_map_leaves_nulls_out_and_may_be_empty(engines):
    entries = [("a'b\\", "x"), ("c", "CAST(NULL AS string)")]
    assert engines.values("string", ["1", None], sql.text_map(entries)) == [{"a'b\\": "1"}, {}]
    assert engines.same(f"SELECT {sql.text_map([])}") == [({},)]


UNITS = {
    "fixed_size_binary[16]": "bytes",
    "time32[ms]": "time",
    "time64[us]": "time",
    "duration[ns]": "duration",
    "timestamp[us, tz=UTC]": "instant",
    "timestamp[ns, tz=America/New_York]": "instant",
    INT96: "instant",
}
"""Arrow types that columns keep, since their source type does not say all."""


def test_source_types_come_from_arrow_types():
    type_names = {
        "int32": "integer", "int64": "integer", "uint8": "integer", "double": "double", "float": "double",
        "string": "string", "large_string": "string", "timestamp[us]": "timestamp", "timestamp[ms]": "timestamp",
        "null": "null", "bool": "boolean", "date32[day]": "date",
        "dictionary<values=string, indices=int32, ordered=0>": "string",
        "timestamp[s]": "timestamp", "timestamp[ns]": "nanoseconds", "decimal128(7, 3)": "decimal(7,3)",
        "uint64": "unsigned", "binary": "bytes", "large_binary": "bytes", "extension<arrow.uuid>": "uuid",
        "dictionary<values=decimal128(7, 3), indices=int32, ordered=0>": "decimal(7,3)",
        **{arrow: arrow for arrow in UNITS},
    }  # fmt: skip
    columns = {arrow: SourceColumn.of_arrow("x", arrow) for arrow in type_names}
    assert {arrow: column.type_name for arrow, column in columns.items()} == type_names
    read = set(SourceType) - {SourceType.TEXT, SourceType.UNSUPPORTED, *INSTANTS}
    assert {column.type for column in columns.values()} == read
    assert {arrow: str(columns[arrow].type) for arrow in UNITS} == UNITS
    for column in columns.values():
        assert SourceColumn.from_json(column.to_json()) == column


@pytest.mark.parametrize(
    "arrow", ["list<item: int64>", "decimal256(50, 3)", "halffloat", "time64[ns]", "extension<other>"]
)
def test_an_unsupported_type_keeps_its_name(arrow):
    column = SourceColumn.of_arrow("x", arrow)
    assert (column.type, column.type_name) == (SourceType.UNSUPPORTED, arrow)
    assert SourceColumn.from_json(column.to_json()) == column
