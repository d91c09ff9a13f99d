"""Tests of the rules for unusual months, on both sides of each limit."""

import pytest

from taxi_etl.anomalies import FileMetrics, unusual_months

COLUMNS = {"passenger_count", "fare_amount"}
STEADY = {"2023-11": 10_000, "2023-12": 12_000, "2024-01": 11_000}


def file(month: str, rows: int, source_id: str = "", **nulls: int) -> FileMetrics:
    uri = f"s3://lake/raw/taxi/yellow_tripdata_{month}.parquet"
    return FileMetrics(source_id or month, uri, rows, nulls)


def findings(rows: int, months: dict[str, int] = STEADY, **nulls: int) -> list[str]:
    """The findings about February 2024 after these months."""
    before = [file(month, count) for month, count in months.items()]
    return unusual_months([*before, file("2024-02", rows, **nulls)], {"2024-02": COLUMNS}).get("2024-02", [])


@pytest.mark.parametrize("rows", [6_000, 10_000, 19_200])
def test_a_month_within_the_limits_is_not_unusual(rows: int) -> None:
    assert findings(rows) == []


@pytest.mark.parametrize("rows", [4_000, 5_999, 19_201, 110_000])
def test_a_month_with_far_fewer_or_more_trips_is_unusual(rows: int) -> None:
    assert findings(rows) == [
        f"has {rows:,} trips of 2024-02, but each of the 3 earlier months has 10,000 to 12,000; compare it "
        "with its source, and upload it again if it is incomplete"
    ]


def test_a_column_that_became_null_is_unusual() -> None:
    nulls_before = {"2023-11": 0, "2023-12": 600, "2024-01": 110}  # 0, 5 and 1 %
    usual = [file(month, rows, passenger_count=nulls_before[month]) for month, rows in STEADY.items()]

    def found(nulls: int) -> list[str]:
        month = file("2024-02", 10_000, passenger_count=nulls, fare_amount=2_000, tolls_amount=10_000)
        return unusual_months([*usual, month], {"2024-02": COLUMNS}).get("2024-02", [])

    assert found(2_500) == []
    assert found(3_700) == [
        "has more nulls than each of the 3 earlier months: passenger_count in 37% of the trips "
        "(before: at most 5%); compare the values with those of the source, and upload the file again if "
        "values are missing"
    ]


@pytest.mark.parametrize(("columns", "more"), [(6, "1 more column;"), (7, "2 more columns;")])
def test_many_columns_are_one_finding(columns: int, more: str) -> None:
    names = [f"c{number}" for number in range(columns)]
    before = [file(month, rows) for month, rows in STEADY.items()]
    month = file("2024-02", 10_000, **dict.fromkeys(names, 10_000))
    [[text]] = unusual_months([*before, month], {"2024-02": names}).values()
    assert "c0 in 100% of the trips (before: at most 0%)" in text
    assert f"c4 in 100% of the trips (before: at most 0%) and {more}" in text
    assert "c5" not in text


def test_too_few_or_too_small_earlier_months_are_not_compared() -> None:
    two = dict(list(STEADY.items())[1:])
    assert findings(1, two) == []
    assert findings(1, {**two, "2023-07": 10_000}) == []
    assert len(findings(1, {**two, "2023-08": 10_000})) == 1
    assert findings(1, {**two, "2024-03": 10_000}) == [], "a later month is not before"
    assert findings(1, dict.fromkeys(STEADY, 999)) == []
    assert len(findings(1, dict.fromkeys(STEADY, 1_000))) == 1


def test_the_data_files_of_a_source_are_added_up() -> None:
    metrics = [file(month, rows, fare_amount=0) for month, rows in STEADY.items()]
    parts = [file("2024-02", 5_000, fare_amount=1_000)] * 2
    assert unusual_months([*metrics, *parts], {"2024-02": COLUMNS}) == {}
    assert list(unusual_months([*metrics, parts[0]], {"2024-02": COLUMNS})) == ["2024-02"]


def test_months_of_several_files_and_files_without_a_month_do_not_count() -> None:
    metrics = [file(month, rows) for month, rows in STEADY.items()]
    parts = [file("2024-02", 10, "a"), file("2024-02", 10, "b")]
    assert unusual_months([*metrics, *parts], {"a": COLUMNS, "b": COLUMNS}) == {}
    split = [*metrics[:2], *(file("2024-01", 5, each) for each in "xy"), file("2024-02", 10)]
    assert unusual_months(split, {"2024-02": COLUMNS}) == {}
    nameless = [*metrics[:2], FileMetrics("z", "s3://lake/trips.csv", 10_000, {}), file("2024-02", 10)]
    assert unusual_months(nameless, {"2024-02": COLUMNS}) == {}
    early = FileMetrics("z", "s3://lake/raw/t", 10_000, {})
    assert unusual_months([*metrics[:2], early, file("2024-02", 10)], {"2024-02": COLUMNS}) == {}


def test_only_loaded_files_are_reported_and_they_may_be_compared_with_each_other() -> None:
    metrics = [file(month, rows) for month, rows in STEADY.items()]
    loaded = dict.fromkeys((*STEADY, "2024-02"), COLUMNS)
    assert list(unusual_months([*metrics, file("2024-02", 10)], loaded)) == ["2024-02"]
    assert unusual_months([*metrics, file("2024-02", 10)], {}) == {}
