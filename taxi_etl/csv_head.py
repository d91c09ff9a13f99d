"""The beginning of a CSV file: its dialect, its column names and its first rows."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The line by which Excel learns the delimiter."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_DECIMAL_COMMA = re.compile(r"(?![+-]?[1-9]\d{0,2},\d{3}$)[+-]?\d+,\d+")
"""A number with a decimal comma, but not one like `1,234`, whose comma could separate thousands."""
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written.

    `skip_lines` is the number of lines before the header. `row_width` is the number of fields in a row: the
    TLC published months whose rows end in blank fields that the header does not name. 0 means as many as the
    header names.
    """

    delimiter: str = ","
    decimal: str = "."
    skip_lines: int = 0
    row_width: int = 0

    def width(self, names: int) -> int:
        """The usual number of fields in a row of a file whose header has this number of names."""
        return max(names, self.row_width)

    def to_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {
            "delimiter": self.delimiter,
            "decimal": self.decimal,
            "skipLines": self.skip_lines,
            "rowWidth": self.row_width,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The dialect that `to_json` wrote; manifests of earlier versions have no entry."""
        if not entry:
            return cls()
        return cls(entry["delimiter"], entry["decimal"], entry["skipLines"], entry["rowWidth"])


@dataclass(frozen=True)
class CsvHead:
    """The parsed first lines of a CSV file; `problem` is the reason why they cannot be read, or empty.

    `names` are the columns as the file spells them, `rows` the fields of the complete rows after the header.
    """

    names: tuple[str, ...] = ()
    dialect: CsvDialect = field(default_factory=CsvDialect)
    rows: tuple[tuple[str, ...], ...] = ()
    problem: str = ""


def read_head(text: str, *, complete: bool) -> CsvHead:
    """Read the first lines of a CSV file; `complete` is true if `text` is the whole file."""
    # Not splitlines(), which also splits at characters that CSV readers keep.
    *lines, last = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if complete and last:
        lines.append(last)
    separator = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    skip_lines = 1 if separator else 0
    if len(lines) <= skip_lines:
        return CsvHead(problem=f"the header line does not end within the first {len(text):,} characters")
    header = lines[skip_lines]
    if not header.strip():
        return CsvHead(problem="the header line is empty; it must name the columns")
    delimiter = separator[1] if separator else max(DELIMITERS, key=_outside_quotes(header).count)
    try:
        names = _fields(header, delimiter)
    except csv.Error as error:
        return CsvHead(problem=f"the header line is not valid CSV: {error}")
    while names and not names[-1].strip():
        names.pop()  # a trailing delimiter names no column
    if _are_values(names):
        text = f"the first line holds values, not column names: {header[:80]}"
        return CsvHead(problem=f"{text}; add the header line and upload the file again")
    rows = tuple(
        tuple(_fields(line, delimiter, strict=False)) for line in lines[skip_lines + 1 :] if line.strip()
    )
    dialect = CsvDialect(
        delimiter=delimiter,
        decimal="," if delimiter != "," and _has_decimal_comma(rows) else ".",
        skip_lines=skip_lines,
        row_width=_row_width(rows, len(names)),
    )
    return CsvHead(tuple(names), dialect, rows)


def row_pattern(width: int, delimiter: str) -> str:
    """The regular expression of a line with `width` fields and any number of blank ones after them.

    Written for Java, RE2 and Python. Its loops do not nest, so that a long value costs no stack.
    """
    separator = re.escape(delimiter)
    field = f'(?:"[^"]*(?:""[^"]*)*"|[^"{separator}][^{separator}]*|)'
    blank = f'(?:{separator} *(?:" *")? *)*'
    return f"^{field}(?:{separator}{field}){{{width - 1}}}{blank}$"


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _fields(line: str, delimiter: str, *, strict: bool = True) -> list[str]:
    # The TLC's header of 2014 separates names by a comma and a space, also before a quote.
    after_space = strict and '" ' not in line and f'{delimiter} "' in line
    return next(csv.reader([line], delimiter=delimiter, strict=strict, skipinitialspace=after_space), [])


def _are_values(names: Sequence[str]) -> bool:
    """Whether these fields are a trip: a column name is never a date, and few are numbers."""
    given = [name.strip() for name in names if name.strip()]
    numbers = sum(bool(_NUMBER.fullmatch(name)) for name in given)
    return any(_DATE.fullmatch(name) for name in given) or numbers * 2 > len(given)


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    values = [value for row in rows for value in row]
    return any(map(_DECIMAL_COMMA.fullmatch, values)) and not any(map(_DECIMAL_POINT.fullmatch, values))


def _row_width(rows: Sequence[Sequence[str]], names: int) -> int:
    """The usual width of rows that are wider than the header, if their surplus fields are blank; else 0."""
    widths = Counter(len(row) for row in rows)
    usual = max(widths, key=lambda width: widths[width], default=0)
    surplus = (value for row in rows if len(row) == usual for value in row[names:])
    return usual if usual > names and not any(value.strip() for value in surplus) else 0
