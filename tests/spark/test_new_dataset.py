"""Test that the job loads a dataset added to the registry as CONTRIBUTING.md describes."""

from taxi_etl.file_status import FileStatus
from tests.fixtures.new_dataset import FILE, add_as_documented


def test_the_job_creates_the_new_table_and_loads_the_file(lake, monkeypatch):
    add_as_documented(monkeypatch)
    key = "raw/taxi/scooters/trips_2024-01.csv"
    lake.storage.put(key, FILE)

    result = lake.load(key)

    [file] = result.files
    assert (file.status, file.read, file.written) == (FileStatus.LOADED, 4, 2)
    assert result.schema_changed
    assert lake.query("SELECT scooter_id, distance FROM {scooter} ORDER BY 1") == [("s-1", 1.5), ("s-2", 0.5)]
    assert lake.count("quarantine", key) == 2
