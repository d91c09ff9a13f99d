"""Tests of the order of dates: decided from the first values of a file, or rejected with a reason."""

import pytest

from taxi_etl.schema import DateOrder
from taxi_etl.text_values import date_orders

YMD, MDY, DMY = DateOrder.YMD, DateOrder.MDY, DateOrder.DMY


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["2019-01-15 03:04:05", "2019-01-15T03:04:05Z"], YMD),
        (["01/15/2019 03:04:05 PM"], MDY),
        (
            ["01/02/2019 03:04:05 PM", "01/03/2019 04:04:05 PM"],
            MDY,
        ),  # the city's portal, which counts 12 hours
        (["13/02/2019 03:04:05 PM", "01/03/2019 04:04:05 PM"], DMY),
        (["1/2/2019 3:04", "1/13/2019 3:04"], MDY),
        (["1/2/2019 3:04", "13/1/2019 3:04"], DMY),
        (["15.01.2019 15:04"], DMY),
        (["NA", "", "yesterday"], YMD),
        ([], YMD),
        (["2019-01-15 03:04:05", "2019-01-15 03:04:05", "1/13/2019 3:04"], YMD),
    ],
)
def test_the_order_follows_from_the_values(values: list[str], order: DateOrder) -> None:
    assert date_orders({"pickup": values}) == ({"pickup": order}, "")


def test_a_column_without_evidence_has_the_order_of_the_others() -> None:
    columns = {"pickup": ["1/2/2019 23:04"], "dropoff": ["1/13/2019 0:04"]}
    assert date_orders(columns) == ({"pickup": MDY, "dropoff": MDY}, "")


def test_dates_that_never_tell_month_from_day_are_rejected_with_an_example() -> None:
    orders, problem = date_orders({"pickup": ["1/2/2019 3:04", "3/4/2019 3:04"]})
    assert orders == {}
    assert problem == (
        "column 'pickup' does not tell month from day, for example '1/2/2019 3:04'; write dates as YYYY-MM-DD"
    )


@pytest.mark.parametrize(
    "text",
    ["4/01/2019 3:04:05 AM", "04-01-2019 03:04:05 AM", "04/01/2019 03:04:05 am", "04/01/2019 03:04 AM"],
)
def test_am_and_pm_prove_the_month_first_only_in_the_form_of_the_portal(text: str) -> None:
    _, problem = date_orders({"pickup": ["04/01/2019 03:04:05 AM", text]})
    assert problem.startswith("column 'pickup' does not tell month from day")


def test_dates_in_both_orders_are_rejected_with_both_examples() -> None:
    _, problem = date_orders({"pickup": ["1/13/2019 3:04", "13/1/2019 3:04"]})
    assert problem == (
        "column 'pickup' has dates with the month first and with the day first: "
        "'1/13/2019 3:04', '13/1/2019 3:04'"
    )


def test_columns_of_different_orders_do_not_decide_for_a_third() -> None:
    columns = {"a": ["1/13/2019 3:04"], "b": ["13/1/2019 3:04"], "c": ["1/2/2019 3:04"]}
    _, problem = date_orders(columns)
    assert problem.startswith("column 'c' does not tell month from day")
