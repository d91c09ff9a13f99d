"""Tables for people: aligned lines in files and pipes, and whole names on narrow terminals.

The first column names the row, and other cells without spaces are names too, such as executions. People copy
names, so only prose is wrapped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

UNLIMITED = 1_000_000
"""The width of a console that does not write to a terminal; no line is ever folded there."""
_GAP = 2
_PROSE_MIN = 24
"""The narrowest column of prose, in characters."""


@dataclass(frozen=True)
class Listing:
    """Rows under headings; `rich` prints it in one of three forms, by the width of the console.

    Not on a terminal: one line a row, with every text whole. On a terminal: a table in which only prose is
    wrapped, or if that is too wide, one block a row with the name on its own line.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[RenderableType]:
        """Yield the form that suits the console."""
        if options.max_width >= UNLIMITED:
            yield from self._lines()
            return
        widths = _fitted(self._columns(), options.max_width)
        yield from (self._blocks() if widths is None else [self._table(widths)])

    def _columns(self) -> list[list[Text]]:
        return [[Text(heading), *cells] for heading, *cells in zip(self.headings, *self.rows, strict=True)]

    def _lines(self) -> Iterable[Text]:
        rows = [
            [Text(heading, "bold") for heading in self.headings],
            *([_one_line(cell) for cell in row] for row in self.rows),
        ]
        widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            line = Text()
            for cell, width in zip(row, widths, strict=True):
                line.append_text(cell).append(" " * (width - cell.cell_len + _GAP))
            line.rstrip()
            yield line

    def _table(self, widths: Sequence[int]) -> Table:
        made = Table(header_style="bold", box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for heading, width in zip(self.headings, widths, strict=True):
            made.add_column(heading, overflow="fold", width=width)
        for row in self.rows:
            made.add_row(*row)
        return made

    def _blocks(self) -> Iterable[Text]:
        first, *others = self.headings
        for number, (name, *cells) in enumerate(self.rows):
            if number:
                yield Text()
            yield Text.assemble((f"{first} " if first else "", "bold"), _one_line(name))
            for heading, cell in zip(others, cells, strict=True):
                yield Text.assemble("  ", (f"{heading}: " if heading else "", "bold"), _one_line(cell))


def _one_line(cell: Text) -> Text:
    """Return a cell without line ends."""
    return Text("; ").join(cell.split("\n")) if "\n" in cell.plain else cell.copy()


def _fitted(columns: Sequence[Sequence[Text]], limit: int) -> list[int] | None:
    """Return column widths that fit a terminal; None if names would be folded or prose too narrow."""
    natural = [max(_widest(cell.plain.splitlines()) for cell in column) for column in columns]
    least = [max(map(_least, column)) for column in columns]
    least[0] = natural[0]
    room = limit - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    widths = list(natural)
    while sum(widths) > room:
        foldable = [place for place, width in enumerate(widths) if width > least[place]]
        widths[max(foldable, key=lambda place: widths[place])] -= 1
    return widths


def _least(cell: Text) -> int:
    """Return the least width of a cell: all of a name, some words of prose."""
    lines = cell.plain.splitlines()
    return max(_widest(line for line in lines if " " not in line), min(_widest(lines), _PROSE_MIN))


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
