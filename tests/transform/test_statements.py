"""Snapshot tests of the SQL of each dataset, so that a review sees each change.

`UPDATE_SNAPSHOTS=1 pytest tests/transform` rewrites the snapshots.
"""

import os
import re
from pathlib import Path

import pytest

from taxi_etl.schema import SourceColumn, SourceType, text_columns
from taxi_etl.transform.explanations import checked_columns
from taxi_etl.transform.sources import source_columns
from taxi_etl.transform.statements import transform_sql

SNAPSHOTS = Path(__file__).parent / "snapshots"
TIMESTAMPS = {
    "tpep_pickup_datetime",
    "tpep_dropoff_datetime",
    "lpep_pickup_datetime",
    "lpep_dropoff_datetime",
}
INTEGERS = {"VendorID", "PULocationID", "DOLocationID", "payment_type"}
STRINGS = {"store_and_fwd_flag"}


def official(names: str) -> list[SourceColumn]:
    """Columns of a Parquet file of 2022: doubles where a column may be null."""
    types = (
        dict.fromkeys(TIMESTAMPS, SourceType.TIMESTAMP)
        | dict.fromkeys(INTEGERS, SourceType.INTEGER)
        | dict.fromkeys(STRINGS, SourceType.STRING)
    )
    return [SourceColumn(name, types.get(name, SourceType.DOUBLE)) for name in names.split(",")]


def texts(names: str) -> tuple[SourceColumn, ...]:
    """Columns of a CSV file."""
    return text_columns(names.split(","))


FILES = {
    "yellow": (
        "parquet",
        official(
            "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
            "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,"
            "tolls_amount,improvement_surcharge,total_amount,congestion_surcharge,airport_fee"
        ),
    ),
    "green": (
        "parquet",
        [
            *official(
                "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,PULocationID,DOLocationID,trip_distance"
            ),
            SourceColumn("ehail_fee", SourceType.NULL),
            SourceColumn("request_source", SourceType.STRING),
        ],
    ),
    "fhv": (
        "csv",
        texts(
            "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,Dispatching_base_num"
        ),
    ),
    "fhvhv": (
        "csv",
        texts(
            "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag"
        ),
    ),
    "zones": ("csv", texts("LocationID,Borough,Zone,service_zone")),
}


@pytest.mark.parametrize("dataset", FILES)
def test_the_sql_equals_its_snapshot(dataset):
    _format, columns = FILES[dataset]
    text = transform_sql(dataset, source_columns(columns)) + "\n"
    kept = SNAPSHOTS / f"{dataset}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text)
    assert kept.is_file(), f"{kept} is missing; run with UPDATE_SNAPSHOTS=1 and review it"
    assert text == kept.read_text()


def test_the_second_base_number_of_2018_fills_gaps_and_is_kept(engines):
    _format, columns = FILES["fhv"]
    offered = source_columns(columns)
    row = {column.name: "CAST(NULL AS string)" for column in offered} | {
        "Pickup_DateTime": "'2024-01-05 10:00:00'"
    }
    both = row | {"Dispatching_base_number": "'B1'", "Dispatching_base_num": "'B2'"}
    gap = row | {"Dispatching_base_number": "''", "Dispatching_base_num": "'B2'"}
    for values, base in ((both, "B1"), (gap, "B2")):
        quoted = {f"`{name}`": value for name, value in values.items()}
        [trip] = engines.same(transform_sql("fhv", offered, engines.one_row(quoted)))
        assert (trip[0], trip[7]) == (base, {"Dispatching_base_num": "B2"})


def test_what_a_lenient_column_cannot_hold_is_kept_as_read(engines):
    names = ["vendor_name", "Trip_Pickup_DateTime", "Trip_Dropoff_DateTime"]
    offered = source_columns(text_columns(names))
    time = "'2024-01-05 10:00:00'"
    row = {"vendor_name": "'DDS'", "Trip_Pickup_DateTime": time, "Trip_Dropoff_DateTime": time}
    source = engines.one_row(row | {"surplus": "CAST(NULL AS string)"})
    [trip] = engines.same(transform_sql("yellow", offered, source))
    assert (trip[0], trip[-9]) == (None, {"vendor_name": "DDS"})


def test_a_row_of_untyped_columns_is_quarantined_without_values(engines):
    names = ["vendor_name", "Trip_Pickup_DateTime", "Trip_Dropoff_DateTime"]
    offered = source_columns([SourceColumn(name, SourceType.NULL) for name in names])
    source = engines.one_row(dict.fromkeys(names, "CAST(NULL AS string)"))
    [row] = engines.same(engines.statement("yellow", offered, source))
    assert (row[-4], row[-1]) == ({}, ["missing_datetime"])


def test_a_failure_explains_values_of_an_unreadable_second_source():
    kinds = {"tpep_pickup_datetime": "timestamp[us]", "airport_fee": "double", "Airport_fee": "bool"}
    columns = source_columns([SourceColumn.of_arrow(name, kind) for name, kind in kinds.items()])
    assert [each.source for each in checked_columns("yellow", columns)] == ["airport_fee"]
    assert [each.source for each in checked_columns("yellow", columns[:2])] == []


def test_lines_of_the_snapshots_fit_a_review():
    texts = [path.read_text() for path in SNAPSHOTS.glob("*.sql")]
    assert len(texts) == len(FILES)
    # A regular expression stays in one line.
    lines = [line for text in texts for line in text.split("\n") if " RLIKE r'" not in line]
    assert [line for line in lines if len(line) > 120] == []


def test_raw_values_are_kept_under_their_columns_names():
    names = ["Trip_Distance ", "trip distance", "trip-distance", "ehail", "naïve 名前", "名前", "n" * 100]
    text = transform_sql("green", text_columns(names))
    assert re.findall(r"` AS (raw_\w+)", text) == [
        "raw_trip_distance",
        "raw_trip_distance_2",
        "raw_trip_distance_3",
        "raw_ehail",
        "raw_na_ve",
        "raw_column",
        f"raw_{'n' * 40}",
    ]


def test_names_in_a_view_never_collide():
    columns = text_columns(["a", "A", "", "_run_id", "_row_text"])
    names = [column.name for column in source_columns(columns)]
    assert names == ["a", "A_", "column_3", "_run_id_2", "_row_text_2"]
