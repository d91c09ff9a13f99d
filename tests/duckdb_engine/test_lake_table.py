"""Tests of tables that another load changed since this load last looked at them."""

import pytest
from pyiceberg.schema import Schema

from duckdb_engine.file_io import Boto3FileIO
from duckdb_engine.iceberg_schema import partition_spec, schema_of
from loading.file_load import StagedFile
from taxi_etl.identity import source_id
from tests.duckdb_engine.lake import DATABASE
from tests.fixtures.file_checks import BUCKET
from tests.fixtures.trip_files import trips

A = "raw/taxi/trips_2024-01.parquet"


@pytest.fixture
def two_loads(lake):
    """The table of green trips without its last column, as two loads see it."""
    schema = schema_of("green_trips")
    older = Schema(*schema.fields[:-1])
    lake.catalog.create_table(
        (DATABASE, "green_trips"), older, partition_spec=partition_spec(older), properties={}
    )
    loads = lake.table("green"), lake.table("green")
    assert [len(load.table.schema().fields) for load in loads] == [len(schema.fields) - 1] * 2
    return loads


def test_a_column_that_another_load_added_meanwhile_is_not_added_again(lake, two_loads):
    first, second = two_loads

    first.ensure()
    second.ensure()

    names = [field.name for field in lake.table("green").table.schema().fields]
    assert names == [field.name for field in schema_of("green_trips").fields]
    assert (first.changed, second.changed) == (True, False)


def test_properties_that_two_loads_set_are_both_kept(lake, two_loads):
    first, second = two_loads

    first.set_property("taxi-etl.first", "1")
    second.set_property("taxi-etl.second", "2")

    found = lake.table("green").table.properties
    assert (found["taxi-etl.first"], found["taxi-etl.second"]) == ("1", "2")


def test_files_that_another_load_replaced_meanwhile_are_not_removed_again(lake):
    lake.storage.put(A, trips(3))
    lake.load(A)
    table = lake.table("green")
    [location] = [task.file.file_path for task in table.table.scan().plan_files()]
    lake.storage.put(A, trips(2))
    lake.load(A)

    table.remove_files([StagedFile(location, 3, None)], {})

    assert lake.count("green", A) == 2


def test_a_value_that_the_metadata_holds_is_not_read_from_the_data_file(lake, monkeypatch):
    lake.storage.put(A, trips(3))
    lake.load(A)
    table, source = lake.table("green"), source_id(BUCKET, A)
    downloads = []
    original = Boto3FileIO.download

    def download(io, location, path):
        downloads.append(location)
        original(io, location, path)

    monkeypatch.setattr(Boto3FileIO, "download", download)

    assert table.source_files([source]) == {source: f"s3://{BUCKET}/{A}"}
    assert downloads == []
    # The bounds hold the first 16 characters of a version ID.
    assert table.source_versions([source]) == {source: lake.storage.versions[A]}
    assert len(downloads) == 1
