"""Tests of row counts by source from the metadata of PyIceberg tables on disk."""

import pyarrow as pa
import pytest
import test_tables
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField, StringType

from ops.table_metadata import source_rows
from taxi_etl.consistency.facts import SourceRows

COLUMNS = ("source_id", "source_version", "run_id")
VERSION = "aaaaaaaaaaaaaaaa-and-more-characters"


@pytest.fixture
def table(tmp_path, monkeypatch):
    fields = [NestedField(n, name, StringType(), required=False) for n, name in enumerate(COLUMNS, 1)]
    monkeypatch.setattr(test_tables, "SCHEMA", Schema(*fields))
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "source_id"))
    monkeypatch.setattr(test_tables, "UNPARTITIONED_PARTITION_SPEC", spec)
    catalog = test_tables.Folder(str(tmp_path))
    catalog.table_exists = lambda identifier: identifier[-1] in catalog.tables
    return catalog.create("green_trips")


def append(table, *rows):
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    made = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema=schema)
    table.append(made)


def found(table):
    return sorted(source_rows(table.catalog, "taxi"), key=lambda each: each.source_id)


def test_rows_are_counted_by_source_over_all_data_files(table):
    append(table, ("a", VERSION, "jr_1"), ("a", VERSION, "jr_1"), ("b", "v", "jr_1"))
    append(table, ("a", VERSION, "jr_2"))
    assert found(table) == [
        SourceRows("green_trips", "a", 3, frozenset({"a" * 16}), frozenset({"jr_1", "jr_2"})),
        SourceRows("green_trips", "b", 1, frozenset({"v"}), frozenset({"jr_1"})),
    ]


def test_deleted_rows_do_not_count(table):
    append(table, ("a", "v", "jr_1"), ("b", "v", "jr_1"))
    table.delete("source_id = 'a'")
    assert [each.source_id for each in found(table)] == ["b"]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("aaaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaaa2"), {"aaaaaaaaaaaaaaaa"}),
        (("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"), {"aaaaaaaaaaaaaaaa"}),
        ((VERSION, "bbbbbbbbbbbbbbbb-and-more"), {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"}),
        (("short", "texts"), {"short", "texts"}),
        ((None, None), set()),
    ],
)
def test_two_versions_in_one_data_file_are_seen(table, versions, expected):
    append(table, *(("a", version, "jr_1") for version in versions))
    [source] = found(table)
    assert source.versions == expected


def test_tables_that_do_not_exist_have_no_rows(table):
    assert found(table) == []
