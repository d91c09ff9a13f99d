"""Tests of reading a table's data files from its manifests."""

from types import SimpleNamespace

import pytest
from pyiceberg.manifest import DataFileContent, ManifestFile

from duckdb_engine.live_files import all_files, files_of, source_of
from taxi_etl.identity import source_id
from tests.fixtures.file_checks import BUCKET
from tests.fixtures.trip_files import trips

A = "raw/taxi/trips_2024-01.parquet"
B = "raw/taxi/trips_2024-02.parquet"
SOURCES = {key: source_id(BUCKET, key) for key in (A, B)}


@pytest.fixture
def green(lake, monkeypatch):
    """The table of green trips with a manifest for each of two files; `opened` counts opened manifests."""
    for key, rows in ((A, 3), (B, 2)):
        lake.storage.put(key, trips(rows))
        lake.load(key)
    found = SimpleNamespace(table=lake.table("green").table, opened=0, content=None)
    original = ManifestFile.fetch_manifest_entry

    def fetch(manifest, io, discard_deleted=True):
        found.opened += 1
        entries = original(manifest, io, discard_deleted)
        for entry in entries:
            if found.content and source_of(entry.data_file) == SOURCES[A]:
                entry.data_file[0] = found.content
        return entries

    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", fetch)
    return found


def rows(files) -> dict[str, int]:
    return {source_of(file): file.record_count for file in files}


def test_all_files_are_those_that_a_scan_finds(green):
    scanned = {task.file.file_path for task in green.table.scan().plan_files()}

    found = all_files(green.table)

    assert {file.file_path for file in found} == scanned
    assert rows(found) == {SOURCES[A]: 3, SOURCES[B]: 2}


def test_files_of_a_source_are_read_without_opening_the_manifests_of_others(green):
    assert rows(files_of(green.table, [SOURCES[B]])) == {SOURCES[B]: 2}
    assert green.opened == 1


def test_a_removed_file_is_not_live(lake, green):
    lake.storage.put(A, trips(1))
    lake.load(A)

    assert rows(all_files(lake.table("green").table)) == {SOURCES[A]: 1, SOURCES[B]: 2}


def test_an_unknown_source_has_no_files(green):
    assert files_of(green.table, ["0" * 32]) == []


def test_equality_deletes_of_a_source_are_refused(green):
    green.content = DataFileContent.EQUALITY_DELETES

    for files in (lambda: all_files(green.table), lambda: files_of(green.table, [SOURCES[A]])):
        with pytest.raises(ValueError, match="the table green_trips has equality deletes"):
            files()
    assert rows(files_of(green.table, [SOURCES[B]])) == {SOURCES[B]: 2}


def test_position_deletes_are_not_data_files(green):
    green.content = DataFileContent.POSITION_DELETES

    assert rows(all_files(green.table)) == {SOURCES[B]: 2}
