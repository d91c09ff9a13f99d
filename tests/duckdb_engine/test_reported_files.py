"""Tests of the reported files through the DuckDB engine: each ends as written by hand, or is declined."""

import pytest

from loading.engine import Declined
from tests.fixtures.reported_cases import (
    CASES,
    Failed,
    Loaded,
    Rejected,
    Trip,
    need_reported_files,
    reported_file,
)

DECLINED = {
    "c16b_thousands_unquoted": "Expected Number of Columns: 18 Found: 19",
    "c44d_short_row_amid": "Expected Number of Columns: 18 Found: 9",
    "p01_airport_fee_twice": "some column names differ only in case",
    "p09_duckdb_v2": "it has an encoding that Spark decodes row by row",
}
"""The cases that the Glue job loads instead, with the reason."""
PASSED = {name: case.outcome for name, case in CASES.items() if type(case.outcome) is not Rejected}
"""The cases that pass validation."""


def trip(row) -> Trip:
    """A row of yellow_trips as the cases write it."""
    values = {name: row[name] for name in Trip._fields}
    times = {name: str(values[name]) for name in ("pickup_datetime", "dropoff_datetime")}
    return Trip(**values | times | {"extra_columns": dict(row["extra_columns"])})


def test_each_reported_file_ends_as_written_by_hand(lake):
    """One load of all files that are not declined."""
    need_reported_files()
    keys = {}
    for name in PASSED.keys() - DECLINED:
        path, keys[name] = reported_file(name)
        lake.storage.put(keys[name], path)

    results = {file.version.key: file for file in lake.load(*keys.values()).files}

    for name, key in keys.items():
        expected, file = PASSED[name], results[key]
        if isinstance(expected, Failed):
            assert file.failure.code == expected.code, name
            assert [word for word in expected.words if word not in file.failure.message] == [], name
            continue
        assert isinstance(expected, Loaded)
        assert (file.failure, expected.quarantined, file.quarantined) == (None, (), 0), name
        found = [trip(row) for row in lake.rows("yellow", key)]
        assert sorted(found, key=repr) == sorted(expected.trips, key=repr), name
        document = file.to_json()
        assert tuple(each["name"] for each in document.get("columnsLeftOut", [])) == expected.left_out
        assert tuple(document.get("columnsFromKey", ())) == expected.from_key


@pytest.mark.parametrize("name", DECLINED)
def test_a_reported_file_is_declined(lake, name):
    need_reported_files()
    path, key = reported_file(name)
    lake.storage.put(key, path)

    with pytest.raises(Declined, match=DECLINED[name]):
        lake.load(key)
