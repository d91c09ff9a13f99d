"""Tests that every published layout is recognized by its columns, and other files are rejected with a reason."""

# ruff: noqa: E501 (tables of values read best in one line each)

import io
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.datasets import DATASETS
from taxi_etl.failures import FailureCode
from taxi_etl.recognition import month_of, recognize, variant
from taxi_etl.schema import (
    INT96,
    Instants,
    SourceColumn,
    SourceType,
    match_columns,
    text_columns,
    with_instants,
)

HEADERS = {
    "yellow 2009": "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,Start_Lon,Start_Lat,Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,Total_Amt",
    "yellow 2014": "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_longitude, pickup_latitude, rate_code, store_and_fwd_flag, dropoff_longitude, dropoff_latitude, payment_type, fare_amount, surcharge, mta_tax, tip_amount, tolls_amount, total_amount",
    "yellow 2015": "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount",
    "yellow 2025": "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge,Airport_fee,cbd_congestion_fee",
    "green 2013": "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,Ehail_fee,Total_amount,Payment_type,Trip_type ",
    "green 2025": "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,congestion_surcharge,cbd_congestion_fee",
    "fhv 2015": "Dispatching_base_num,Pickup_date,locationID",
    "fhv 2017": "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID",
    "fhv 2018": "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,Dispatching_base_num",
    "fhv 2020": "dispatching_base_num,pickup_datetime,dropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Affiliated_base_number",
    "fhvhv 2019": "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag",
    "fhvhv 2025": "hvfhs_license_num,dispatching_base_num,originating_base_num,request_datetime,on_scene_datetime,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,trip_miles,trip_time,base_passenger_fare,tolls,bcf,sales_tax,congestion_surcharge,airport_fee,tips,driver_pay,shared_request_flag,shared_match_flag,access_a_ride_flag,wav_request_flag,wav_match_flag,cbd_congestion_fee",
    "zones 2016": "locationid,borough,zone,service_zone",
    "zones 2024": "LocationID,Borough,Zone,service_zone",
}  # fmt: skip
X1 = "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code_id,store_and_fwd_flag,pickup_location_id,dropoff_location_id,payment_type,fare_amount"
X2 = "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code,fare_amount,imp_surcharge,airport_fee,total_amount,pickup_location_id,data_file_year"


def texts(header: str) -> tuple[SourceColumn, ...]:
    return text_columns(header.split(","))


@pytest.mark.parametrize("layout", HEADERS)
def test_every_column_of_a_published_layout_is_known(layout):
    dataset = layout.split()[0]
    columns = texts(HEADERS[layout])
    assert recognize(columns, "any.csv").dataset == dataset
    assert match_columns(DATASETS[dataset], columns).unknown == ()


def test_the_name_decides_only_between_equals():
    assert recognize(texts(X1), "raw/taxi/yellow_tripdata_sample_2019-01.csv").dataset == "yellow"
    assert recognize(texts(X1), "green_tripdata_2019-01.csv").dataset == "green"
    undecided = recognize(texts(X1), "trips.csv")
    assert [failure.code for failure in undecided.failures] == [FailureCode.UNKNOWN_DATASET]
    assert "yellow and green" in undecided.failures[0].message
    assert recognize(texts(X2), "green.csv").dataset == "yellow", (
        "columns that only yellow has outweigh the name"
    )
    assert recognize(texts(HEADERS["green 2025"]), "yellow_tripdata_2025-01.parquet").dataset == "green"


def test_a_folder_decides_where_the_file_name_does_not():
    assert recognize(texts(X1), "exports/green/part-0.csv").dataset == "green"
    assert recognize(texts(X1), "taxi_type=yellow/part-0.csv").dataset == "yellow"
    assert recognize(texts(X1), "green/yellow_2019-01.csv").dataset == "yellow"


def test_a_header_without_a_known_separator_is_refused_with_the_known_ones():
    [failure] = recognize(texts(HEADERS["green 2025"].replace(",", "^")), "green.csv").failures
    assert failure.message.endswith("separated by commas, semicolons, tabs or bars")


def test_a_file_of_something_else_is_unknown():
    for header in ("LocationID,Borough,Shape_Leng", "ride_id,started_at,ended_at", "a"):
        found = recognize(texts(header), "yellow_tripdata_2024-01.csv")
        assert (found.dataset, [failure.code for failure in found.failures]) == (
            None,
            [FailureCode.UNKNOWN_DATASET],
        )


@pytest.mark.parametrize(
    ("layout", "without", "named"),
    [
        ("yellow 2025", "tpep_dropoff_datetime", "dropoff_datetime"),
        ("green 2025", "lpep_pickup_datetime", "pickup_datetime"),
        ("fhv 2020", "dispatching_base_num", "dispatching_base_num"),
        ("fhvhv 2025", "hvfhs_license_num", "hvfhs_license_num"),
    ],
)
def test_a_layout_without_a_column_it_needs_is_refused_by_name(layout, without, named):
    header = ",".join(name for name in HEADERS[layout].split(",") if name != without)
    [failure] = recognize(texts(header), "any.csv").failures
    assert failure.code is FailureCode.MISSING_COLUMNS
    assert named in failure.message
    assert failure.message.startswith(layout.split()[0])


def test_a_column_of_a_type_that_cannot_be_read_is_refused_with_both_types():
    types = {"lpep_pickup_datetime": SourceType.INTEGER, "trip_distance": SourceType.BOOLEAN}
    columns = [
        SourceColumn(name, types.get(name, SourceType.TEXT)) for name in HEADERS["green 2025"].split(",")
    ]
    found = recognize(columns, "any.parquet")
    assert [(failure.code, failure.message) for failure in found.failures] == [
        (
            "missing_columns",
            "column 'lpep_pickup_datetime' holds integer values, but green needs timestamp_ntz",
        ),
        ("missing_columns", "column 'trip_distance' holds boolean values, but green needs double"),
    ]


def test_a_second_source_that_no_text_says_is_rejected_with_both_types():
    columns = [*texts(HEADERS["green 2025"]), SourceColumn.of_arrow("trip_distance_", "list<item: double>")]
    found = recognize(columns, "any.parquet")
    assert [(failure.code, failure.message) for failure in found.failures] == [
        ("missing_columns", "column 'trip_distance_' holds list<item: double> values, but green needs double")
    ]
    assert recognize([*columns[:-1], replace(columns[-1], type=SourceType.BOOLEAN)], "x").dataset == "green"


@pytest.mark.parametrize("arrow", ["list<item: double>", "struct<x: int64>", "halffloat", "uint64", "binary"])
def test_an_extra_column_of_any_type_rejects_no_file(arrow):
    columns = [*texts(HEADERS["green 2025"]), SourceColumn.of_arrow("geometry", arrow)]
    found = recognize(columns, "any.parquet")
    assert (found.dataset, found.failures) == ("green", ())


@pytest.mark.parametrize(
    ("saved", "named"),
    [
        (pa.timestamp("us", tz="UTC"), "timestamp[us, tz=UTC]"),
        (pa.timestamp("ns", tz="America/New_York"), "timestamp[ns, tz=America/New_York]"),
        (INT96, INT96),
    ],
)
def test_instants_are_refused_because_their_wall_clock_is_unknown(saved, named):
    times = pa.array([datetime(2024, 1, 5, 10)], pa.timestamp("us") if saved is INT96 else saved)
    table = pa.table({"tpep_pickup_datetime": times, "tpep_dropoff_datetime": times, "trip_distance": [1.5]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, use_deprecated_int96_timestamps=saved is INT96)
    content = buffer.getvalue()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") :]

    found = recognize(read_footer(footer).columns, "yellow_tripdata_2024-01.parquet")

    assert found.failures[0].message == (
        f"column 'tpep_pickup_datetime' holds {named} values, but yellow needs timestamp_ntz"
    )
    assert len(found.failures) == 2
    for how in (Instants.UTC_IS_WALL_CLOCK, Instants.TO_NEW_YORK):
        columns = with_instants(read_footer(footer).columns, how)
        assert recognize(columns, "yellow_tripdata_2024-01.parquet").dataset == "yellow"


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("raw/taxi/2021-05/green_tripdata_2024-01.parquet", (2024, 1)),
        ("yellow_tripdata_sample_2019-12.csv", (2019, 12)),
        ("export-2024-05-17_yellow_tripdata_2022-01.csv", (2022, 1)),
        ("trips_2023_11.csv", (2023, 11)),
        ("trips_2023-11_and_2023-12.csv", None),
        ("yellow_tripdata_2024-13.csv", None),
        ("yellow_tripdata_2008-12.csv", None),
        ("trips.csv", None),
        ("id12024-01.csv", None),
        ("2026-11-27-1200_yellow_part-0.csv", None),
        ("yellow_2026_11_27.csv", None),
        ("yellow_tripdata_2026-11-27.csv", None),
        ("2026-11-27_trips_2019-01.csv", (2019, 1)),
        ("trips_2019-01_2.csv", (2019, 1)),
        ("yellow_tripdata_2019-01_2019-03.csv", None),
        ("yellow_tripdata_2019-01-to-2019-12.csv", None),
        ("yellow_tripdata_2019-01_2026-11-27.csv", (2019, 1)),
        ("part-00000-6c1f2019-01ab-4b2c-8d3e.csv", None),
    ],
)
def test_the_month_comes_from_the_name_and_only_where_it_is_clear(name, month):
    assert month_of(name) == month


def test_files_with_the_same_read_schema_share_a_variant_name():
    columns = texts(HEADERS["fhv 2015"])
    assert variant("fhv", "csv", columns) == variant("fhv", "csv", tuple(columns))
    assert variant("fhv", "csv", columns).startswith("fhv-csv-3-")
    assert variant("fhv", "csv", columns) != variant("fhv", "csv", columns[::-1])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("pu_location_id", "pickup_location_id"),
        ("DO Location ID", "dropoff_location_id"),
        ("ratecode_id", "rate_code_id"),
        ("Vendor-ID", "vendor_id"),
        ("trip.distance", "trip_distance"),
        ("storeAndFwdFlag", "store_and_fwd_flag"),
        ("imp_surcharge", "improvement_surcharge"),
        ("TOTAL_AMT", "total_amount"),
        ("passengers", "passenger_count"),
        ("payment_method", "payment_type"),
        ("total_fare", "total_amount"),
        ("PUZone", "pickup_location_id"),
        ("dropoff_zone_id", "dropoff_location_id"),
        ("pickup_lat", "pickup_latitude"),
    ],
)
def test_names_match_by_letters_and_digits_and_by_aliases(name, column):
    matches = match_columns(DATASETS["yellow"], texts(name))
    assert {home: found[0].name for home, found in matches.sources.items()} == {column: name}


REPUBLISHED = {
    "Azure": ("yellow", "vendorID,tpepPickupDateTime,tpepDropoffDateTime,passengerCount,tripDistance,puLocationId,doLocationId,startLon,startLat,endLon,endLat,rateCodeId,storeAndFwdFlag,paymentType,fareAmount,extra,mtaTax,improvementSurcharge,tipAmount,tollsAmount,totalAmount,puYear,puMonth"),
    "Azure fhv": ("fhv", "dispatchBaseNum,pickupDateTime,dropOffDateTime,puLocationId,doLocationId,srFlag,puYear,puMonth"),
    "ClickHouse": ("green", "trip_id,vendor_id,pickup_date,pickup_datetime,dropoff_date,dropoff_datetime,store_and_fwd_flag,rate_code_id,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,pickup,dropoff,cab_type,pickup_nyct2010_gid,pickup_borocode,pickup_ntaname"),
    "Kaggle": ("yellow", "id,vendor_id,pickup_datetime,dropoff_datetime,passenger_count,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,store_and_fwd_flag,trip_duration"),
    "DuckDB": ("yellow", "vendor_id,pickup_at,dropoff_at,passenger_count,trip_distance,rate_code_id,store_and_fwd_flag,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,total_amount"),
    "seaborn": ("yellow", "pickup,dropoff,passengers,distance,fare,tip,tolls,total,color,payment,pickup_zone,dropoff_zone,pickup_borough,dropoff_borough"),
    "dlt": ("fhvhv", "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,pu_location_id,do_location_id,trip_miles,_dlt_id,_dlt_load_id"),
}  # fmt: skip


@pytest.mark.parametrize("tool", REPUBLISHED)
def test_copies_of_other_tools_are_recognized(tool):
    dataset, header = REPUBLISHED[tool]
    found = recognize(texts(header), f"{dataset}.csv")
    assert (found.dataset, found.failures) == (dataset, ())


def test_a_synonym_feeds_a_column_only_if_no_other_source_does():
    both = match_columns(DATASETS["yellow"], texts("tpep_pickup_datetime,pickup_time"))
    assert [column.name for column in both.sources["pickup_datetime"]] == ["tpep_pickup_datetime"]
    assert [column.name for column in both.unknown] == ["pickup_time"]


def test_the_date_beside_the_time_of_pickup_is_an_extra_column():
    columns = texts(f"{HEADERS['fhv 2020']},pickup_date")
    sources = match_columns(DATASETS["fhv"], columns).sources["pickup_datetime"]
    assert [column.name for column in sources] == ["pickup_datetime", "pickup_date"]


def test_a_column_of_nulls_is_never_preferred():
    columns = [SourceColumn("airport_fee", SourceType.NULL), SourceColumn("Airport_fee", SourceType.DOUBLE)]
    matches = match_columns(DATASETS["yellow"], columns)
    assert [column.name for column in matches.sources["airport_fee"]] == ["Airport_fee", "airport_fee"]


@pytest.mark.parametrize(
    ("known", "given"),
    [
        ("PULocationID", "PULocation"),
        ("PULocationID", "PULocatoinID"),
        ("tolls_amount", "amount_tolls"),
        ("tip_amount", "tip_amount_usd"),
        ("fare_amount", "fare_usd"),
        ("trip_distance", "trip_distance_km"),
        ("congestion_surcharge", "congestion"),
        ("payment_type", "paymenttypes"),
        ("payment_type", "pay_type"),
        ("trip_distance", "miles"),
        ("trip_distance", "trip_dist"),
        ("tip_amount", "tips"),
        ("tip_amount", "gratuity"),
        ("tolls_amount", "toll"),
        ("fare_amount", "base_fare"),
        ("extra", "extra_amount"),
        ("passenger_count", "pax"),
        ("VendorID", "vendor_code"),
    ],
)
def test_a_name_close_to_a_column_that_the_file_lacks_rejects_the_file(known, given):
    header = HEADERS["yellow 2025"].replace(known, given)
    [failure] = recognize(texts(header), "any.csv").failures
    assert failure.code is FailureCode.UNCLEAR_COLUMN
    assert f"column '{given}' resembles yellow's " in failure.message


def test_a_required_column_with_another_spelling_is_named_in_the_rejection():
    header = HEADERS["green 2025"].replace("lpep_pickup_datetime", "lpep_pikup_datetime")
    [failure] = recognize(texts(header), "any.csv").failures
    assert failure.code is FailureCode.MISSING_COLUMNS
    assert "column 'lpep_pikup_datetime' resembles green's 'pickup_datetime'" in failure.message


@pytest.mark.parametrize(
    "name",
    [
        "trip_duration",
        "pickup_hour",
        "pickup_date",
        "pickup_zone",
        "tip_percentage",
        "fare_amount_2",
        "fare_per_mile",
        "speed_mph",
        "is_airport",
        "congestion_zone",
        "loaded_at",
        "zone",
        "id",
    ],
)
def test_other_columns_are_extra_columns(name):
    found = recognize(texts(f"{HEADERS['yellow 2025']},{name}"), "any.csv")
    assert (found.dataset, found.failures) == ("yellow", ())
