"""Figures of reports: charts as inline SVG, drawn by Vega-Lite when the report is written, so no script runs.

Each chart is drawn for a wide and for a narrow screen, because the text of an SVG shrinks with it.
Colors are CSS variables of the page, so that one drawing suits light mode, dark mode and paper.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

WIDE = 860
NARROW = 300
FONT_SIZE = 12
AXIS = {
    "labelFontSize": FONT_SIZE,
    "titleFontSize": FONT_SIZE,
    "titleFontWeight": "normal",
    "labelColor": "var(--muted)",
    "titleColor": "var(--muted)",
    "gridColor": "var(--line)",
    "domain": False,
    "ticks": False,
    "labelPadding": 6,
    "labelLimit": 160,
}


@dataclass(frozen=True)
class Figure:
    """A chart in both sizes, with its text alternative: a summary and a table."""

    title: str
    summary: str
    wide: Markup
    narrow: Markup
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def chart(values: list[dict[str, Any]]) -> alt.Chart:
    """Return a chart of these values, without marks."""
    return alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call]


def figure(
    title: str,
    summary: str,
    draw: Callable[[int], Any],
    headings: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
) -> Figure:
    """Draw a chart in both widths; `draw` returns Altair's chart for a width."""
    wide, narrow = (_svg(draw(width), width) for width in (WIDE, NARROW))
    return Figure(title, summary, wide, narrow, headings, tuple(rows))


def _svg(chart: Any, width: int) -> Markup:
    """Draw a chart that the page describes; `width` includes its axes. Vega escapes the texts in it."""
    themed = (
        chart.properties(
            width=width,
            padding=2,
            background="transparent",
            autosize={"type": "fit-x", "contains": "padding"},
        )
        .configure(font="system-ui, sans-serif", aria=False)
        .configure_view(strokeWidth=0)
        .configure_axis(**AXIS)
        .configure_text(color="var(--text)", fontSize=FONT_SIZE)
        .configure_legend(labelColor="var(--text)", labelFontSize=FONT_SIZE, padding=0, offset=10)
    )
    svg = vl_convert.vegalite_to_svg(themed.to_dict()).replace("<svg ", '<svg aria-hidden="true" ', 1)
    return Markup(svg)  # noqa: S704 - Vega's own SVG
