"""Tests of the warning about trips that are loaded under another key too."""

HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
A, B, C = "raw/taxi/a.csv", "raw/taxi/moved/b.csv", "raw/taxi/c.csv"


def csv(*days: str) -> bytes:
    rows = [f"2,{day} 10:00:00,{day} 10:20:00,3.5,74,18.4" for day in days]
    return "\n".join([HEADER, *rows, ""]).encode()


def load(lake, key, content):
    """Load one file and return its warnings."""
    lake.storage.put(key, content)
    [file] = lake.load(key).files
    assert file.status == "loaded"
    return file.warnings


def test_the_same_trips_under_another_key_are_loaded_with_a_warning_that_names_the_other_file(lake):
    assert load(lake, A, csv("2024-01-05", "2024-01-09")) == ()
    [warning] = load(lake, B, csv("2024-01-05", "2024-01-09"))
    assert warning.code == "same_trips"
    assert warning.message == (
        f"s3://lake/{A} has as many rows (2) of the same dataset and month: the same trips are probably "
        "loaded twice; if so, remove the rows of one of the files with taxi-etl remove URI"
    )


def test_another_month_another_number_and_the_same_key_have_no_warning(lake):
    load(lake, A, csv("2024-01-05", "2024-01-09"))
    assert load(lake, A, csv("2024-01-06", "2024-01-09")) == ()
    assert load(lake, B, csv("2024-02-05", "2024-02-09")) == ()
    assert load(lake, C, csv("2024-01-05")) == ()


def test_files_of_one_batch_warn_of_each_other(lake):
    for key in (A, B):
        lake.storage.put(key, csv("2024-01-05"))
    result = lake.load(A, B)
    assert [len(file.warnings) for file in result.files] == [1, 1]
