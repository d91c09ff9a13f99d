"""Tests of the day ranges of a file's rows."""

import pytest

from taxi_etl.identity import FileVersion
from taxi_etl.transform.day_ranges import day_ranges, range_count

SOURCES = (
    "7de7b17705aa8ada311bc9d1593e403a",
    "fd60acf1647a6e0b69ccd9d4865f51ca",
    "262be9b861bf309b3a862f49d12be35a",
)
"""The first 32 hex digits of the SHA-256 of `lake/raw/taxi/…`, by sha256sum."""


def version(name: str, size: int) -> FileVersion:
    return FileVersion("lake", f"raw/taxi/{name}", "1", size)


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        ("yellow_tripdata_2024-01.parquet", 0, 1),
        ("yellow_tripdata_2024-01.parquet", 100, 1),
        ("yellow_tripdata_2024-01.parquet", 101, 2),
        ("yellow_tripdata_2024-01.parquet", 10_000, 31),
        ("yellow_tripdata_2023-02.parquet", 10_000, 28),
        ("yellow.parquet", 10_000, 1),
    ],
)
def test_a_file_has_a_range_for_each_part_and_at_most_one_for_each_day(name, size, count):
    assert range_count(version(name, size), 100) == count


def test_the_ranges_of_files_follow_each_other():
    files = [
        version("green_2024-01.csv", 400),
        version("green.csv", 400),
        version("green_2024-02.csv", 200),
    ]

    count, sql = day_ranges(files, 100)

    assert count == 7
    assert sql == (
        "CAST(CASE source_id "
        "WHEN '{}' THEN 0 + least(greatest(datediff(pickup_datetime, DATE '2024-01-01') * 4 DIV 31, 0), 3) "
        "WHEN '{}' THEN 4 "
        "WHEN '{}' THEN 5 + least(greatest(datediff(pickup_datetime, DATE '2024-02-01') * 2 DIV 29, 0), 1) "
        "ELSE 0 END AS int)"
    ).format(*SOURCES)
