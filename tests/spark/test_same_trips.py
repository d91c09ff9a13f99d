"""Tests of the warning about trips that are loaded under another key too."""

HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
A, B, C, D = "raw/taxi/a.csv", "raw/taxi/moved/x & b.csv", "raw/taxi/c.csv", "raw/taxi/d.csv"
JANUARY = "raw/taxi/green_tripdata_2024-01.csv"


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
    content = csv("2024-01-05", "2024-01-09")
    assert load(lake, B, content) == ()
    [warning] = load(lake, A, content)
    assert warning.code == "same_trips"
    assert warning.message == (
        "probably has the same trips as another file (2 rows of the same dataset and month); if so, remove "
        "the rows of one of them: `taxi-etl --environment dev remove 's3://lake/raw/taxi/moved/x & b.csv'`"
    )
    [warning] = load(lake, C, content)
    assert "as 2 other files (2 rows" in warning.message
    assert warning.message.endswith(f"`taxi-etl --environment dev remove s3://lake/{A}`")


def test_another_month_another_number_and_the_same_key_have_no_warning(lake):
    load(lake, A, csv("2024-01-05", "2024-01-09"))
    assert load(lake, A, csv("2024-01-06", "2024-01-09")) == ()
    assert load(lake, B, csv("2024-02-05", "2024-02-09")) == ()
    assert load(lake, C, csv("2024-01-05")) == ()
    # One of its three rows is in quarantine.
    assert load(lake, D, csv("2024-01-05", "2024-01-09", "1999-01-01")) == ()


def test_a_copy_is_noticed_though_its_name_puts_other_rows_into_quarantine(lake):
    content = csv("2012-03-01", "2024-01-06", "2024-01-09")
    assert load(lake, JANUARY, content) == ()
    assert lake.count("quarantine", JANUARY) == 1
    [warning] = load(lake, A, content)
    assert (lake.count("quarantine", A), "3 rows" in warning.message) == (0, True)


def test_files_of_one_batch_warn_of_each_other(lake):
    for key in (A, B):
        lake.storage.put(key, csv("2024-01-05"))
    result = lake.load(A, B)
    assert [len(file.warnings) for file in result.files] == [1, 1]
