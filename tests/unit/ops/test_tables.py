"""Tests of SQL queries on Iceberg tables, with PyIceberg tables on disk and no catalog service."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import load_file_io
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import update_table_metadata
from pyiceberg.types import DoubleType, LongType, MapType, NestedField, StringType, TimestamptzType

from ops import tables
from ops.errors import CliError

SCHEMA = Schema(
    NestedField(1, "vendor_id", LongType(), required=False),
    NestedField(2, "fare_amount", DoubleType(), required=False),
    NestedField(3, "ingested_at", TimestamptzType(), required=False),
    NestedField(
        4,
        "extra_columns",
        MapType(5, StringType(), 6, StringType(), value_required=False),
        required=False,
    ),
)
ARROW = pa.schema(
    [
        ("vendor_id", pa.int64()),
        ("fare_amount", pa.float64()),
        ("ingested_at", pa.timestamp("us", tz="UTC")),
        ("extra_columns", pa.map_(pa.string(), pa.string())),
    ]
)
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Folder(NoopCatalog):
    """A catalog with its tables in a dictionary and their files in a folder."""

    def __init__(self, folder):
        super().__init__("folder")
        self.folder = folder
        self.tables = {}

    def create(self, name):
        place = f"{self.folder}/{name}"
        metadata = new_table_metadata(SCHEMA, UNPARTITIONED_PARTITION_SPEC, UNSORTED_SORT_ORDER, place, {})
        self.tables[name] = Table(("taxi", name), metadata, f"{place}/metadata.json", load_file_io({}), self)
        return self.tables[name]

    def commit_table(self, table, requirements, updates):
        metadata = update_table_metadata(table.metadata, updates)
        return CommitTableResponse(metadata=metadata, metadata_location=table.metadata_location)

    def list_tables(self, namespace):
        assert namespace == "taxi"
        return [("taxi", name) for name in self.tables]

    def load_table(self, identifier):
        return self.tables[identifier[-1]]


def rows(*pairs):
    return pa.Table.from_pylist(
        [
            {"vendor_id": vendor, "fare_amount": fare, "ingested_at": NOON, "extra_columns": [("a", "1")]}
            for vendor, fare in pairs
        ],
        schema=ARROW,
    )


@pytest.fixture
def catalog(tmp_path):
    made = Folder(tmp_path)
    yellow = made.create("yellow_trips")
    yellow.append(rows((1, 10.0), (2, 20.0)))
    yellow.append(rows((2, 5.0)))
    made.create("green_trips")
    return made


def query(catalog, sql, limit=100):
    return tables.run(catalog, "taxi", sql, limit)


def test_a_query_reads_the_rows_of_all_current_files(catalog):
    answer = query(
        catalog, "select vendor_id, sum(fare_amount) as fares from yellow_trips group by all order by all"
    )
    assert (answer.columns, answer.rows, answer.more) == (
        ["vendor_id", "fares"],
        [(1, 10.0), (2, 25.0)],
        False,
    )


def test_rows_that_were_overwritten_are_gone(catalog):
    catalog.tables["yellow_trips"].overwrite(rows((7, 7.0)))
    assert query(catalog, "select vendor_id from yellow_trips").rows == [(7,)]


def test_a_table_without_rows_can_be_queried(catalog):
    assert query(catalog, "select count(*) from green_trips").rows == [(0,)]


def test_tables_are_found_in_any_case_and_can_be_joined_with_themselves(catalog):
    sql = "select count(*) from YELLOW_TRIPS a join yellow_trips b using (vendor_id)"
    assert query(catalog, sql).rows == [(5,)]


def test_times_with_a_zone_and_maps_are_python_values(catalog):
    [row] = query(catalog, "select ingested_at, extra_columns from yellow_trips where vendor_id = 1").rows
    assert row == (NOON, {"a": "1"})


def test_rows_beyond_the_limit_are_cut_and_reported(catalog):
    answer = query(catalog, "select * from yellow_trips", limit=2)
    assert (len(answer.rows), answer.more) == (2, True)
    assert answer.to_json()["rows"][0].keys() == {"vendor_id", "fare_amount", "ingested_at", "extra_columns"}
    assert query(catalog, "select * from yellow_trips", limit=3).more is False


def test_a_column_that_was_added_later_is_null_in_older_files(catalog):
    with catalog.tables["yellow_trips"].update_schema() as update:
        update.add_column("cbd_fee", DoubleType())
    assert query(catalog, "select distinct cbd_fee from yellow_trips").rows == [(None,)]


def test_a_renamed_column_is_read_under_its_new_name(catalog):
    table = catalog.tables["yellow_trips"]
    assert isinstance(tables.arrow(table), ds.FileSystemDataset)
    with table.update_schema() as update:
        update.rename_column("fare_amount", "fare")
    assert query(catalog, "select sum(fare) from yellow_trips").rows == [(35.0,)]


def test_a_column_dropped_and_added_again_has_no_values_of_the_dropped_one(catalog):
    table = catalog.tables["yellow_trips"]
    with table.update_schema() as update:
        update.delete_column("fare_amount")
    with table.update_schema() as update:
        update.add_column("fare_amount", DoubleType())
    assert query(catalog, "select distinct fare_amount from yellow_trips").rows == [(None,)]


def test_a_column_that_takes_the_name_of_a_renamed_one_has_no_values_of_it(catalog):
    table = catalog.tables["yellow_trips"]
    with table.update_schema() as update:
        update.rename_column("fare_amount", "fare")
    with table.update_schema() as update:
        update.add_column("fare_amount", DoubleType())
    answer = query(catalog, "select sum(fare), sum(fare_amount) from yellow_trips")
    assert answer.rows == [(35.0, None)]


def test_a_time_after_the_year_9999_is_a_text(catalog):
    answer = query(catalog, "select timestamp '12000-01-10 04:00:54' as late from yellow_trips limit 1")
    assert [str(value)[:10] for (value,) in answer.rows] == ["12000-01-1"]


def test_invalid_sql_is_an_error_with_the_existing_tables(catalog):
    with pytest.raises(CliError) as raised:
        query(catalog, "select * from blue_trips")
    assert raised.value.next_step == "correct the SQL; the tables are green_trips, yellow_trips"


@pytest.mark.parametrize("sql", ["create table x as select 1", "select 1; select 2", "set threads = 1"])
def test_only_a_single_select_is_allowed(sql, catalog):
    with pytest.raises(CliError, match="not a single SELECT"):
        query(catalog, sql)


def test_a_query_cannot_read_files_of_this_machine(catalog, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(CliError):
        query(catalog, f"select * from read_csv('{tmp_path}/secret.csv')")


def test_the_command_prints_one_object_for_each_row(catalog, taxi_etl, monkeypatch):
    monkeypatch.setattr(tables, "glue_catalog", lambda session: catalog)
    monkeypatch.setattr(catalog, "list_tables", lambda namespace: [(namespace, "yellow_trips")])
    code, document = taxi_etl.json("query", "select max(fare_amount) as highest from yellow_trips")
    assert (code, document) == (0, {"columns": ["highest"], "rows": [{"highest": 20.0}], "more": False})


def test_the_command_reads_sql_from_standard_input(catalog, taxi_etl, monkeypatch):
    monkeypatch.setattr(tables, "glue_catalog", lambda session: catalog)
    monkeypatch.setattr(catalog, "list_tables", lambda namespace: [(namespace, "yellow_trips")])
    result = taxi_etl("query", "-", input="select count(*) as trips from yellow_trips")
    assert result.stdout.split() == ["trips", "3"]
