"""Test that real TLC files load completely.

The expected counts come from DuckDB queries over the raw files. For a Parquet file (yellow: tpep_ instead of
lpep_; `first` and `behind` are a year before and after the month in the file's name):

    SELECT count(*), count(*) FILTER (bad), … FROM (SELECT
      lpep_dropoff_datetime < lpep_pickup_datetime AS negative,
      lpep_pickup_datetime < first OR lpep_pickup_datetime >= behind AS out_of_range,
      trip_distance < 0 OR trip_distance > 1000 AS distance,
      PULocationID NOT BETWEEN 1 AND 265 OR DOLocationID NOT BETWEEN 1 AND 265 AS zone,
      lpep_pickup_datetime IS NULL OR lpep_dropoff_datetime IS NULL AS missing,
      coalesce(negative OR out_of_range OR distance OR zone OR missing, false) AS bad FROM 'FILE')
"""

from pathlib import Path

from taxi_etl.file_status import FileStatus

YELLOW = "raw/taxi/yellow_tripdata_2022-01_sample.parquet"
GREEN_2024 = "raw/taxi/green_tripdata_2024-01.parquet"
GREEN_2025 = "raw/taxi/green_tripdata_2025-03.parquet"
GREEN_CSV = "raw/taxi/green_tripdata_2020-04.csv.gz"


def test_every_row_of_four_real_files_is_written_or_quarantined(lake, shared_data: Path):
    for key in (YELLOW, GREEN_2024, GREEN_2025):
        lake.storage.put(key, shared_data / "tlc" / "parquet" / key.rsplit("/")[-1])
    lake.storage.put(GREEN_CSV, shared_data / "tlc" / "csv_gz" / "green_tripdata_2020-04.csv.gz")

    result = lake.load(YELLOW, GREEN_2024, GREEN_2025, GREEN_CSV)

    counts = {
        file.version.key: (file.read, file.written, file.quarantined, file.reasons) for file in result.files
    }
    assert counts == {
        YELLOW: (100_000, 99_999, 1, {"pickup_out_of_range": 1}),
        GREEN_2024: (56_551, 56_505, 46, {"implausible_distance": 46}),
        GREEN_2025: (51_539, 51_215, 324, {"negative_duration": 308, "implausible_distance": 16}),
        GREEN_CSV: (35_612, 35_601, 11, {"pickup_out_of_range": 1, "implausible_distance": 10}),
    }
    assert {file.status for file in result.files} == {FileStatus.LOADED}
    assert result.schema_changed, "tables were created"

    assert lake.count("yellow") == 99_999
    assert lake.count("green") == 56_505 + 51_215 + 35_601
    assert lake.count("quarantine") == 382
    assert lake.count("green", GREEN_2025) == 51_215
    fares = lake.query("SELECT source_file, round(sum(fare_amount), 2) FROM {green} GROUP BY 1")
    assert {uri.rsplit("/", 1)[-1]: fare for uri, fare in fares} == {
        "green_tripdata_2024-01.parquet": 956_094.68,
        "green_tripdata_2025-03.parquet": 909_884.59,
        "green_tripdata_2020-04.csv.gz": 590_708.83,
    }
    # Wall-clock times are not shifted by a session time zone.
    [(first, last)] = lake.query("SELECT min(pickup_datetime), max(pickup_datetime) FROM {yellow}")
    assert (str(first), str(last)) == ("2021-12-31 20:28:31", "2022-01-03 10:53:33")
    [(position, pickup)] = lake.query(
        "SELECT position, row_as_read['tpep_pickup_datetime'] FROM {quarantine} WHERE dataset = 'yellow'"
    )
    assert pickup == "2008-12-31 23:03:01"
    assert 0 <= position < 100_000

    again = lake.load(YELLOW, GREEN_2024, GREEN_2025, GREEN_CSV)

    assert [(file.read, file.written, file.quarantined) for file in again.files] == [
        (file.read, file.written, file.quarantined) for file in result.files
    ]
    assert (lake.count("yellow"), lake.count("green"), lake.count("quarantine")) == (99_999, 143_321, 382)
    assert not again.schema_changed
