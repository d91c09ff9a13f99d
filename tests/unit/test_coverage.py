"""Tests of loaded and missing months."""

import pytest

from taxi_etl.coverage import Coverage, coverage, month_ranges


def test_months_between_the_first_and_the_last_loaded_one_are_missing() -> None:
    files = [
        ("green", "raw/taxi/green_tripdata_2023-11.parquet"),
        ("green", "raw/taxi/green_tripdata_2024-02.parquet"),
        ("green", "raw/taxi/again/green_tripdata_2024-02.csv"),
    ]
    assert coverage(files) == [Coverage("green", (2023, 11), (2024, 2), 2, ((2023, 12), (2024, 1)))]


def test_a_dataset_that_ends_before_another_misses_the_months_up_to_its_end() -> None:
    files = [
        ("yellow", "yellow_tripdata_2024-03.parquet"),
        ("fhv", "fhv_tripdata_2024-01.parquet"),
        ("yellow", "yellow_tripdata_2024-02.parquet"),
    ]
    assert coverage(files) == [
        Coverage("fhv", (2024, 1), (2024, 1), 1, ((2024, 2), (2024, 3))),
        Coverage("yellow", (2024, 2), (2024, 3), 2, ()),
    ]


def test_files_without_a_month_in_their_name_are_left_out() -> None:
    assert coverage([("green", "raw/taxi/trips.csv"), ("fhv", "fhv_2024-01_to_2024-03.csv")]) == []
    assert coverage([]) == []


def test_a_month_in_the_name_of_a_file_without_trips_has_no_meaning() -> None:
    assert coverage([("zones", "taxi_zone_lookup_2024-01.csv")]) == []


@pytest.mark.parametrize(
    ("months", "text"),
    [
        ([], ""),
        ([(2024, 1)], "2024-01"),
        ([(2023, 11), (2023, 12), (2024, 1), (2024, 5)], "2023-11 to 2024-01, 2024-05"),
        ([(2024, 1), (2025, 1), (2025, 2)], "2024-01, 2025-01 to 2025-02"),
    ],
)
def test_consecutive_months_are_one_range(months: list[tuple[int, int]], text: str) -> None:
    assert month_ranges(months) == text
