"""Tests that values load from the types in which tools save them: nanoseconds, decimals, narrow numbers."""

import math
import uuid
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.duckdb_views import contents_of
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from taxi_etl.schema import DateOrder, Instants, with_instants

PICKUP = datetime(2024, 1, 5, 10, 0, 0, 1)


def saved(**columns: pa.Array) -> pa.Table:
    """A yellow table of as many rows as the first column."""
    rows = len(next(iter(columns.values())))
    times = pa.array([PICKUP] * rows, pa.timestamp("us"))
    return pa.table({"tpep_pickup_datetime": times, "tpep_dropoff_datetime": times, **columns})


def accepted(path: Path) -> AcceptedFile:
    """The manifest's entry of a yellow file."""
    version = FileVersion("lake", f"raw/taxi/{path.name}", "v1")
    return AcceptedFile(version, "yellow", "parquet", contents_of(path).columns)


def load(engines, tmp_path, table: pa.Table):
    path = tmp_path / "yellow_tripdata_2024-01.parquet"
    pq.write_table(table, path)
    return engines.transform(path)


def test_decimals_are_the_numbers_they_are_nearest_to(engines, tmp_path):
    amounts = [Decimal("0.000000000"), Decimal("-12.500000000"), Decimal("17.840000000"), None]
    found = load(
        engines,
        tmp_path,
        saved(
            VendorID=pa.array([1, 2, 2, None], pa.decimal128(38, 0)),
            fare_amount=pa.array(amounts, pa.decimal128(38, 9)),
            tip_amount=pa.array([Decimal("1.25")] * 4, pa.decimal128(7, 2)),
            passenger_count=pa.array(
                [Decimal("1.0"), Decimal("2.5"), None, Decimal("3.0")], pa.decimal128(4, 1)
            ),
            request_fee=pa.array(amounts, pa.decimal128(38, 9)),
        ),
    )

    columns = ("vendor_id", "fare_amount", "tip_amount", "passenger_count")
    rows = [
        (*(row[column] for column in columns), dict(row["extra_columns"])) for row in found.trips.to_pylist()
    ]
    assert sorted(rows, key=repr) == [
        (1, 0.0, 1.25, 1, {"request_fee": "0.0"}),
        (2, 17.84, 1.25, None, {"request_fee": "17.84"}),
        (None, None, 1.25, 3, {}),
    ]
    [held] = found.quarantined.to_pylist()
    assert held["reasons"] == ["unparseable"], "no passenger is halved"
    read = dict(held["row_as_read"])
    assert (read["passenger_count"], read["fare_amount"], held["position"]) == ("2.5", "-12.5", 1)


def test_a_nan_is_null_although_column_statistics_omit_it(engines, tmp_path):
    # Parquet's statistics omit NaN: the footer of this file declares distances from 1 to 2,000.
    found = load(
        engines,
        tmp_path,
        saved(
            trip_distance=pa.array([math.nan, 1.0, 2000.0, math.nan]),
            PULocationID=pa.array([math.nan, 1.0, 1.0, 300.0]),
        ),
    )

    trips = [(row["trip_distance"], row["pickup_location_id"]) for row in found.trips.to_pylist()]
    assert sorted(trips, key=repr) == [(1.0, 1), (None, None)]
    held = {row["position"]: row["reasons"] for row in found.quarantined.to_pylist()}
    assert held == {2: ["implausible_distance"], 3: ["unknown_location"]}


def test_nanoseconds_are_cut_to_microseconds_also_before_1970(engines, tmp_path):
    nanos = pa.array([1_704_448_800_000_001_999, -1], pa.int64()).cast(pa.timestamp("ns"))
    table = pa.table(
        {"tpep_pickup_datetime": nanos, "tpep_dropoff_datetime": nanos, "trip_distance": [1.0, 1.0]}
    )

    found = load(engines, tmp_path, table)

    assert found.trips["pickup_datetime"].to_pylist() == [PICKUP]
    [held] = found.quarantined.to_pylist()
    assert held["reasons"] == ["pickup_out_of_range"]
    assert dict(held["row_as_read"])["tpep_pickup_datetime"] == "1969-12-31 23:59:59.999999"


@pytest.mark.parametrize(
    ("how", "pickups"),
    [
        (Instants.UTC_IS_WALL_CLOCK, [datetime(2024, 1, 5, 10, 0, 0, 1), datetime(2024, 7, 4, 10)]),
        (Instants.TO_NEW_YORK, [datetime(2024, 1, 5, 5, 0, 0, 1), datetime(2024, 7, 4, 6)]),
    ],
)
def test_instants_in_nanoseconds_are_read_as_the_setting_says(engines, tmp_path, interpreted, how, pickups):
    # pandas saves times with a zone so.
    nanos = pa.array([1_704_448_800_000_001_999, 1_720_087_200_000_000_000, None], pa.int64())
    times = nanos.cast(pa.timestamp("ns", "America/New_York"))
    path = tmp_path / "yellow_tripdata_2024-01.parquet"
    pq.write_table(pa.table({"tpep_pickup_datetime": times, "tpep_dropoff_datetime": times}), path)
    file = accepted(path)
    file = replace(file, columns=with_instants(file.columns, how))

    found = engines.transform_accepted(path, AcceptedFile.from_json("lake", file.to_json()))

    assert sorted(found.trips["pickup_datetime"].to_pylist()) == pickups
    assert found.quarantined["reasons"].to_pylist() == [["missing_datetime"]]


def test_narrow_numbers_and_coded_texts_arrive(engines, tmp_path):
    found = load(
        engines,
        tmp_path,
        saved(
            VendorID=pa.array([2], pa.int8()),
            passenger_count=pa.array([3], pa.uint16()),
            trip_distance=pa.array([0.5], pa.float32()),
            store_and_fwd_flag=pa.array(["N"]).dictionary_encode(),
            payment_type=pa.array(["Cash"], pa.large_string()),
            day=pa.array([date(2024, 1, 5)]),
            shared=pa.array([True]),
            nothing=pa.nulls(1),
        ),
    )

    [row] = found.trips.to_pylist()
    assert (row["vendor_id"], row["passenger_count"], row["trip_distance"]) == (2, 3, 0.5)
    assert (row["store_and_fwd_flag"], row["payment_type"]) == ("N", 2)
    assert dict(row["extra_columns"]) == {"day": "2024-01-05", "shared": "true"}


LARGEST = 18_446_744_073_709_551_615
"""The largest number of 64 bits."""


def test_unsigned_numbers_and_unmarked_texts_arrive(engines, tmp_path):
    found = load(
        engines,
        tmp_path,
        saved(
            VendorID=pa.array([2, 1, 1], pa.uint64()),
            PULocationID=pa.array([74, None, LARGEST], pa.uint64()),
            fare_amount=pa.array([12, None, 3], pa.uint64()),
            store_and_fwd_flag=pa.array([b"N", None, b"Y"], pa.binary()),
            payment_type=pa.array([b"Cash", b"1", b"2"], pa.large_binary()),
        ),
    )

    columns = ("vendor_id", "pickup_location_id", "fare_amount", "store_and_fwd_flag", "payment_type")
    rows = [tuple(row[column] for column in columns) for row in found.trips.to_pylist()]
    assert sorted(rows, key=repr) == [(1, None, None, None, 1), (2, 74, 12.0, "N", 2)]
    [held] = found.quarantined.to_pylist()
    assert held["reasons"] == ["unparseable"]
    assert dict(held["row_as_read"])["PULocationID"] == "18446744073709551615"


def test_extra_columns_of_other_types_are_kept_as_exact_texts(engines, tmp_path):
    identity = uuid.UUID("12345678-9abc-def0-1234-56789abcdef0")
    late = timedelta(hours=23, minutes=59, seconds=59, microseconds=1)
    instants = pa.array([datetime(2024, 1, 5, 10, 0, 0, 250_000), None], pa.timestamp("us", "UTC"))
    found = load(
        engines,
        tmp_path,
        saved(
            row_hash=pa.array([LARGEST, None], pa.uint64()),
            note=pa.array(["Straße".encode(), None], pa.binary()),
            shape=pa.array([b"\x01\x00\xff", None], pa.binary()),
            code=pa.array([b"NY", None], pa.binary(2)),
            trip_id=pa.array([identity.bytes, None], pa.uuid()),
            loaded_at=instants,
            loaded_in_york=pa.array(
                [1_704_448_800_000_000_000, None], pa.timestamp("ns", "America/New_York")
            ),
            seen_before=pa.array([-1, None], pa.timestamp("ns", "UTC")),
            noon=pa.array([time(12), None], pa.time64("us")),
            late=pa.array([time(23, 59, 59, 1000), None], pa.time32("ms")),
            took=pa.array([timedelta(minutes=15, seconds=31), None], pa.duration("us")),
            took_exactly=pa.array([late, None], pa.duration("ns")),
            took_less=pa.array([-90, None], pa.duration("s")),
        ),
    )

    texts = [dict(row["extra_columns"]) for row in found.trips.to_pylist()]
    assert sorted(texts, key=len) == [
        {},
        {
            "row_hash": "18446744073709551615",
            "note": "Straße",
            "shape": "0x0100FF",
            "code": "NY",
            "trip_id": "12345678-9abc-def0-1234-56789abcdef0",
            "loaded_at": "2024-01-05 10:00:00.25+00:00",
            "loaded_in_york": "2024-01-05 10:00:00+00:00",
            "seen_before": "1969-12-31 23:59:59.999999+00:00",
            "noon": "12:00:00",
            "late": "23:59:59.001",
            "took": "931000000 us",
            "took_exactly": "86399000001000 ns",
            "took_less": "-90 s",
        },
    ]


def test_columns_that_no_text_says_exactly_are_left_out(engines, tmp_path):
    found = load(
        engines,
        tmp_path,
        saved(
            path=pa.array([[1, 2], None]),
            place=pa.array([{"lat": 40.5}, None]),
            half=pa.array([1.5, None], pa.float16()),
            note=pa.array(["kept", None]),
        ),
    )
    texts = [dict(row["extra_columns"]) for row in found.trips.to_pylist()]
    assert sorted(texts, key=len) == [{}, {"note": "kept"}]


def test_names_that_differ_in_case_feed_one_column(engines, tmp_path):
    found = load(
        engines,
        tmp_path,
        saved(airport_fee=pa.array([1.25, None, None]), Airport_fee=pa.array([None, 1.75, None])),
    )
    assert sorted(found.trips["airport_fee"].to_pylist(), key=repr) == [1.25, 1.75, None]


def test_columns_of_different_types_feed_one_column_exactly(engines, tmp_path, interpreted):
    # As in a table joined of two years, in which each row has a value in one of both columns.
    time, text = datetime(2024, 1, 5, 10, 0, 0, 1), "01/05/2024 11:30:00 AM"
    number, integer = pa.float64(), pa.int64()
    table = pa.table(
        {
            "tpep_pickup_datetime": pa.array([time, None, time], pa.timestamp("us")),
            "pickup_datetime": pa.array([None, time, None], pa.timestamp("ns")),
            "tpep_dropoff_datetime": pa.array([text, None, text]),
            "dropoff_datetime": pa.array([None, time, None], pa.timestamp("us")),
            "VendorID": pa.array([None, 1, 1], integer),
            "vendor_id": pa.array(["VTS", "VTS", None]),
            "passenger_count": pa.array([None, 3, None], integer),
            "Passenger_Count": pa.array([2.0, 4.0, 2.5], number),
            "airport_fee": pa.array([None, 1.25, None], number),
            "Airport_fee": pa.array([9_007_199_254_740_993, None, 1], integer),
            "fare_amount": pa.array([None, Decimal("0.10"), None], pa.decimal128(4, 2)),
            "Fare_Amount": pa.array([Decimal("0.1234567890"), None, None], pa.decimal128(38, 10)),
            "payment_type": pa.array(["NA", "Cash", "NA"]),
            "Payment_Type": pa.array([1, None, None], integer),
            "store_and_fwd_flag": pa.array(["-", "N", None]),
            "Store_And_Fwd_Flag": pa.array([True, None, None]),
            "tolls_amount": pa.nulls(3),
            "Tolls_Amount": pa.array([6.5, None, None], number),
            "extra": pa.array([None, b"-0.5", b"1"], pa.binary()),
            "Extra": pa.array(["2.5", "1", None]),
        }
    )

    path = tmp_path / "yellow_tripdata_2024-01.parquet"
    pq.write_table(table, path)
    file = accepted(path)
    month_first = tuple(
        replace(column, date_order=DateOrder.MDY) if column.name == "tpep_dropoff_datetime" else column
        for column in file.columns
    )
    found = engines.transform_accepted(path, replace(file, columns=month_first))

    columns = [
        "pickup_datetime", "dropoff_datetime", "vendor_id", "passenger_count", "airport_fee",
        "fare_amount", "payment_type", "store_and_fwd_flag", "tolls_amount", "extra",
    ]  # fmt: skip
    trips = found.trips.select(columns).sort_by("vendor_id").to_pylist()
    morning = datetime(2024, 1, 5, 11, 30)
    assert [tuple(row.values()) for row in trips] == [
        (time, time, 1, 3, 1.25, 0.1, 2, "N", None, -0.5),
        (time, morning, 2, 2, 9_007_199_254_740_992.0, 0.123456789, 1, "true", 6.5, 2.5),
    ]
    [held] = found.quarantined.to_pylist()
    assert held["reasons"] == ["unparseable"], "no passenger is halved"
    assert dict(held["row_as_read"])["Passenger_Count_"] == "2.5"


def test_a_row_that_needs_the_value_of_an_unreadable_type_is_quarantined(engines, tmp_path, interpreted):
    found = load(
        engines,
        tmp_path,
        saved(airport_fee=pa.array([1.25, None, None]), Airport_fee=pa.array([True, None, True])),
    )
    assert sorted(found.trips["airport_fee"].to_pylist(), key=repr) == [1.25, None]
    [held] = found.quarantined.to_pylist()
    assert (held["reasons"], held["position"]) == (["unparseable"], 2)


def test_null_tokens_do_not_hide_the_value_of_another_column(engines, tmp_path, interpreted):
    path = tmp_path / "yellow_tripdata_2024-01.csv"
    times = "2024-01-05 10:00:00,2024-01-05 10:30:00"
    rows = ["NA,1.75", "1.25,NA", "NA,NA", ",0", "abc,1"]
    header = "tpep_pickup_datetime,tpep_dropoff_datetime,airport_fee,Airport_fee"
    path.write_text("\n".join([header, *(f"{times},{row}" for row in rows), ""]))

    found = engines.transform(path)

    assert sorted(found.trips["airport_fee"].to_pylist(), key=repr) == [0.0, 1.25, 1.75, None]
    assert found.quarantined["reasons"].to_pylist() == [["unparseable"]]
