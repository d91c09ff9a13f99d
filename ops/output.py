"""How do results look? One JSON document for scripts, or tables and colours for people.

Results go to standard output, progress and complaints to standard error.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ops.errors import CliError

COLOURS = {
    **dict.fromkeys(("ok", "loaded", "SUCCEEDED", "closed", "OK"), "green"),
    **dict.fromkeys(("failed", "rejected", "FAILED", "TIMED_OUT", "ABORTED", "ALARM"), "red"),
    **dict.fromkeys(("warning", "held", "superseded", "INSUFFICIENT_DATA", "unknown here"), "yellow"),
    **dict.fromkeys(("running", "received", "claimed", "RUNNING"), "cyan"),
}


class Output:
    """Where a command writes to: `result` once, `note` while it works."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.stdout = Console(file=sys.stdout, highlight=False)
        self.stderr = Console(file=sys.stderr, highlight=False)

    def result(self, document: Any, *pictures: RenderableType) -> None:
        """Print what came out: the document for scripts, the pictures for people."""
        if self.as_json:
            json.dump(document, sys.stdout, default=plain, indent=2)
            sys.stdout.write("\n")
            return
        for picture in pictures:
            self.stdout.print(picture, soft_wrap=isinstance(picture, Text))  # commands stay in one line

    def note(self, text: RenderableType) -> None:
        """Tell of progress."""
        self.stderr.print(text, soft_wrap=isinstance(text, str | Text))

    def refusal(self, refusal: CliError) -> None:
        """Say what stands in the way, and what to do next."""
        if self.as_json:
            self.result(refusal.to_json())
        self.note(Text.assemble(("error: ", "bold red"), refusal.message))
        if refusal.next_step:
            self.note(Text.assemble(("next: ", "bold"), refusal.next_step))


def plain(value: Any) -> Any:
    """What json cannot write by itself: times in ISO 8601 with their zone, whole Decimals as integers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def table(*headings: str, rows: Iterable[Sequence[Any]], title: str = "") -> Table:
    """A table for people; words that tell of a state get its colour."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else colored(cell) for cell in row))
    return made


def colored(value: Any) -> Text:
    """A cell's text; None and nothing become a dash, so that a gap is seen to be one."""
    text = "-" if value is None or value == "" else str(value)
    return Text(text, style=COLOURS.get(text, ""))


def moment(value: datetime | None) -> str:
    """A time in the reader's zone, to the second."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


def seconds(value: float | None) -> str:
    """A duration: `3.2 s`, `4 min 05 s`, `2 h 10 min`."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)
