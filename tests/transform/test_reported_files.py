"""Tests of the reported files on DuckDB, with handwritten outcomes.

The job's rows of the same files are compared with the same outcomes in `tests/e2e/test_reported_files.py`.
"""

import pyarrow.compute as pc
import pytest

from benchmarks import duckdb_views
from duckdb_engine.sql import connect, translated
from taxi_etl.documents import AcceptedFile
from taxi_etl.transform.sources import constants, source_columns
from tests.fixtures.file_checks import VersionedFolder, validated
from tests.fixtures.reported_cases import (
    CASES,
    Loaded,
    Trip,
    need_reported_files,
    parameters,
    reported_file,
)
from tests.transform.conftest import RUN, Engines


@pytest.fixture(scope="module")
def duck():
    """A DuckDB connection."""
    return connect()


@pytest.mark.parametrize("case", parameters(Loaded))
def test_duckdb_reads_exactly_the_trips_of_a_reported_file(duck, tmp_path, case):
    need_reported_files()
    path, key = reported_file(case)
    storage = VersionedFolder(tmp_path)
    storage.put(key, path)
    accepted = validated(storage, key)
    assert isinstance(accepted, AcceptedFile), accepted

    duckdb_views.create_source_view(duck, "source", path, accepted, constants(accepted, RUN))
    columns = source_columns(accepted.all_columns)
    text = Engines.statement(accepted.dataset, columns, "source")
    rows = duck.sql(translated(text)).to_arrow_table()
    valid = pc.equal(rows["reason_bits"], 0)

    expected = CASES[case].outcome
    assert sorted(trips_of(rows.filter(valid)), key=repr) == sorted(expected.trips, key=repr)
    assert [
        (" ".join(row["reasons"]), "|".join(text for _, text in row["row_as_read"]))
        for row in rows.filter(pc.invert(valid)).to_pylist()
    ] == list(expected.quarantined)


def trips_of(table):
    """The rows of an Arrow table as trips."""
    for name in ("pickup_datetime", "dropoff_datetime"):
        place = table.column_names.index(name)
        text = pc.strftime(table[name].cast("timestamp[s]"), format="%Y-%m-%d %H:%M:%S")
        table = table.set_column(place, name, text)
    rows = table.select(list(Trip._fields)).to_pylist()
    return [Trip(**{**row, "extra_columns": dict(row["extra_columns"])}) for row in rows]
