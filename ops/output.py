"""The output of commands: one JSON document for scripts, or texts and tables for people.

Results go to standard output, progress and errors to standard error. `docs/command-output.md` has the shapes
of the JSON documents.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from ops.errors import CliError
from ops.listing import UNLIMITED, Listing

SCHEMA_VERSION = "1"
"""Version of the JSON documents; it changes when a key is removed or changes its meaning."""

_CONTROLS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) != "\n"}
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
        self.stdout = _console(sys.stdout)
        self.stderr = _console(sys.stderr)

    def result(self, document: Mapping[str, Any], *renderables: RenderableType) -> None:
        """Print the result: the document for scripts, the renderables for people."""
        if self.as_json:
            versioned = {"schemaVersion": SCHEMA_VERSION, **document}
            json.dump(versioned, sys.stdout, default=_json_value, indent=2)
            sys.stdout.write("\n")
            return
        for renderable in renderables:
            _print(self.stdout, renderable)

    def note(self, text: RenderableType) -> None:
        """Print progress or a hint to standard error."""
        _print(self.stderr, text)

    def error(self, error: CliError) -> None:
        """Print an error and the next step, on one line."""
        if self.as_json:
            self.result(error.to_json())
        line = Text.assemble(("error: ", "bold red"), _joined(error.message))
        if error.next_step:
            line.append_text(Text.assemble("; ", ("next: ", "bold"), _joined(error.next_step)))
        self.note(line)


def _console(file: TextIO) -> Console:
    """Return a console that folds nothing unless it writes to a terminal."""
    return Console(file=file, highlight=False, width=None if file.isatty() else UNLIMITED)


def _print(console: Console, renderable: RenderableType) -> None:
    """Print a renderable. Texts and tables hold names that people copy, so they are not folded.

    Brackets in a plain text belong to an object key and are not rich's markup. Neither are control characters
    commands for the terminal.
    """
    if isinstance(renderable, str):
        renderable = Text(renderable)
    if isinstance(renderable, Text):
        renderable = _without_controls(renderable)
    console.print(renderable, soft_wrap=isinstance(renderable, (Text, Listing)))


def _without_controls(text: Text) -> Text:
    """Return the text with a question mark for each control character; line ends stay."""
    shown = text.copy()
    shown.plain = text.plain.translate(_CONTROLS)
    return shown


def one_line(*parts: str | Text | tuple[str, str]) -> Text:
    """Assemble parts, as `Text.assemble`, to one line whatever the names in them hold."""
    text = Text.assemble(*parts)
    text.plain = text.plain.translate({ord("\n"): "?"})
    return text


def _joined(text: str) -> str:
    """Return the lines of a text on one line; a line that only points into the line above is left out."""
    lines = (line.strip() for line in text.splitlines())
    return " ".join(line for line in lines if line.strip("^~ "))


def _json_value(value: Any) -> Any:
    """Convert what `json` cannot write: datetimes to ISO 8601, whole Decimals to integers, others to text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def table(*headings: str, rows: Iterable[Sequence[Any]]) -> Listing:
    """Return a table for people; status words are colored."""
    cells = (tuple(cell if isinstance(cell, Text) else colored(cell) for cell in row) for row in rows)
    return Listing(headings, tuple(cells))


def colored(value: Any) -> Text:
    """Return the text of a cell, a dash for None and the empty string; status words are colored."""
    text = "-" if value is None or value == "" else str(value)
    return Text(text.translate(_CONTROLS), style=COLORS.get(text, ""))


def local_time(value: datetime | None) -> str:
    """Format a time in the machine's time zone, to the second."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


def counted(count: int, noun: str) -> str:
    """Return a number of things: `1 file`, `2,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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
