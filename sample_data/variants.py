"""Types that describe the layouts of TLC trip files, and the lookup of a month's layout.

The registries `csv_variants` and `parquet_variants` follow published files and surveys of them.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month, written `2024-01`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Return the month written as `2024-01`. Raises ValueError for anything else."""
        try:
            day = dt.datetime.strptime(text, "%Y-%m")
        except ValueError:
            raise ValueError(f"{text!r} is not a month; write it as 2024-01") from None
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def days(self) -> int:
        """The number of days in the month."""
        return calendar.monthrange(self.year, self.month)[1]


@dataclass(frozen=True)
class Column:
    """One column of a file.

    `name` is as published, `content` is a key of `trip_values.values`, `type` is the Arrow type (CSV: empty).
    """

    name: str
    content: str
    type: str = ""


@dataclass(frozen=True)
class CsvStyle:
    """The formatting details of one CSV layout.

    `quote` is `none`, `all` or `strings`; `doubles`, `distances` and `times` name a format of `csv_format`;
    `spare_fields` is the number of empty fields that every row has beyond the header, `stray_fields` that of
    one row in 500; `blank_line` adds an empty line 2.
    """

    separator: str = ","
    line_end: str = "\r\n"
    blank_line: bool = False
    spare_fields: int = 0
    stray_fields: int = 0
    quote: str = "none"
    doubles: str = "plain"
    distances: str = "bare"
    times: str = "seconds"


@dataclass(frozen=True)
class Variant:
    """One layout of the files of one dataset, in use from month `first` to month `last`.

    `nulls` is the share of rows in which a group of values is null (groups: `trip_values.NULL_GROUPS`);
    `months` lists the months whose columns have other types, as name -> type.
    """

    id: str
    dataset: str
    format: str
    first: Month
    last: Month
    columns: tuple[Column, ...]
    nulls: Mapping[str, float] = field(default_factory=dict)
    months: Mapping[Month, Mapping[str, str]] = field(default_factory=dict)
    csv: CsvStyle = field(default_factory=CsvStyle)
    csv_months: Mapping[Month, CsvStyle] = field(default_factory=dict)
    codec: str = "SNAPPY"
    parquet_version: str = "2.6"
    official: bool = True

    def columns_of(self, month: Month) -> tuple[Column, ...]:
        """Return the columns of a file of this month; some months differ in types or have an extra column."""
        changed = self.months.get(month, {})
        known = {column.name for column in self.columns}
        return tuple(
            Column(column.name, column.content, changed.get(column.name, column.type))
            for column in self.columns
        ) + tuple(Column(name, "row_number", kind) for name, kind in changed.items() if name not in known)

    def style_of(self, month: Month) -> CsvStyle:
        """Return the formatting of a CSV file of this month."""
        return self.csv_months.get(month, self.csv)


def find(variants: Iterable[Variant], dataset: str, kind: str, month: Month) -> Variant:
    """Return the published layout of `kind` (`parquet` or `csv`) of a dataset in a month.

    The TLC stopped publishing CSV. For later months, which people still export as CSV, this is the last CSV
    layout. Raises ValueError that names the known months.
    """
    variants = list(variants)
    known = sorted(
        (v for v in variants if v.dataset == dataset and v.format == kind and v.official),
        key=lambda v: v.first,
    )
    if not known:
        datasets = ", ".join(dict.fromkeys(v.dataset for v in variants))
        raise ValueError(f"no {kind} layout of dataset {dataset!r}; datasets are {datasets}")
    for variant in known:
        if variant.first <= month <= variant.last:
            return variant
    if kind == "csv" and month > known[-1].last:
        return known[-1]
    raise ValueError(
        f"no {kind} layout of {dataset} is known for {month}, only for {known[0].first} to {known[-1].last}; "
        f"choose such a month, or name a variant: {', '.join(variant.id for variant in known)}"
    )
