"""Compares the rows that the benchmark's engines and peers wrote."""

from pathlib import Path

import duckdb
from pyiceberg.table import StaticTable

from benchmarks.engines import THREADS
from benchmarks.peers import table_of
from taxi_etl import tables
from taxi_etl.datasets import DATASETS

DATASET = "yellow"
AMOUNTS = "count(*), sum(try_cast(fare_amount AS DECIMAL(18, 2)))"


def engine_differences(folder: Path, large: Path) -> list[str]:
    """Differences between the rows that the engines wrote; empty if they are equal.

    Compares row counts and sums of row hashes, which do not depend on order. Maps are compared as text.
    """
    found = []
    database = duckdb.connect(config={"threads": THREADS})
    columns = [column.name for column in DATASETS[DATASET].columns]
    lineage = ["source_id", "source_file", "source_version", "run_id"]
    kinds = {
        "trips": (DATASETS[DATASET].table, [*columns, "extra_columns::varchar", *lineage]),
        "quarantined": (
            tables.QUARANTINE,
            ["reasons::varchar", "row_as_read::varchar", "position", *lineage],
        ),
    }
    for kind, (table, wanted) in kinds.items():
        query = f"SELECT count(*), sum(hash({', '.join(wanted)})) FROM read_parquet('{{}}') "  # noqa: S608 (our own names)
        query += f"WHERE source_file LIKE '%/{large.name}'"
        places = {
            "the job": f"job/warehouse/taxi/{table}/data/**/*.parquet",
            "DuckDB": f"duckdb/duckdb/{large.name.split('.')[0]}/kind={kind}/*.parquet",
            "the engine for small batches": f"small/warehouse/taxi/{table}/data/**/*.parquet",
        }
        written = {
            name: database.execute(query.format(folder / files)).fetchone()
            for name, files in places.items()
            if (folder / files.split("/")[0]).exists()
        }
        if len(set(written.values())) > 1:
            found.append(f"{kind}: (count, hash) differ: {written}")
    return found


def peer_difference(peer: str, folder: Path, large: Path) -> list[str]:
    """The difference between a file and the table that a peer wrote: row count and sum of the fares."""
    versions = folder.glob(f"**/{table_of(large)}/metadata/*.metadata.json")
    metadata = max(versions, key=lambda path: path.stat().st_mtime_ns)
    tasks = StaticTable.from_metadata(metadata.as_uri()).scan().plan_files()
    paths = [task.file.file_path.removeprefix("file://") for task in tasks]
    reader = "read_parquet" if large.suffix == ".parquet" else "read_csv"
    options = "" if large.suffix == ".parquet" else ", all_varchar=true"
    database = duckdb.connect(config={"threads": THREADS})
    expected = database.execute(f"SELECT {AMOUNTS} FROM {reader}('{large}'{options})").fetchone()  # noqa: S608
    written = database.execute(f"SELECT {AMOUNTS} FROM read_parquet({paths})").fetchone()  # noqa: S608
    if written == expected:
        return []
    return [f"{peer}: (count, sum of fares) is {expected} in the file, {written} in the table"]
