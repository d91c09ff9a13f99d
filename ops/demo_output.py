"""The demo's output: a line per step with its time, then tables, a message and a chart."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ops.demo_results import Load
from ops.output import colored, duration, table

BAR_WIDTH = 40


@dataclass
class Step:
    """A step of the demo; `says` is its result in a few words."""

    says: str = ""


@dataclass
class Demo:
    """The output of one demo, with `verbose` also the details of each step."""

    console: Console
    verbose: bool = False

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Print a line about the step when it has ended: its time, title and result."""
        started, step = time.monotonic(), Step()
        if self.console.is_terminal and not self.verbose:
            with self.console.status(title):
                yield step
        else:
            yield step
        took = Text(f"{duration(time.monotonic() - started):>12}  ", "cyan")
        self.console.print(Text.assemble(took, title, (f"\n{'':>14}{step.says}" if step.says else "", "dim")))

    def detail(self, subject: str, state: str) -> None:
        """Print a detail of the current step if the output is verbose."""
        if self.verbose:
            self.console.print(Text.assemble(f"{'':>14}", subject, " ", colored(state)))


def engines_table(loads: Sequence[Load]) -> RenderableType:
    """Return a table that compares loads by different engines."""
    rows = (
        (
            each.engine,
            duration(each.seconds),
            f"{each.cost_usd:.6f}",
            f"{each.written:,}",
            f"{each.quarantined:,}",
        )
        for each in loads
    )
    return table("engine", "time here", "USD at list price", "rows", "quarantined", rows=rows)


def letter(mail: str) -> RenderableType:
    """Return an e-mail as a mail client shows it; `mail` starts with its headers."""
    head, _, text = mail.partition("\n\n")
    subject = head.rpartition("Subject: ")[2]
    return Panel(Text(text.strip()), title=Text(subject), title_align="left")


def bars(rows: Sequence[tuple[Any, ...]]) -> RenderableType:
    """Return a chart of names and numbers: one bar for each, the longest for the largest."""
    largest = max((number for _, number in rows), default=1)
    grid = Table.grid(padding=(0, 1))
    for name, number in rows:
        bar = "█" * max(1, round(BAR_WIDTH * number / largest))
        grid.add_row(str(name), Text(bar, "cyan"), f"{number:,}")
    return grid
