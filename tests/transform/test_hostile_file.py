"""Tests of each row of the hostile file, against literal expected values."""

# ruff: noqa: E501 (tables of rows read best in one line each)

from datetime import datetime as at

JAN_5 = at(2024, 1, 5)
Q = 'a "q" b'
UNPARSEABLE, NEGATIVE, RANGE, DISTANCE = (
    "unparseable",
    "negative_duration",
    "pickup_out_of_range",
    "implausible_distance",
)

# line, vendor, pickup, dropoff, flag, passengers, distance, fare, total, payment, zone, foo
KEPT = [
    (1, 1, at(2024, 1, 1), JAN_5, "*", 1, 1.0, 1.0, 1.0, 2, 1, "1"),
    (2, 1, at(2024, 1, 1), JAN_5, "N", 1, 1.0, 1.0, 1.0, 1, 1, "1.0"),
    (21, 5, at(2024, 1, 1), JAN_5, "N", 5, 5.0, 5.0, 5.0, 2, 5, "5."),
    (28, 1, at(2024, 1, 1), at(2024, 1, 1), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (29, 1, at(2024, 1, 1), at(2024, 1, 1), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (30, 1, at(2024, 1, 1, 0, 0, 0, 500_000), at(2024, 1, 1, 0, 0, 0, 500_000), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (31, 1, at(2024, 1, 1, 0, 0, 0, 123_456), at(2024, 1, 1, 0, 0, 0, 123_456), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (32, 1, at(2024, 1, 1, 0, 0, 0, 123_456), at(2024, 1, 1, 0, 0, 0, 123_456), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (38, 1, at(2024, 1, 1), at(2024, 1, 1), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (44, 1, at(2024, 3, 31, 2, 30), at(2024, 3, 31, 2, 30), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (45, 1, at(2024, 3, 10, 2, 30), at(2024, 3, 10, 2, 30), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
    (48, 1, at(2024, 1, 1), at(2024, 1, 1), "0", 1, 1.5, 1.0, 1.0, 2, 264, Q),
]  # fmt: skip
KEPT_COLUMNS = (
    *("vendor_id", "pickup_datetime", "dropoff_datetime", "store_and_fwd_flag", "passenger_count"),
    *("trip_distance", "fare_amount", "total_amount", "payment_type", "pickup_location_id"),
)

# line, vendor as read, pickup as read, reasons
HELD = [
    (3, "1.5", "2024-01-01 00:00:00.5", [UNPARSEABLE]),
    (4, "-0.5", "2024-01-01 00:00:00.123456", [UNPARSEABLE, DISTANCE]),
    (5, "2147483648", "2024-01-01 00:00:00.1234567", [UNPARSEABLE, DISTANCE]),
    (6, "9999999999999", "2024-01-01", [UNPARSEABLE, DISTANCE]),
    (7, "abc", "2024-01", [UNPARSEABLE]),
    (8, " 2 ", "2024-1-1 1:2:3", [UNPARSEABLE]),
    (9, None, "2024-01-01 24:00:00", [UNPARSEABLE]),
    (10, "1e2", "2024-02-30 00:00:00", [UNPARSEABLE]),
    (11, "0x10", "2024-01-01 00:00:00Z", [UNPARSEABLE]),
    (12, "NaN", "2024-01-01 00:00:00+05:00", [UNPARSEABLE]),
    (13, "inf", "01/02/2024 00:00:00", [UNPARSEABLE]),
    (14, "Infinity", "epoch", [UNPARSEABLE]),
    (15, "1_000", "now", [UNPARSEABLE]),
    (16, "1d", "infinity", [UNPARSEABLE]),
    (17, "1f", "2024-03-31 02:30:00", [UNPARSEABLE, NEGATIVE]),
    (18, "+5", "2024-03-10 02:30:00", [NEGATIVE]),
    (19, "-", "0001-01-01 00:00:00", [RANGE]),
    (20, ".5", "2024-01-01 00:00:60", [UNPARSEABLE]),
    (22, "\t3", "2024-01-01 00:00:00", [UNPARSEABLE]),
    (23, "\u00a04", "2024-01-01T00:00:00", [UNPARSEABLE]),
    (24, "1e-7", "2024-01-01 00:00:00.5", [UNPARSEABLE]),
    (25, "12345678.9", "2024-01-01 00:00:00.123456", [UNPARSEABLE, DISTANCE]),
    (26, "0.1", "2024-01-01 00:00:00.1234567", [UNPARSEABLE]),
    (27, "1,", "2024-01-01", [UNPARSEABLE]),
    (33, "CMT", "2024-01-01", [UNPARSEABLE]),
    (34, "CMT", "2024-01", [UNPARSEABLE]),
    (35, "CMT", "2024-1-1 1:2:3", [UNPARSEABLE]),
    (36, "CMT", "2024-01-01 24:00:00", [UNPARSEABLE]),
    (37, "CMT", "2024-02-30 00:00:00", [UNPARSEABLE]),
    (39, "CMT", "2024-01-01 00:00:00+05:00", [UNPARSEABLE]),
    (40, "CMT", "01/02/2024 00:00:00", [UNPARSEABLE]),
    (41, "CMT", "epoch", [UNPARSEABLE]),
    (42, "CMT", "now", [UNPARSEABLE]),
    (43, "CMT", "infinity", [UNPARSEABLE]),
    (46, "CMT", "0001-01-01 00:00:00", [RANGE]),
    (47, "CMT", "2024-01-01 00:00:60", [UNPARSEABLE]),
]  # fmt: skip


def test_the_hostile_file_gives_the_expected_rows(engines, shared_data):
    # the name it gets has a month, so that the range of pickups does not depend on a clock
    found = engines.transform(shared_data / "edge" / "torture.csv", name="green_tripdata_2024-01.csv")

    kept = [
        (*(row[column] for column in KEPT_COLUMNS), dict(row["extra_columns"]))
        for row in found.trips.to_pylist()
    ]
    assert in_order(kept) == in_order((*row[1:11], {"foo": row[11]}) for row in KEPT)
    held = []
    for row in found.quarantined.to_pylist():
        read = dict(row["row_as_read"])
        held.append((read.get("VendorID"), read["lpep_pickup_datetime"], row["reasons"]))
    assert in_order(held) == in_order(row[1:] for row in HELD)
    assert sorted(row[0] for row in (*KEPT, *HELD)) == list(range(1, 49)), (
        "every line is in one of the tables"
    )


def in_order(rows) -> list:
    return sorted(rows, key=repr)
