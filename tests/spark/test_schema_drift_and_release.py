"""Tests of loads after a change of a file's columns, of a dataset or of a quarantine rule."""

from dataclasses import replace

import pytest

from taxi_etl.datasets import DATASETS, GREEN
from taxi_etl.schema import Column, ColumnType
from taxi_etl.transform import predicates

A = "raw/taxi/green_tripdata_2026-06.csv"
B = "raw/taxi/green_tripdata_2026-07.csv"
HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID"
NEAR = "2,2026-06-05 10:00:00,2026-06-05 10:20:00,3.5,74"
FAR = "2,2026-06-05 10:00:00,2026-06-05 10:20:00,2500,74"


def csv(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def test_a_new_column_is_kept_and_reported_until_it_gets_a_type(lake, monkeypatch):
    lake.storage.put(A, csv(NEAR + ",app", header=HEADER + ",request_source"))
    lake.storage.put(B, csv(NEAR))
    result = lake.load(A, B)

    assert [file.new_columns for file in result.files] == [("request_source",), ()]
    assert {"tip_amount", "cbd_congestion_fee"} <= set(result.files[0].missing_columns)
    assert result.schema_changed

    typed = Column("request_source", ColumnType.STRING, "How the ride was requested")
    monkeypatch.setitem(DATASETS, "green", replace(GREEN, columns=(*GREEN.columns, typed)))
    again = lake.load(A)

    assert again.files[0].new_columns == ()
    assert again.schema_changed, "the table has a new column"
    rows = lake.query("SELECT request_source, extra_columns, tip_amount FROM {green} ORDER BY 1 NULLS LAST")
    assert rows == [("app", {}, None), (None, {}, None)]
    assert not lake.load(A).schema_changed


@pytest.mark.parametrize("released_by", ["a changed rule", "a larger share"])
def test_replay_after_a_change_moves_quarantined_rows_into_the_table(lake, monkeypatch, released_by):
    lake.storage.put(A, csv(NEAR, FAR, FAR))
    lake.storage.put(B, csv(NEAR, FAR))
    [failed, loaded] = lake.load(A, B).files
    assert (failed.failure.code, loaded.reasons) == ("too_many_quarantined", {"implausible_distance": 1})
    assert (lake.count("green"), lake.count("quarantine", B)) == (1, 1)

    if released_by == "a changed rule":
        monkeypatch.setattr(predicates, "FARTHEST_MILES", 3000)
        arguments, written, quarantined = [], {A: 3, B: 2}, {A: 0, B: 0}
    else:
        arguments, written, quarantined = ["--max-quarantine-share", "0.9"], {A: 1, B: 1}, {A: 2, B: 1}

    for _ in ("replay", "the same replay again"):
        assert [file.failure for file in lake.load(A, B, arguments=arguments).files] == [None, None]
        assert {key: lake.count("green", key) for key in (A, B)} == written
        assert {key: lake.count("quarantine", key) for key in (A, B)} == quarantined
        assert lake.count("quarantine") == sum(quarantined.values()), "no row of the failed version is left"


def test_the_documented_query_shows_why_rows_are_in_quarantine(lake):
    lake.storage.put(A, csv(FAR))
    lake.storage.put(B, csv(NEAR, NEAR, FAR.replace(",74", ",999")))
    lake.load(A, B)
    assert lake.count("quarantine") == 2

    rows = lake.query(
        """
        SELECT source_file, reason, count(*) AS rows, max(row_as_read['trip_distance']) AS example
        FROM {quarantine} LATERAL VIEW explode(reasons) AS reason
        WHERE file_failure IS NULL
        GROUP BY source_file, reason ORDER BY reason
        """
    )

    uri = f"s3://lake/{B}"
    assert rows == [(uri, "implausible_distance", 1, "2500"), (uri, "unknown_location", 1, "2500")]
