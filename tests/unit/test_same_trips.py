"""Tests of the rule that finds sources with the same trips."""

from datetime import datetime

import pytest

from taxi_etl.same_trips import DataFile, same_trips

JANUARY = datetime(2024, 1, 5, 10), datetime(2024, 1, 31, 23)


def trips(source_id: str, rows: int, earliest: datetime = JANUARY[0], latest: datetime = JANUARY[1]):
    return DataFile(source_id, rows, earliest, latest)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            trips("other", 7, datetime(2024, 1, 20), datetime(2024, 1, 21)), id="the same first month"
        ),
        pytest.param(trips("other", 7, datetime(2012, 3, 1)), id="the same last pickup"),
    ],
)
def test_equal_row_counts_and_a_matching_first_or_last_pickup_are_the_same_trips(other):
    assert same_trips([trips("ours", 7), other], {"ours"}) == {"ours": ["other"]}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(trips("other", 8), id="another number of rows"),
        pytest.param(trips("other", 7, datetime(2023, 1, 5), datetime(2024, 2, 1)), id="other times"),
        pytest.param(trips("other", 7, datetime(2025, 1, 5), datetime(2025, 1, 31)), id="another year"),
        pytest.param(DataFile("other", 7), id="quarantined rows only"),
    ],
)
def test_other_counts_and_other_times_are_other_trips(other):
    assert same_trips([trips("ours", 7), other], {"ours"}) == {}


def test_data_files_of_one_source_count_together_with_its_quarantined_rows():
    files = [
        trips("ours", 5),
        DataFile("ours", 2),
        trips("other", 3, datetime(2024, 1, 20)),
        trips("other", 4),
    ]

    assert same_trips(files, {"ours", "third"}) == {"ours": ["other"]}
    assert same_trips(files, {"ours", "other"}) == {"ours": ["other"], "other": ["ours"]}
    assert same_trips(files, {"third"}) == {}


def test_two_sources_without_trips_do_not_resemble_each_other():
    assert same_trips([DataFile("ours", 7), DataFile("other", 7)], {"ours"}) == {}
