"""Tests of the tables that a crawl derives from files."""

import pyarrow as pa
import pytest

from local_aws.raw_catalog import File, csv_columns, hive_type, is_excluded, tables, unique_names

TRIP = (("vendorid", "int"), ("pickup", "timestamp"), ("fare", "double"))


def names(found):
    return {table["Name"]: table["Parameters"]["objectCount"] for table in found}


def test_similar_files_of_a_folder_are_one_table_with_all_columns():
    newer = (*TRIP, ("cbd_fee", "double"))
    files = [File("raw/taxi/a.parquet", "parquet", TRIP, 5), File("raw/taxi/b.parquet", "parquet", newer, 6)]
    [table] = tables("lake", "raw/taxi/", files, combine=False)
    assert (table["Name"], table["StorageDescriptor"]["Location"]) == ("taxi", "s3://lake/raw/taxi/")
    described = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert described == list(newer)
    assert table["Parameters"]["sizeKey"] == "11"


def test_different_files_of_a_folder_are_a_table_for_each_kind():
    zones = (("locationid", "bigint"), ("borough", "string"))
    files = [
        File("raw/taxi/yellow_tripdata_2024-01.parquet", "parquet", TRIP, 1),
        File("raw/taxi/yellow_tripdata_2024-02.parquet", "parquet", TRIP, 1),
        File("raw/taxi/yellow_tripdata_2009-01.csv", "csv", TRIP, 1),
        File("raw/taxi/taxi_zones.csv", "csv", zones, 1),
    ]
    found = tables("lake", "raw/taxi/", files, combine=False)
    assert sorted((table["Name"], table["Parameters"]["objectCount"]) for table in found) == [
        ("taxi_zones", "1"),
        ("yellow_tripdata", "1"),
        ("yellow_tripdata", "2"),
    ]


def test_combined_files_of_a_target_are_one_table_however_different_they_are():
    zones = (("locationid", "bigint"), ("borough", "string"))
    files = [
        File("raw/taxi/green/zones.parquet", "parquet", zones, 1),
        File("raw/taxi/yellow_tripdata_2024-01.parquet", "parquet", TRIP, 1),
    ]
    [table] = tables("lake", "raw/taxi/", files, combine=True)
    assert (table["Name"], table["StorageDescriptor"]["Location"]) == ("taxi", "s3://lake/raw/taxi/")
    described = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert described == [*zones, *TRIP]


def test_files_of_other_formats_and_compressions_are_not_combined():
    files = [
        File("raw/taxi/a.parquet", "parquet", TRIP, 1),
        File("raw/taxi/a.csv", "csv", TRIP, 1),
        File("raw/taxi/b.csv", "csv", TRIP[:1], 1),
        File("raw/taxi/a.csv.gz", "csv", TRIP, 1),
    ]
    found = tables("lake", "raw/taxi/", files, combine=True)
    assert [(each["Parameters"]["classification"], each["Parameters"]["objectCount"]) for each in found] == [
        ("csv", "2"),
        ("csv", "1"),
        ("parquet", "1"),
    ]
    assert {each["StorageDescriptor"]["Location"] for each in found} == {"s3://lake/raw/taxi/"}


def test_a_taken_name_gets_a_hash():
    files = [File("raw/taxi/green/a.parquet", "parquet", TRIP, 1)]
    both = [
        *tables("lake", "raw/taxi/green/", files, combine=True),
        *tables("old-lake", "raw/taxi/green/", files, combine=True),
    ]
    first, second = (table["Name"] for table in unique_names(both))
    assert first == "green"
    assert second.startswith("green_")
    assert len(second) == len("green_") + 32


@pytest.mark.parametrize(
    ("key", "pattern", "expected"),
    [
        ("a.csv", "*.csv", True),
        ("a.csv.gz", "*.csv", False),
        ("2024/a.csv", "*.csv", False),
        ("2024/a.csv", "**.csv", True),
        ("2024/01/a.parquet", "*/**", True),
        ("a.parquet", "*/**", False),
        ("ab.csv", "?.csv", False),
        ("axcsv", "*.csv", False),
    ],
)
def test_exclude_patterns_are_globs(key, pattern, expected):
    assert is_excluded(key, pattern) is expected


def test_each_folder_is_its_own_table():
    files = [File(f"raw/{folder}/a.parquet", "parquet", TRIP, 1) for folder in ("Yellow Cabs", "green")]
    found = tables("lake", "raw/", files, combine=False)
    assert names(found) == {"yellow_cabs": "1", "green": "1"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int32(), "int"),
        (pa.int64(), "bigint"),
        (pa.float32(), "float"),
        (pa.float64(), "double"),
        (pa.bool_(), "boolean"),
        (pa.timestamp("us"), "timestamp"),
        (pa.date32(), "date"),
        (pa.decimal128(10, 2), "decimal(10,2)"),
        (pa.large_string(), "string"),
        (pa.binary(), "binary"),
    ],
)
def test_arrow_types_have_hive_names(kind, expected):
    assert hive_type(kind) == expected


def test_csv_types_are_inferred_from_values():
    text = 'Id, Name ,Share,Code\n1,"a, b",0.5,007\n-2,c,1e3,x\n,d,,8\nshort\n'
    expected = (("id", "bigint"), ("name", "string"), ("share", "double"), ("code", "string"))
    assert csv_columns(text) == expected
