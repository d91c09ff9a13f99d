"""Tests of the warnings about unusual months."""

HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,passenger_count"


def month(number: int, rows: int, passengers: str) -> bytes:
    row = f"2,2024-0{number}-05 10:00:00,2024-0{number}-05 10:20:00,3.5,{passengers}"
    return "\n".join([HEADER, *[row] * rows, ""]).encode()


def test_days_without_trips_and_distances_in_another_unit_are_reported(lake):
    key = "raw/taxi/green_tripdata_2024-05.csv"
    rows = [
        f"2,2024-{day} 10:00:00,2024-{day} 10:20:00,{miles},1"
        for day, miles in (("05-05", 31), ("05-08", 35), ("06-01", 33))
    ]
    lake.storage.put(key, "\n".join([HEADER, *rows[:2] * 495, *rows[2:] * 10, ""]).encode())

    [file] = lake.load(key).files

    assert [(each.code, each.message.split(";")[0]) for each in file.warnings] == [
        ("unusual_month", "has no trips on 2024-05-06, 2024-05-07, but before and after"),
        ("unusual_month", "has a mean trip_distance of 33.00, but months usually have 0.8 to 16"),
    ]


def test_a_month_is_compared_with_those_in_the_table_and_in_the_batch(lake):
    keys = [f"raw/taxi/green_tripdata_2024-0{number}.csv" for number in (1, 2, 3, 4)]
    for number, key in enumerate(keys, start=1):
        lake.storage.put(key, month(number, 1_000 if number < 4 else 400, "1" if number < 4 else ""))
    assert [file.warnings for file in lake.load(*keys[:2]).files] == [(), ()]

    march, april = lake.load(*keys[2:]).files

    assert march.warnings == ()
    assert [(each.code, each.message.split(";")[0]) for each in april.warnings] == [
        ("unusual_month", "has 400 trips of 2024-04, but each of the 3 earlier months has 1,000 to 1,000"),
        (
            "unusual_month",
            "has more nulls than each of the 3 earlier months: passenger_count in 100% of the trips "
            "(before: at most 0%)",
        ),
    ]
    assert lake.count("green", keys[3]) == 400
    [failed] = lake.load(keys[3], arguments=["--anomaly-policy", "fail"]).files
    assert (failed.failure.code, failed.written) == ("unlike_earlier_months", 0)
    assert lake.count("green", keys[3]) == 400, "the rows of the earlier load stay"
