"""The charts of the report on an execution: its timeline, and quarantined rows by reason."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from ops.output import duration
from ops.report.documents import Phase, QuarantineReason
from ops.report.figures import NARROW, Figure, chart, figure

BAR_STEP = 30
NARROW_STEP = 46
"""Height of a horizontal bar with its gap; with its name above it on a narrow screen."""
NAMES_WIDTH = 165


def timeline(phases: Sequence[Phase]) -> Figure:
    """Return the phases as bars on one axis of time; a bar is at least half a percent long to be visible."""
    begin = phases[0].started
    starts = [(phase.started - begin).total_seconds() for phase in phases]
    last = max(start + phase.seconds for start, phase in zip(starts, phases, strict=True)) or 1
    values = [
        {
            "name": phase.name,
            "start": start,
            "end": start + max(phase.seconds, last / 200),
            "label": duration(phase.seconds),
        }
        for start, phase in zip(starts, phases, strict=True)
    ]
    slowest = max(phases, key=lambda phase: phase.seconds)
    return figure(
        "Timeline",
        f"{duration(last)} in all. The longest phase: {slowest.name.lower()}, {duration(slowest.seconds)}.",
        lambda width: _bars(values, "var(--accent)", narrow=width == NARROW),
        ("phase", "starts after", "duration"),
        (
            (phase.name, duration(start), duration(phase.seconds))
            for start, phase in zip(starts, phases, strict=True)
        ),
    )


def quarantine(reasons: Sequence[QuarantineReason]) -> Figure:
    """Return the number of quarantined rows by reason as bars."""
    values = [
        {"name": each.reason, "start": 0, "end": each.rows, "label": f"{each.rows:,}"} for each in reasons
    ]
    return figure(
        "Quarantined rows by reason",
        "A row with two reasons counts under both.",
        lambda width: _bars(values, "var(--warn)", narrow=width == NARROW),
        ("reason", "rows"),
        ((each.reason, f"{each.rows:,}") for each in reasons),
    )


def _bars(values: list[dict[str, Any]], color: str, *, narrow: bool) -> Any:
    """Return horizontal bars from `start` to `end`, each with its label behind it.

    The names are in front of the bars, or above them on a narrow screen. Their space does not depend on the
    font, which differs between browsers.
    """
    order = list(dict.fromkeys(value["name"] for value in values))
    last = max(value["end"] for value in values) * (1.35 if narrow else 1.15)
    axis = alt.Axis(minExtent=NAMES_WIDTH, maxExtent=NAMES_WIDTH, labelColor="var(--text)")
    step = alt.Scale(paddingInner=0, paddingOuter=0)
    y = alt.Y("name:N", sort=order, title=None, scale=step, axis=None if narrow else axis)
    base = chart(values).encode(y=y)
    below = 10 if narrow else 0
    bars = base.mark_bar(height=16, cornerRadius=3, color=color, yOffset=below).encode(
        x=alt.X("start:Q", scale=alt.Scale(domain=[0, last]), axis=None), x2="end:Q"
    )
    labels = base.mark_text(align="left", baseline="middle", dx=6, yOffset=below).encode(
        x="end:Q", text="label:N"
    )
    layers = [bars, labels, *([_names_above(order, y)] if narrow else [])]
    return alt.layer(*layers).properties(height=(NARROW_STEP if narrow else BAR_STEP) * len(order))


def _names_above(names: Sequence[str], y: alt.Y) -> Any:
    """Return each name once, at the left end of its row."""
    return (
        chart([{"name": name} for name in names])
        .mark_text(align="left", baseline="middle", yOffset=-9)
        .encode(x=alt.value(0), y=y, text="name:N")
    )
