"""The charts of the overview: executions by day, rows and cost by month, and the months of each dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ops.report.documents import DatasetMonths, DayCount, MonthAmount
from ops.report.figures import NARROW, Figure, chart, figure
from ops.report.overview import FAILED_STATUSES, SMALL_BATCHES
from taxi_etl.coverage import month_ranges
from taxi_etl.recognition import FIRST_YEAR

AMOUNTS_WIDTH = 44
COLUMN_HEIGHT = 170
CELL_HEIGHT = 17
COLORS: Mapping[str, str] = {
    "SUCCEEDED": "var(--fill-good)",
    "RUNNING": "var(--accent)",
    "FAILED": "var(--bad)",
    "TIMED_OUT": "var(--warn)",
    "ABORTED": "var(--neutral)",
    "yellow": "var(--series-1)",
    "green": "var(--series-2)",
    "fhv": "var(--series-3)",
    "fhvhv": "var(--series-4)",
    SMALL_BATCHES: "var(--series-5)",
}
"""Colors of statuses and datasets; all others are neutral."""
MONTH_NAMES = "['','Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec'][datum.value]"
WORDS = "lower(replace(datum.label, '_', ' '))"
MONTH_COLORS = {"loaded": "var(--fill-good)", "missing": "var(--bad-soft)", "none": "var(--empty)"}


def executions(counts: Sequence[DayCount], days: Sequence[str]) -> Figure:
    """Return the executions of each of these days as bars, stacked by status."""
    x = alt.X(
        "key:O",
        title=None,
        scale=alt.Scale(domain=list(days)),
        axis=alt.Axis(
            labelExpr="slice(datum.label, 5)",
            labelAngle=0,
            labelOverlap="greedy",
            labelSeparation=8,
            labelBound=True,
        ),
    )
    total = sum(each.executions for each in counts)
    failed = sum(each.executions for each in counts if each.status in FAILED_STATUSES)
    values = [{"key": each.day, "kind": each.status, "amount": each.executions} for each in counts]
    return figure(
        "Executions by day",
        f"{total:,} executions, of which {failed:,} did not succeed.",
        lambda width: _columns(
            values, x, alt.Axis(format="d", tickMinStep=1, tickCount=4, minExtent=AMOUNTS_WIDTH)
        ),
        ("day (UTC)", "status", "executions"),
        ((each.day, each.status, f"{each.executions:,}") for each in counts),
    )


def monthly(title: str, unit: str, amounts: Sequence[MonthAmount], form: str, axis_form: str) -> Figure:
    """Return amounts by month as bars, stacked by dataset.

    `form` is Python's format of amounts in texts, `axis_form` that of D3 on the axis.
    """
    x = alt.X(
        "key:O",
        title=None,
        axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=8, labelBound=True),
    )
    months = {each.month for each in amounts}
    total = format(sum(each.amount for each in amounts), form)
    values = [{"key": each.month, "kind": each.dataset, "amount": each.amount} for each in amounts]
    return figure(
        title,
        f"{total} {unit} in {len(months)} {'month' if len(months) == 1 else 'months'}.",
        lambda width: _columns(values, x, alt.Axis(format=axis_form, tickCount=4, minExtent=AMOUNTS_WIDTH)),
        ("month", "dataset", unit),
        ((each.month, each.dataset, format(each.amount, form)) for each in amounts),
    )


def _columns(values: list[dict[str, Any]], x: alt.X, axis: alt.Axis) -> Any:
    """Return columns of `amount` at each `key`, stacked by `kind`."""
    present = {value["kind"] for value in values}
    kinds = [*(kind for kind in COLORS if kind in present), *sorted(present - COLORS.keys())]
    colors = [COLORS.get(kind, "var(--neutral)") for kind in kinds]
    legend = alt.Legend(orient="top", direction="horizontal", symbolType="square", columns=3, labelExpr=WORDS)
    return (
        chart(values)
        .mark_bar(stroke="var(--card)", strokeWidth=1)
        .encode(
            x=x,
            y=alt.Y("amount:Q", title=None, axis=axis),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=colors), legend=legend),
        )
        .properties(height=COLUMN_HEIGHT)
    )


def months(found: DatasetMonths, last_year: int) -> Figure:
    """Return a heat map of a dataset's months since the TLC's first files; a missing month has a cross."""
    state = dict.fromkeys(found.loaded, "loaded") | dict.fromkeys(found.missing, "missing")
    values = [
        {"year": year, "month": month, "state": state.get(f"{year}-{month:02d}", "none")}
        for year in range(FIRST_YEAR, last_year + 1)
        for month in range(1, 13)
    ]
    return figure(
        found.dataset,
        f"{len(found.loaded)} months loaded, {len(found.missing)} missing.",
        lambda width: _cells(values, few_years=width == NARROW),
        ("months", "number", "which"),
        (
            ("loaded", str(len(found.loaded)), _ranges(found.loaded)),
            ("missing", str(len(found.missing)), _ranges(found.missing)),
        ),
    )


def _ranges(months: Sequence[str]) -> str:
    return month_ranges([(int(month[:4]), int(month[5:])) for month in months]) or "none"


def _cells(values: list[dict[str, Any]], *, few_years: bool) -> Any:
    year = "toNumber(datum.label) % 3 ? '' : datum.label" if few_years else "datum.label"
    base = chart(values).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelExpr=year, labelOverlap=False)),
        y=alt.Y("month:O", title=None, axis=alt.Axis(labelExpr=MONTH_NAMES)),
    )
    scale = alt.Scale(domain=list(MONTH_COLORS), range=list(MONTH_COLORS.values()))
    cells = base.mark_rect(stroke="var(--card)", strokeWidth=2).encode(
        fill=alt.Fill("state:N", legend=None, scale=scale)
    )
    crosses = base.transform_filter("datum.state == 'missing'").mark_text(
        text="\u00d7", color="var(--bad)", fontSize=15, fontWeight="bold"
    )
    return (cells + crosses).properties(height=CELL_HEIGHT * 12)
