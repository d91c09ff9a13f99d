"""Tests that a new dataset needs one entry in the registry, as CONTRIBUTING.md describes."""

from datetime import datetime as at

import pytest

from taxi_etl import tables
from taxi_etl.schema import text_columns
from tests.fixtures.new_dataset import FILE, HEADER, add_as_documented


@pytest.fixture
def scooters(monkeypatch):
    add_as_documented(monkeypatch)


def test_a_file_of_the_new_dataset_becomes_the_expected_rows(scooters, engines, tmp_path):
    path = tmp_path / "trips_2024-01.csv"
    path.write_bytes(FILE)

    found = engines.transform(path)

    assert found.dataset == "scooter"
    names = ("scooter_id", "pickup_datetime", "dropoff_datetime", "pickup_location_id", "distance")
    kept = [(*(row[name] for name in names), dict(row["extra_columns"])) for row in found.trips.to_pylist()]
    assert sorted(kept, key=repr) == [
        ("s-1", at(2024, 1, 5, 10), at(2024, 1, 5, 10, 20), 74, 1.5, {"Battery": "80 %"}),
        ("s-2", at(2024, 1, 5, 11), None, 74, 0.5, {}),
    ]
    held = [(dict(row["row_as_read"])["ScooterID"], row["reasons"]) for row in found.quarantined.to_pylist()]
    assert sorted(held) == [("s-3", ["negative_duration"]), ("s-4", ["implausible_distance"])]


def test_its_table_has_its_columns(scooters):
    assert "scooter_trips" in tables.table_names()
    ddl = tables.create_table("scooter_trips", "lake.taxi.scooter_trips")
    assert ddl.startswith("CREATE TABLE IF NOT EXISTS lake.taxi.scooter_trips (\n  scooter_id string COMMENT")
    names = [column.name for column in tables.columns_of("scooter_trips")]
    assert names[:6] == [
        *("scooter_id", "pickup_datetime", "dropoff_datetime", "pickup_location_id", "distance"),
        "extra_columns",
    ]


def test_without_the_entry_the_dataset_is_unknown():
    from taxi_etl.recognition import recognize

    columns = text_columns(HEADER.split(","))
    assert recognize(columns, "trips_2024-01.csv").dataset is None
