"""Tests of the reported files on both engines, each with its outcome by hand."""

import pytest
from pyarrow.compute import strftime

from taxi_etl.documents import AcceptedFile
from tests.fixtures.file_checks import VersionedFolder, validated
from tests.fixtures.reported_cases import (
    CASES,
    Loaded,
    Trip,
    need_reported_files,
    parameters,
    reported_file,
)


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("case", parameters(Loaded))
def test_both_engines_read_the_same_trips_from_a_reported_file(engines, tmp_path, case):
    need_reported_files()
    path, key = reported_file(case)
    storage = VersionedFolder(tmp_path)
    storage.put(key, path)
    accepted = validated(storage, key)
    assert isinstance(accepted, AcceptedFile), accepted

    rows = engines.transform_accepted(path, accepted)

    expected = CASES[case].outcome
    assert sorted(trips_of(rows.trips), key=repr) == sorted(expected.trips, key=repr)
    assert [
        (" ".join(row["reasons"]), "|".join(text for _, text in row["row_as_read"]))
        for row in rows.quarantined.to_pylist()
    ] == list(expected.quarantined)


def trips_of(table):
    """The rows of an Arrow table as trips."""
    for name in ("pickup_datetime", "dropoff_datetime"):
        place = table.column_names.index(name)
        text = strftime(table[name].cast("timestamp[s]"), format="%Y-%m-%d %H:%M:%S")
        table = table.set_column(place, name, text)
    rows = table.select(list(Trip._fields)).to_pylist()
    return [Trip(**{**row, "extra_columns": dict(row["extra_columns"])}) for row in rows]
