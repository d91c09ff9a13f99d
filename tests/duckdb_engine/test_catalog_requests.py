"""Tests of how often a load asks the catalog, because each request is billed and waited for."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.folder_catalog import FolderCatalog
from taxi_etl.datasets import DATASETS
from taxi_etl.tables import QUARANTINE
from tests.fixtures.trip_files import trips

A = "raw/taxi/trips_2024-01.parquet"
B = "raw/taxi/trips_2024-02.parquet"
OTHERS = {dataset.table: 1 for dataset in DATASETS.values()}
"""One request for each dataset's table: whether it has rows of the file from an earlier version."""


class CountingCatalog(FolderCatalog):
    """Counts the requests by table; a commit reads the table, as Glue's does."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__(warehouse)
        self.requests: Counter[str] = Counter()

    def table_exists(self, identifier: Any) -> bool:
        self.requests[identifier[-1]] += 1
        return super().table_exists(identifier)

    def load_table(self, identifier: Any) -> Any:
        self.requests[identifier[-1]] += 1
        return super().load_table(identifier)


@pytest.fixture
def counted(lake):
    """A lake with the tables of green trips and quarantine, and one green file in them."""
    lake.catalog = CountingCatalog(lake.catalog.warehouse)
    lake.storage.put(A, trips(3, 1))
    lake.load(A)
    return lake


def requests(lake, *keys: str) -> dict[str, int]:
    """The requests of one load by table."""
    lake.catalog.requests.clear()
    lake.load(*keys)
    return dict(lake.catalog.requests)


def test_a_file_without_quarantined_rows_takes_three_requests_for_each_table(counted):
    counted.storage.put(B, trips(2))

    # Both tables: their columns, their newest snapshot. Trips: the commit. Quarantine: rows committed since.
    assert requests(counted, B) == OTHERS | {"green_trips": 3, QUARANTINE: 3}


def test_quarantined_rows_take_one_request_more_for_their_commit(counted):
    counted.storage.put(B, trips(2, 1))

    assert requests(counted, B) == OTHERS | {"green_trips": 3, QUARANTINE: 4}


def test_a_replaced_file_takes_no_more_requests_than_a_new_one(counted):
    counted.storage.put(A, trips(4, 2))

    # It is the only file, so there is no other that may have the same trips.
    assert requests(counted, A) == OTHERS | {"green_trips": 3, QUARANTINE: 3}


def test_more_files_take_no_more_requests(counted):
    keys = [f"raw/taxi/trips_2023-{month:02}.parquet" for month in range(1, 6)]
    for key in keys:
        counted.storage.put(key, trips(2, 1))

    assert requests(counted, *keys) == OTHERS | {"green_trips": 3, QUARANTINE: 4}
