"""Tests of the rules for days without trips and for means in another unit, on both sides of each limit."""

from datetime import date

import pytest

from taxi_etl.datasets import FHV, FHVHV, GREEN
from taxi_etl.unusual_values import DayTotals, counted_rows, unusual_values


def days(*numbers: int, trips: int = 400, miles: float = 3.0, fare: float = 15.0) -> list[DayTotals]:
    dates = [date(2024, 2, number) if number else date(2024, 1, 31) for number in numbers]
    return [DayTotals(day, trips, ((trips, trips * miles), (trips, trips * fare))) for day in dates]


def test_a_month_with_trips_on_each_day_and_usual_means_is_not_unusual() -> None:
    assert unusual_values(GREEN, 202402, days(*range(1, 30))) == []
    assert unusual_values(FHV, 202402, [DayTotals(date(2024, 2, day), 400, ()) for day in (1, 2, 3)]) == []


def test_days_without_trips_inside_the_month_are_named() -> None:
    assert unusual_values(FHVHV, 202402, days(0, 1, 4)) == [
        "has no trips on 2024-02-02, 2024-02-03, but before and after; compare it with its source, "
        "and upload it again if trips are missing"
    ]
    [text] = unusual_values(GREEN, 202402, days(1, 2, 20))
    assert "on 2024-02-03, 2024-02-04, 2024-02-05, 2024-02-06, 2024-02-07 and 12 more days, but" in text


def test_the_first_days_of_a_month_alone_may_be_a_sample() -> None:
    assert unusual_values(GREEN, 202402, days(0, 1, 2, 3)) == []
    assert unusual_values(GREEN, 202402, days(0, trips=2_000)) == []


@pytest.mark.parametrize("miles", [0.8, 16.0])
@pytest.mark.parametrize("fare", [3.0, 75.0])
def test_means_at_the_limits_are_usual(miles: float, fare: float) -> None:
    assert unusual_values(GREEN, 202402, days(1, 2, 3, miles=miles, fare=fare)) == []


@pytest.mark.parametrize("miles", [0.79, 16.01, 31.4, 0.31])
def test_distances_in_another_unit_are_unusual(miles: float) -> None:
    assert unusual_values(FHVHV, 202402, days(1, 2, 3, miles=miles)) == [
        f"has a mean trip_miles of {miles:,.2f}, but months usually have 0.8 to 16; "
        "check for another unit, such as meters or cents, and upload the file again in miles and dollars"
    ]


@pytest.mark.parametrize("fare", [2.99, 75.01])
def test_fares_in_another_unit_are_unusual(fare: float) -> None:
    [text] = unusual_values(GREEN, 202402, days(1, 2, 3, fare=fare))
    assert text.startswith(f"has a mean fare_amount of {fare}, but months usually have 3 to 75;")


def test_small_files_and_columns_with_few_values_are_not_checked() -> None:
    assert unusual_values(GREEN, 202402, days(1, 3, trips=499, miles=99)) == []
    assert len(unusual_values(GREEN, 202402, days(1, 3, trips=500, miles=99))) == 2
    few = DayTotals(date(2024, 2, 2), 1, ((1_000, 99_000.0), (999, 99_000.0)))
    [text] = unusual_values(GREEN, 202402, [few, DayTotals(date(2024, 2, 3), 999, ((0, 0.0), (0, 0.0)))])
    assert "trip_distance" in text


@pytest.mark.parametrize("day", [date(2024, 2, 5), "2024-02-05"])
def test_the_row_of_an_engine_becomes_the_totals_of_a_day(day: object) -> None:
    assert DayTotals.of_row([day, 7, 6, 18.5, 0, None]) == DayTotals(
        date(2024, 2, 5), 7, ((6, 18.5), (0, 0.0))
    )


def test_only_large_files_are_sampled() -> None:
    assert counted_rows(200_000) == "true"
    assert counted_rows(200_001) == "second(pickup_datetime) < 6"
