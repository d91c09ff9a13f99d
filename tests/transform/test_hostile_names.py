"""Tests that both engines treat column and file names as text, whatever characters they contain."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

REQUIRED = {"VendorID": "1", "lpep_pickup_datetime": "2024-01-05 10:00:00"} | {
    "Lpep_dropoff_datetime": "2024-01-05 10:10:00"
}
NAMES = (
    "`; DROP TABLE green_trips; --",
    "a` FROM source UNION SELECT `b",
    "it's \\' OR '1'='1",
    'said "so"',
    "/* no comment */",
    "{doc} %s {{x}} :param ?",
    "${env:HOME}",
    "${system:user.name}",
    "${spark.app.name}",
    "naïve 名前",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_is_kept_under_its_own_name(engines, tmp_path, name):
    path = tmp_path / "green_tripdata_2024-01.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*REQUIRED, name], [*REQUIRED.values(), "kept"]])

    found = engines.transform(path)

    assert found.rows == (1, 0)
    assert found.trips.to_pylist()[0]["extra_columns"] == [(name, "kept")]


@pytest.mark.parametrize(
    "name", ["two\nlines", "carriage\r\nreturn", "page\x0bbreak", "line\u2028separator", "\ttab "]
)
def test_a_parquet_column_keeps_the_line_ends_in_its_name(engines, tmp_path, name):
    path = tmp_path / "green_tripdata_2024-01.parquet"
    pq.write_table(pa.table({column: [text] for column, text in {**REQUIRED, name: "kept"}.items()}), path)

    found = engines.transform(path)

    assert found.rows == (1, 0)
    assert found.trips.to_pylist()[0]["extra_columns"] == [(name, "kept")]


def test_a_file_is_named_by_its_own_name(engines, tmp_path):
    path = tmp_path / "plain.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[*REQUIRED], [*REQUIRED.values()]])
    name = "green_${env:HOME}_it's_2024-01.csv"

    found = engines.transform(path, name)

    assert found.trips.to_pylist()[0]["source_file"] == f"s3://lake/raw/taxi/{name}"
