"""Tests of the tables that a crawl derives from files."""

import pyarrow as pa
import pytest

from local_aws.raw_catalog import File, csv_columns, hive_type, tables

TRIP = (("vendorid", "int"), ("pickup", "timestamp"), ("fare", "double"))


def names(found):
    return {table["Name"]: table["Parameters"]["objectCount"] for table in found}


def test_similar_files_of_a_folder_are_one_table_with_all_columns():
    newer = (*TRIP, ("cbd_fee", "double"))
    files = [File("raw/taxi/a.parquet", "parquet", TRIP, 5), File("raw/taxi/b.parquet", "parquet", newer, 6)]
    [table] = tables("lake", files)
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
    expected = {"taxi_zones": "1", "yellow_tripdata": "1", "yellow_tripdata_parquet": "2"}
    assert names(tables("lake", files)) == expected


def test_each_folder_is_its_own_table():
    files = [File(f"raw/{folder}/a.parquet", "parquet", TRIP, 1) for folder in ("Yellow Cabs", "green")]
    assert names(tables("lake", files)) == {"yellow_cabs": "1", "green": "1"}


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
