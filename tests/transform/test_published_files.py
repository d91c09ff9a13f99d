"""Tests that the TLC's files load on both engines with the same rows and the sums of the raw files.

Plain DuckDB queries over each raw file wrote `expected/published_files.csv` once; they share no names, casts
or rules with the transform. A line without a column counts the file's rows and its invalid rows. A line with
a column counts the column's values in the valid rows and sums them: numbers as they are, texts by length,
times as seconds since 1970. For a Parquet file, where `first` and `behind` are a year before and after the
month in the file's name:

    WITH file AS (SELECT *, coalesce(tpep_dropoff_datetime < tpep_pickup_datetime
        OR tpep_pickup_datetime < first OR tpep_pickup_datetime >= behind
        OR trip_distance < 0 OR trip_distance > 1000
        OR PULocationID NOT BETWEEN 1 AND 265 OR DOLocationID NOT BETWEEN 1 AND 265
        OR tpep_pickup_datetime IS NULL OR tpep_dropoff_datetime IS NULL, false) AS bad FROM 'FILE')
    SELECT count(*), count(*) FILTER (bad) FROM file;
    SELECT count(COLUMN), fsum(COLUMN) FROM file WHERE NOT bad;                   -- a number
    SELECT count(COLUMN), fsum(length(COLUMN)) FROM file WHERE NOT bad;           -- a text
    SELECT count(COLUMN), fsum(epoch(COLUMN)) FROM file WHERE NOT bad;            -- a time

For a CSV file, COLUMN is `nullif(trim(FIELD), '')::double` or `::timestamp`. Python's csv module read the
fields; blank lines and fields beyond the header were dropped, and names of vendors and payments replaced by
their codes.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

CUT_BYTES = 1024
"""The size of samples that contain only a file's first bytes, so that their last line is cut."""
COMPILED = 100_000
"""The file size in bytes from which Spark compiles the plan, as the job does. For smaller files compiling
dominates the time."""


def expected() -> dict[str, dict[str, tuple[int, float]]]:
    """Each file's counts and sums by column; under '' the numbers of its rows and of its invalid rows."""
    files: dict[str, dict[str, tuple[int, float]]] = {}
    with (Path(__file__).parent / "expected" / "published_files.csv").open() as lines:
        for line in csv.DictReader(lines):
            sums = files.setdefault(line["file"], {})
            sums[line["column"]] = int(line["values"]), float(line["total"] or 0)
    return files


FILES = expected()


@pytest.fixture
def published(shared_data, tmp_path):
    """A published file by its name; samples that end in the middle of a line lose that line."""

    def find(name: str) -> Path:
        path = shared_data / "tlc" / name
        if path.stat().st_size != CUT_BYTES:
            return path
        whole = tmp_path / path.name
        whole.write_bytes(path.read_bytes().rsplit(b"\n", 1)[0] + b"\n")
        return whole

    return find


@pytest.fixture
def spark_mode(spark) -> Iterator[None]:
    yield
    spark.conf.set("spark.sql.codegen.wholeStage", "true")


def test_every_file_has_its_sums(shared_data):
    held = {
        str(path.relative_to(shared_data / "tlc"))
        for path in (shared_data / "tlc").rglob("*")
        if path.is_file() and "zones" not in path.parts
    }
    assert held == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_arrives_whole_on_both_engines(engines, published, spark_mode, name):
    path = published(name)
    engines.spark.conf.set("spark.sql.codegen.wholeStage", str(path.stat().st_size >= COMPILED).lower())

    found = engines.transform(path)

    rows, bad = FILES[name][""]
    assert found.rows == (rows - bad, bad)
    for column, (count, total) in FILES[name].items():
        if column:
            values = found.trips[column]
            assert len(values) - values.null_count == count, column
            assert sum_of(values) == pytest.approx(total, rel=1e-12, abs=0.002), column
    unnamed = set(found.trips.column_names) - set(FILES[name]) - LINEAGE
    assert all(found.trips[column].null_count == rows - bad for column in unnamed), "a value out of nowhere"


LINEAGE = {"extra_columns", "source_id", "source_file", "source_version", "ingested_at", "run_id"}


def sum_of(values: pa.ChunkedArray) -> float:
    """The sum of a column's values, as `expected/published_files.csv` has it."""
    if pa.types.is_timestamp(values.type):
        values = pc.divide(pc.cast(pc.cast(values, pa.timestamp("us")), pa.int64()), 1_000_000)
    elif pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = pc.utf8_length(values)
    return float(pc.sum(pc.cast(values, pa.float64())).as_py() or 0)
