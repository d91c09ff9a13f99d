"""Tests of the forms of values that a CSV file's first rows decide."""

import pytest

from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode
from taxi_etl.first_values import inspect_first_values, unreadable_folders
from taxi_etl.schema import DateOrder, SourceColumn, text_columns

NAMES = ("tpep_pickup_datetime", "tpep_dropoff_datetime", "fare_amount")
YELLOW = DATASETS["yellow"]


def test_forms_are_recorded_on_the_columns_and_survive_the_manifest() -> None:
    rows = [("15/01/2019 3:04", "15/01/2019 3:14", "8,50")]
    columns, failures = inspect_first_values(YELLOW, text_columns(NAMES), rows, decimal=",")
    assert failures == ()
    assert [column.date_order for column in columns] == [DateOrder.DMY, DateOrder.DMY, DateOrder.YMD]
    assert {column.decimal for column in columns} == {","}
    assert tuple(SourceColumn.from_json(column.to_json()) for column in columns) == columns


def test_usual_forms_leave_the_columns_as_they_are() -> None:
    columns = text_columns(NAMES)
    assert inspect_first_values(YELLOW, columns, [("2019-01-15 03:04:05", "NA", "8.5")]) == (columns, ())


def test_ambiguous_dates_reject_the_file() -> None:
    _, [failure] = inspect_first_values(
        YELLOW, text_columns(NAMES), [("1/2/2019 3:04", "1/2/2019 3:14", "8.5")]
    )
    assert failure.code is FailureCode.AMBIGUOUS_DATES
    assert "'1/2/2019 3:04'" in failure.message


@pytest.mark.parametrize("example", ["15.01.2019 3 Uhr", "1547521445", "2019-01-15 03:04:05 -05:00"])
def test_a_required_column_without_a_readable_value_rejects_the_file(example: str) -> None:
    rows = [(example, "2019-01-15 03:14:05", "8.5")] * 8
    _, [failure] = inspect_first_values(YELLOW, text_columns(NAMES), rows)
    assert failure.code is FailureCode.UNREADABLE_VALUES
    assert failure.message == (
        "in the file's first rows, tpep_pickup_datetime: 8 of 8 values are not read as times, "
        f"for example '{example}'"
    )


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("NA", "", "")],
        [("yesterday", "2019-01-15 03:14:05", "x"), ("2019-01-15 03:04:05", "2019-01-15 03:14:05", "x")],
        [("2019-01-15 03:04:05", "2019-01-15 03:14:05", "no number")],
        [("2019-01-15 03:04:05", "2019-01-15 03:14:05", value) for value in ("$1", "$2", "", "", "NA")],
        [("yesterday", "2019-01-15 03:14:05"), ("yesterday", "2019-01-15 03:14:05", "1", "234.50")],
        [("2019-01-15 03:04:05", "2019-01-15 03:14:05", "1", "234.50")] * 4,
        [("2019-01-15 03:04:05", '"2019-01-15'), ('03:14:05"', "8.5")] * 4,
        [("2019-01-15 03:04:05", "2019-01-15 03:14:05", "8.5", " ", "")] * 8,
    ],
)
def test_other_files_are_for_the_job_to_judge(rows: list[tuple[str, ...]]) -> None:
    assert inspect_first_values(YELLOW, text_columns(NAMES), rows) == (text_columns(NAMES), ())


def test_an_optional_column_without_a_readable_value_in_most_rows_rejects_the_file() -> None:
    rows = [
        ("2019-01-15 03:04:05", "2019-01-15 03:14:05", value) for value in ("$8.50", "$9", "", "$7", "NA")
    ]
    _, [failure] = inspect_first_values(YELLOW, text_columns(NAMES), rows)
    assert failure.code is FailureCode.UNREADABLE_VALUES
    assert failure.message == (
        "in the file's first rows, fare_amount: 3 of 3 values are not read as numbers, for example '$8.50'"
    )


def test_at_most_three_columns_are_reported() -> None:
    amounts = ("fare_amount", "extra", "mta_tax", "tip_amount")
    rows = [("2019-01-15 03:04:05", "2019-01-15 03:14:05", "8,5", "0,5", "0,5", "1,0")] * 8
    _, failures = inspect_first_values(YELLOW, text_columns([*NAMES[:2], *amounts]), rows)
    assert [failure.message.split()[5] for failure in failures] == ["fare_amount:", "extra:", "mta_tax:"]


def test_rows_that_all_have_another_width_than_the_header_reject_the_file() -> None:
    rows = [("1", "2019-01-15 03:04:05", "2019-01-15 03:14:05", "8.5")] * 5  # R writes the row's number so
    _, [failure] = inspect_first_values(YELLOW, text_columns(NAMES), rows)
    assert failure.code is FailureCode.UNREADABLE_VALUES
    assert failure.message == (
        "the header names 3 columns, but the file's first rows have 4 fields: "
        "write a name for each column, and quote values that contain the separator"
    )


@pytest.mark.parametrize(
    ("folders", "failure"),
    [
        ({"payment_type": "abc"}, "the folder payment_type=abc is not read as a value of payment_type"),
        ({"payment": "Credit card"}, ""),
        ({"VendorID": "DDS"}, ""),
        ({"passenger_count": None}, ""),
        ({"passenger_count": "NA"}, ""),
        ({"store_and_fwd_flag": "N", "year": "x"}, ""),
    ],
)
def test_a_folder_whose_value_cannot_be_read_rejects_the_file(
    folders: dict[str, str | None], failure: str
) -> None:
    found = "; ".join(each.message for each in unreadable_folders(YELLOW, folders))
    assert found.startswith(failure) if failure else found == ""
