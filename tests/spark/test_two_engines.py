"""Tests that the DuckDB engine and the Spark job write equal tables, and replace each other's rows safely."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from duckdb_engine.lake_table import LakeTable as DuckDBTable
from glue_scripts.iceberg import LakeTable
from loading.engine import Declined
from sample_data import VARIANTS, generate
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import FileResult
from taxi_etl.file_status import FileStatus
from tests.duckdb_engine.conftest import yellow
from tests.fixtures.file_checks import BUCKET, key_of
from tests.fixtures.trip_files import trips
from tests.spark.conftest import Lake
from tests.spark.duckdb_lake import DuckDBLake
from tests.spark.test_concurrent_runs import A, B, at, counts

BEFORE_COMMIT = 2
TABLES = (*DATASETS, "quarantine")
COMPARED = (
    "record_count, spec_id, partition.source_id, value_counts, null_value_counts, nan_value_counts, "
    "lower_bounds, upper_bounds, sort_order_id, content, file_format, equality_ids"
)
"""Iceberg's metadata of a data file that readers use; sizes and offsets depend on the writer."""
COMPARED_SNAPSHOT = (
    "operation, parent_id IS NULL, summary['added-records'], summary['added-data-files'], "
    "summary['total-records'], summary['total-data-files'], summary['changed-partition-count']"
)
COMPARED_MANIFEST = (
    "content, partition_spec_id, added_data_files_count, existing_data_files_count, "
    "deleted_data_files_count, partition_summaries"
)
"""The same of the snapshot and the manifest of a first load; later manifests depend on the library."""


def duckdb_copy(lake: Lake) -> DuckDBLake:
    """The same bucket and an empty database for the DuckDB engine."""
    database = f"taxi_{uuid.uuid4().hex[:8]}"
    lake.spark.sql(f"CREATE NAMESPACE lake.{database}")
    return DuckDBLake.of(replace(lake, database=database))


def load_with_both(lake: Lake, keys: Sequence[str]) -> tuple[DuckDBLake, dict[str, str]]:
    """Load files with DuckDB, alone if it declines any, and those that it loads with Spark in one batch.

    Fails unless the results are equal. Returns DuckDB's database, and the reasons of declined files by key.
    """
    other, declined, found = duckdb_copy(lake), {}, {}
    batches = [list(keys)]
    for batch in batches:
        try:
            for file in other.load(*batch, run_id="jr_1", max_quarantine_share=0.9).files:
                found[file.version.key] = file
        except Declined as answer:
            if len(batch) == 1:
                declined[batch[0]] = answer.reason.removeprefix(f"{batch[0]}: ")
            else:
                batches += [[key] for key in batch]
    if found:
        arguments = ["--JOB_RUN_ID", "jr_1", "--max-quarantine-share", "0.9"]
        expected = lake.load(*found, arguments=arguments).files
        assert [without_warnings(found[file.version.key]) for file in expected] == [
            without_warnings(file) for file in expected
        ]
    return other, declined


def without_warnings(file: FileResult) -> FileResult:
    """A result without warnings of same trips, which depend on what was loaded before."""
    return replace(file, warnings=())


def assert_equal_tables(lake: Lake, other: DuckDBLake) -> None:
    """Fail unless both databases have the same rows, schemas and metadata."""
    for name in TABLES:
        one, two = (table_of(each, name) for each in (lake, other))
        exists = [lake.spark.catalog.tableExists(table) for table in (one, two)]
        assert exists[0] == exists[1], name
        if not exists[0]:
            continue
        for table in (one, two):
            # Spark's catalog may have the table as it was before the commit, which does not go through it.
            lake.spark.catalog.refreshTable(table)
        iceberg = [other.catalog.load_table(table.split(".")[1:]) for table in (one, two)]
        assert iceberg[0].schema() == iceberg[1].schema()
        assert iceberg[0].spec() == iceberg[1].spec()
        properties = [dict(table.properties) for table in iceberg]
        for each in properties:
            each.pop("owner", None)
        assert properties[0] == properties[1]
        assert_same(lake, f"SELECT {comparable(lake, one)} FROM {{}}", one, two)
        assert_same(lake, f"SELECT {comparable_files()} FROM {{}}.files", one, two)


def comparable(lake: Lake, table: str) -> str:
    """The columns of a table, maps as sorted arrays."""
    return ", ".join(
        f"array_sort(map_entries({name})) AS {name}" if kind.startswith("map") else name
        for name, kind in lake.spark.table(table).dtypes
    )


def comparable_files() -> str:
    return ", ".join(
        f"array_sort(map_entries({name})) AS {name}" if name.endswith(("counts", "bounds")) else name
        for name in COMPARED.split(", ")
    )


def assert_same(lake: Lake, query: str, one: str, two: str) -> None:
    first, second = query.format(one), query.format(two)
    for some, others in ((first, second), (second, first)):
        rows = lake.spark.sql(f"{some} EXCEPT ALL {others}").take(3)
        assert rows == [], f"only in the first: {some}"


def table_of(lake: Lake, name: str) -> str:
    table = "quarantined_trips" if name == "quarantine" else DATASETS[name].table
    return f"lake.{lake.database}.{table}"


def test_the_newest_layouts_give_equal_tables(lake, tmp_path):
    newest = {(layout.dataset, layout.format): variant for variant, layout in VARIANTS.items()}
    keys = []
    for variant in newest.values():
        sample = generate(tmp_path, variant=variant, rows=60, dirty_share=0.1, seed=7)
        key = key_of(f"{variant}/{sample.path.name}")
        lake.storage.put(key, sample.path)
        keys.append(key)
    zones = generate(tmp_path, dataset="zones").path
    for key in (key_of(zones.name), key_of("zones_2024-01.csv")):
        lake.storage.put(key, zones)
        keys.append(key)

    other, declined = load_with_both(lake, keys)

    assert declined == {}
    assert_equal_tables(lake, other)
    for table in (dataset.table for dataset in DATASETS.values()):
        by_spark = LakeTable(lake.spark, f"lake.{lake.database}", table).file_metrics()
        by_pyiceberg = DuckDBTable(other.catalog, lake.database, table).file_metrics()
        assert sorted(by_spark, key=repr) == sorted(by_pyiceberg, key=repr)
        assert {each.source_file for each in by_spark} <= {f"s3://{BUCKET}/{key}" for key in keys}
    for name in TABLES:
        tables = table_of(lake, name), table_of(other, name)
        assert_same(lake, f"SELECT {COMPARED_SNAPSHOT} FROM {{}}.snapshots", *tables)
        assert_same(lake, f"SELECT {COMPARED_MANIFEST} FROM {{}}.manifests", *tables)


def test_values_at_the_limits_of_the_statistics_give_equal_tables(lake, tmp_path):
    values = {
        "airport_fee": pa.array([float("nan"), -0.0, 0.0, None]),
        "fare_amount": pa.array([float("nan")] * 4),
        "tip_amount": pa.array([0.1, None, 2.5, 1e300], pa.float64()),
        "tolls_amount": pa.array([0.1, None, 2.5, 7.0], pa.float32()),
        "store_and_fwd_flag": pa.array(["N" * 16, "N" * 17, "ä" * 20, None]),
        "passenger_count": pa.array([None] * 4, pa.int64()),
        "note": pa.array(["\U0010ffff" * 20, "a", None, ""]),
    }
    key = key_of("yellow_tripdata_2024-01.parquet")
    lake.storage.put(key, yellow(tmp_path / "trips.parquet", rows=4, **values))
    unmatched = key_of("more/yellow_tripdata_2024-01.parquet")
    highest = {"store_and_fwd_flag": pa.array(["\U0010ffff" * 20] * 4)}
    lake.storage.put(unmatched, yellow(tmp_path / "more.parquet", rows=4, **highest))

    other, declined = load_with_both(lake, [key, unmatched])

    assert declined == {}
    assert_equal_tables(lake, other)


def test_each_engine_replaces_the_rows_of_the_other(lake):
    duckdb = DuckDBLake.of(lake)
    lake.storage.put(A, trips(3, 2))
    lake.load(A)
    lake.storage.put(A, trips(4, 1))

    duckdb.load(A)

    assert counts(lake, A) == {"green": 4, "quarantine": 1}
    lake.storage.put(A, trips(5, 0))

    lake.load(A)

    assert counts(lake, A) == {"green": 5, "quarantine": 0}


def engine(lake: Lake, name: str, **hooks) -> Lake:
    """The same bucket and database for a run of this engine, with its own hooks."""
    run = replace(lake, storage=replace(lake.storage, checks=0, **hooks))
    return DuckDBLake.of(run) if name == "duckdb" else run


MIXTURES = pytest.mark.parametrize(("slow", "fast"), [("spark", "duckdb"), ("duckdb", "spark")])


@MIXTURES
def test_concurrent_runs_of_one_file_load_its_rows_once(lake, slow, fast):
    lake.storage.put(A, trips(3, 2))
    file = lake.accept(A)
    act = at(BEFORE_COMMIT, lambda: engine(lake, fast).load(file))

    [found] = engine(lake, slow, after_check=act).load(file).files

    assert found.status is FileStatus.LOADED
    assert counts(lake, A) == {"green": 3, "quarantine": 2}


@MIXTURES
def test_concurrent_runs_of_different_files_both_load(lake, slow, fast):
    lake.storage.put(A, trips(1, 1))
    lake.storage.put(B, trips(2, 1))
    act = at(BEFORE_COMMIT, lambda: engine(lake, fast).load(B))

    engine(lake, slow, after_check=act).load(A)

    assert counts(lake, A) == {"green": 1, "quarantine": 1}
    assert counts(lake, B) == {"green": 2, "quarantine": 1}


@MIXTURES
@pytest.mark.parametrize("newer_is_clean", [True, False])
def test_a_newer_version_loaded_before_the_commit_wins(lake, slow, fast, newer_is_clean):
    lake.storage.put(A, trips(1, 1))
    older = lake.accept(A)

    def load_newer() -> None:
        lake.storage.put(A, trips(4, 0 if newer_is_clean else 2))
        engine(lake, fast).load(A)

    [found] = engine(lake, slow, after_check=at(BEFORE_COMMIT, load_newer)).load(older).files

    assert found.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 4, "quarantine": 0 if newer_is_clean else 2}


@MIXTURES
def test_a_newer_version_of_another_dataset_wins(lake, slow, fast):
    lake.storage.put(A, trips(2))
    older = lake.accept(A)

    def load_newer() -> None:
        lake.storage.put(A, trips(4, prefix="tpep"))
        engine(lake, fast).load(A)

    [found] = engine(lake, slow, after_check=at(BEFORE_COMMIT, load_newer)).load(older).files

    assert found.status is FileStatus.SUPERSEDED
    assert counts(lake, A) == {"green": 0, "yellow": 4, "quarantine": 0}


def test_an_error_while_staging_leaves_no_data_file(lake, monkeypatch):
    """The trips of two layouts are written when their quarantined rows fail."""
    lake.storage.put(A, trips(3, 2))
    other_layout = key_of("trips_2024-01.csv")
    header = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance"
    rows = "2,2024-01-05 10:00:00,2024-01-05 10:20:00,3.5\n" + "2,2024-01-05 10:00:00,never,3.5\n"
    lake.storage.put(other_layout, f"{header}\n{rows}".encode())
    original, calls = LakeTable.stage, []

    def stage(table, rows):
        calls.append(table.name)
        if table.name == "quarantined_trips":
            raise KeyboardInterrupt
        return original(table, rows)

    monkeypatch.setattr(LakeTable, "stage", stage)
    with pytest.raises(KeyboardInterrupt):
        lake.load(A, other_layout)

    assert calls == ["green_trips", "green_trips", "quarantined_trips"]
    warehouse = Path(lake.spark.conf.get("spark.sql.catalog.lake.warehouse"))
    assert list((warehouse / lake.database).rglob("*.parquet")) == []


@MIXTURES
def test_a_compaction_meanwhile_does_not_double_rows(lake, slow, fast):
    """Spark compacts the data files of one engine while the other one replaces them."""
    lake.storage.put(A, trips(3, 1))
    lake.storage.put(B, trips(2))
    engine(lake, fast).load(A)
    engine(lake, fast).load(B)
    lake.storage.put(A, trips(4))

    def compact() -> None:
        for dataset in ("green", "quarantine"):
            name = table_of(lake, dataset).removeprefix("lake.")
            options = "map('rewrite-all', 'true')"
            lake.spark.sql(f"CALL lake.system.rewrite_data_files(table => '{name}', options => {options})")

    engine(lake, slow, after_check=at(BEFORE_COMMIT, compact)).load(A)

    assert counts(lake, A) == {"green": 4, "quarantine": 0}
    assert counts(lake, B) == {"green": 2, "quarantine": 0}
    lake.storage.put(B, trips(5, 1))

    engine(lake, slow).load(B)

    assert counts(lake, A) == {"green": 4, "quarantine": 0}
    assert counts(lake, B) == {"green": 5, "quarantine": 1}, "compacted data files are replaced"


def test_real_and_damaged_files_give_equal_tables_or_are_declined(lake, shared_data):
    paths = [
        path
        for folder in ("tlc", "corrupt", "edge", "reported")
        for path in sorted((shared_data / folder).rglob("*"))
        if path.name.endswith((".csv", ".csv.gz", ".parquet"))
        if path.stat().st_size < 3_000_000
    ]
    keys = []
    for number, path in enumerate(paths):
        key = key_of(f"{number}/{path.name}")
        lake.storage.put(key, path)
        if is_accepted(lake, key):
            keys.append(key)

    other, declined = load_with_both(lake, keys)

    assert len(keys) - len(declined) > 20, declined
    assert_equal_tables(lake, other)


def is_accepted(lake: Lake, key: str) -> bool:
    """Whether validation accepts a file."""
    from taxi_etl.documents import AcceptedFile
    from tests.fixtures.file_checks import validated

    return isinstance(validated(lake.storage, key), AcceptedFile)
