"""Tests of the quarantine rules, on both sides of each limit."""

# ruff: noqa: E501 (tables of values read best in one line each)

from datetime import UTC, datetime

import pytest

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import text_columns
from taxi_etl.transform.predicates import PREDICATES, FileSchema, Reason, pickup_range
from taxi_etl.transform.sources import source_columns

FILES = {
    "yellow": "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,PULocationID,DOLocationID,fare_amount",
    "green": "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,DOLocationID,fare_amount",
    "fhv": "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag",
    "fhvhv": "hvfhs_license_num,pickup_datetime,dropoff_datetime,trip_miles,PULocationID,DOLocationID,tolls",
    "zones": "LocationID,Borough,Zone,service_zone",
}
PLAUSIBLE = {
    "vendor_id": "CMT", "VendorID": "2", "dispatching_base_num": "B00001", "hvfhs_license_num": "HV0003",
    "pickup_datetime": "2024-01-05 10:00:00", "lpep_pickup_datetime": "2024-01-05 10:00:00",
    "dropoff_datetime": "2024-01-05 10:20:00", "lpep_dropoff_datetime": "2024-01-05 10:20:00",
    "passenger_count": "1", "trip_distance": "3.5", "trip_miles": "3.5", "PULocationID": "74", "DOLocationID": "42",
    "fare_amount": "18.4", "tolls": "0", "SR_Flag": "",
    "LocationID": "74", "Borough": "Manhattan", "Zone": "East Harlem North", "service_zone": "Boro Zone",
}  # fmt: skip


def reasons_for(engines, dataset: str, **changed: str) -> list[str]:
    """The reasons why a plausible row of a dataset's CSV file, changed so, is in quarantine."""
    names = FILES[dataset].split(",")
    assert set(changed) <= set(names), f"{dataset} has no such column"
    columns = source_columns(text_columns(names))
    row = {name: PLAUSIBLE[name] for name in names} | changed
    values = {
        f"`{name}`": f"'{row[name]}'" if row.get(name) else "CAST(NULL AS string)"
        for name in (column.name for column in columns)
    }
    view = engines.one_row(values)
    [row] = engines.same(engines.statement(dataset, columns, view))
    row_as_read, position, reason_bits, reasons = row[-4:]
    assert position == 7
    assert (reasons == []) == (reason_bits == 0) == (row_as_read is None)
    return list(reasons)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_plausible_trip_is_kept(engines, dataset):
    assert reasons_for(engines, dataset) == []


@pytest.mark.parametrize(
    ("dataset", "changed", "reasons"),
    [
        ("green", {"fare_amount": "abc"}, ["unparseable"]),
        ("yellow", {"passenger_count": "1.5"}, ["unparseable"]),
        ("yellow", {"vendor_id": "DDS"}, []),  # lenient: never got a code
        ("green", {"lpep_pickup_datetime": "yesterday"}, ["unparseable"]),
        ("green", {"lpep_pickup_datetime": ""}, ["missing_datetime"]),
        ("green", {"lpep_dropoff_datetime": " "}, ["missing_datetime"]),
        ("yellow", {"dropoff_datetime": ""}, ["missing_datetime"]),
        ("fhvhv", {"dropoff_datetime": ""}, ["missing_datetime"]),
        ("fhv", {"dropoff_datetime": ""}, []),
        ("fhv", {"pickup_datetime": ""}, ["missing_datetime"]),
        ("green", {"lpep_dropoff_datetime": "2024-01-05 09:59:59"}, ["negative_duration"]),
        ("green", {"lpep_dropoff_datetime": "2024-01-05 10:00:00"}, []),
        ("fhv", {"dropoff_datetime": "2024-01-05 09:59:59"}, ["negative_duration"]),
        # the month in the file's name is January 2024
        ("fhv", {"pickup_datetime": "2022-12-31 23:59:59"}, ["pickup_out_of_range"]),
        ("fhv", {"pickup_datetime": "2023-01-01 00:00:00"}, []),
        ("fhv", {"pickup_datetime": "2025-01-31 23:59:59", "dropoff_datetime": ""}, []),
        ("fhv", {"pickup_datetime": "2025-02-01 00:00:00", "dropoff_datetime": ""}, ["pickup_out_of_range"]),
        ("yellow", {"dropoff_datetime": "2025-01-31 23:59:59"}, []),
        ("yellow", {"dropoff_datetime": "2025-02-01 00:00:00"}, ["dropoff_out_of_range"]),
        ("fhv", {"dropoff_datetime": "2127-01-05 10:20:00"}, ["dropoff_out_of_range"]),
        ("green", {"trip_distance": "-0.01"}, ["implausible_distance"]),
        ("fhv", {"pickup_datetime": "2127-01-05 10:00:00", "dropoff_datetime": "2127-01-05 10:20:00"}, ["pickup_out_of_range"]),
        # other tools' texts for null
        ("yellow", {"passenger_count": "NA", "fare_amount": "\\\\N", "vendor_id": "null", "PULocationID": "-"}, []),
        ("yellow", {"fare_amount": "NaN", "trip_distance": "None"}, []),
        ("yellow", {"fare_amount": "NA", "trip_distance": "none seen"}, ["unparseable"]),
        ("yellow", {"pickup_datetime": "NaT"}, ["missing_datetime"]),
        ("yellow", {"dropoff_datetime": "NULL"}, ["missing_datetime"]),
        ("fhv", {"dropoff_datetime": "NULL", "SR_Flag": "<NA>"}, []),
        ("green", {"trip_distance": "0"}, []),
        ("yellow", {"trip_distance": "1000"}, []),
        ("yellow", {"trip_distance": "1000.01"}, ["implausible_distance"]),
        ("fhvhv", {"trip_miles": "1000.01"}, ["implausible_distance"]),
        ("yellow", {"PULocationID": "0"}, ["unknown_location"]),
        ("yellow", {"DOLocationID": "266"}, ["unknown_location"]),
        ("fhv", {"PULocationID": "265", "DOLocationID": "264"}, []),
        ("fhvhv", {"PULocationID": "", "DOLocationID": "1"}, []),
        ("yellow", {"fare_amount": "-52", "passenger_count": "", "trip_distance": "0"}, []),
        (
            "green",
            {"lpep_dropoff_datetime": "2024-01-05 09:00:00", "trip_distance": "-1", "PULocationID": "0", "fare_amount": "x"},
            ["unparseable", "negative_duration", "implausible_distance", "unknown_location"],
        ),
    ],
)  # fmt: skip
def test_a_row_is_quarantined_with_every_reason_that_applies(engines, dataset, changed, reasons):
    assert reasons_for(engines, dataset, **changed) == reasons


def test_a_rule_about_columns_that_a_file_lacks_is_silent():
    columns = text_columns(["Dispatching_base_num", "Pickup_date", "locationID"])
    schema = FileSchema.of(DATASETS["fhv"], columns)
    silent = {reason for reason, predicate in PREDICATES.items() if predicate(schema) is None}
    assert silent == {Reason.NEGATIVE_DURATION, Reason.DROPOFF_OUT_OF_RANGE, Reason.IMPLAUSIBLE_DISTANCE}


@pytest.mark.parametrize(
    ("month", "first", "behind"),
    [
        ((2024, 1), datetime(2023, 1, 1), datetime(2025, 2, 1)),
        ((2024, 12), datetime(2023, 12, 1), datetime(2026, 1, 1)),
        ((2009, 1), datetime(2008, 1, 1), datetime(2010, 2, 1)),
        (None, datetime(2009, 1, 1), datetime(2025, 7, 2, 12, 0)),
    ],
)
def test_pickups_may_be_a_year_around_the_month_or_since_2009_without_one(month, first, behind):
    assert pickup_range(month, datetime(2025, 7, 1, 12, 0, tzinfo=UTC)) == (first, behind)
