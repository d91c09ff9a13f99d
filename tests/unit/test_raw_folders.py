"""Tests of which raw files the crawler catalogs."""

import pytest

from taxi_etl.raw_folders import is_cataloged, raw_folders


def test_each_dataset_has_a_folder() -> None:
    assert raw_folders() == [
        "raw/taxi/yellow_parquet/",
        "raw/taxi/green_parquet/",
        "raw/taxi/fhv_parquet/",
        "raw/taxi/fhvhv_parquet/",
        "raw/taxi/zones_parquet/",
    ]


@pytest.mark.parametrize(
    ("key", "dataset", "file_format", "expected"),
    [
        ("raw/taxi/yellow_parquet/2024-01.parquet", "yellow", "parquet", True),
        ("raw/taxi/yellow_tripdata_2024-01.parquet", "yellow", "parquet", False),
        ("raw/taxi/yellow_parquet/2024/01.parquet", "yellow", "parquet", False),
        ("raw/taxi/yellow_parquet/2024-01.csv", "yellow", "csv", False),
        ("raw/taxi/yellow_parquet/2024-01.parquet", "green", "parquet", False),
        ("archive/raw/taxi/yellow_parquet/2024-01.parquet", "yellow", "parquet", False),
    ],
)
def test_only_parquet_files_directly_in_their_datasets_folder_are_cataloged(
    key: str, dataset: str, file_format: str, expected: bool
) -> None:
    assert is_cataloged(key, dataset, file_format) is expected
