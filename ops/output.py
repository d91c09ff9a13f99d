"""The output of commands: one JSON document for scripts, or colored tables for people.

Results go to standard output, progress and errors to standard error.
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

COLORS = {
    **dict.fromkeys(("ok", "loaded", "SUCCEEDED", "closed", "OK"), "green"),
    **dict.fromkeys(("failed", "rejected", "FAILED", "TIMED_OUT", "ABORTED", "ALARM"), "red"),
    **dict.fromkeys(("warning", "held", "superseded", "INSUFFICIENT_DATA", "unknown here"), "yellow"),
    **dict.fromkeys(("running", "received", "claimed", "RUNNING"), "cyan"),
}


class Output:
    """The output of one command: `result` once, `note` while it works."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.stdout = Console(file=sys.stdout, highlight=False)
        self.stderr = Console(file=sys.stderr, highlight=False)

    def result(self, document: Any, *renderables: RenderableType) -> None:
        """Print the result: the document for scripts, the renderables for people."""
        if self.as_json:
            json.dump(document, sys.stdout, default=_json_value, indent=2)
            sys.stdout.write("\n")
            return
        for renderable in renderables:
            _print(self.stdout, renderable)

    def note(self, text: RenderableType) -> None:
        """Print progress or a hint to standard error."""
        _print(self.stderr, text)

    def error(self, error: CliError) -> None:
        """Print an error and the next step."""
        if self.as_json:
            self.result(error.to_json())
        self.note(Text.assemble(("error: ", "bold red"), error.message))
        if error.next_step:
            self.note(Text.assemble(("next: ", "bold"), error.next_step))


def _print(console: Console, renderable: RenderableType) -> None:
    """Print a renderable. Texts hold commands to copy, so they stay on one line.

    Brackets in a plain text belong to an object key and are not rich's markup.
    """
    if isinstance(renderable, str):
        renderable = Text(renderable)
    console.print(renderable, soft_wrap=isinstance(renderable, Text))


def _json_value(value: Any) -> Any:
    """Convert what `json` cannot write: datetimes to ISO 8601, whole Decimals to integers, others to text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def table(*headings: str, rows: Iterable[Sequence[Any]], title: str = "") -> Table:
    """Return a table for people; status words are colored."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else colored(cell) for cell in row))
    return made


def colored(value: Any) -> Text:
    """Return the text of a cell, a dash for None and the empty string; status words are colored."""
    text = "-" if value is None or value == "" else str(value)
    return Text(text, style=COLORS.get(text, ""))


def local_time(value: datetime | None) -> str:
    """Format a time in the machine's time zone, to the second."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


def duration(seconds: float | None) -> str:
    """Format a duration: `3.2 s`, `4 min 05 s`, `2 h 10 min`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)
