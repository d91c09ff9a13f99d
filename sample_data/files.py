"""Writes sample files: DuckDB computes portions of rows, pyarrow or plain bytes write them.

The portion bounds the memory, not the number of rows. The same arguments give the same bytes as long as the
versions of DuckDB and pyarrow stay the same.
"""

import codecs
import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sample_data import csv_format, damage
from sample_data.csv_variants import CSV_VARIANTS
from sample_data.parquet_variants import PARQUET_VARIANTS
from sample_data.trip_values import Dice, facts, money, values
from sample_data.variants import Column, CsvStyle, Month, Variant, find
from sample_data.zones import ZONES, write_zones

VARIANTS: Mapping[str, Variant] = {variant.id: variant for variant in (*CSV_VARIANTS, *PARQUET_VARIANTS)}
SUFFIXES = {"parquet": ".parquet", "csv": ".csv", "csv.gz": ".csv.gz"}
ENCODINGS = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1"}
PARQUET_PORTION = 1_048_576
"""Rows in a Parquet row group: pyarrow's default, which published files show."""
CSV_PORTION = 200_000
_TWINS = {"fhv": 0.05}
"""Share of rows that repeat the previous row exactly; fhv files have many and no key to distinguish them."""

_ARROW_TYPES = {
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "timestamp[us]": pa.timestamp("us"),
    "null": pa.null(),
}
_SQL_TYPES = {"int32": "integer", "int64": "bigint", "double": "double", "timestamp[us]": "timestamp"}


@dataclass(frozen=True)
class Sample:
    """A sample file: `rows` data rows, of which `dirty` (counts by reason) must end in quarantine."""

    path: Path
    dataset: str
    variant: str
    month: str
    format: str
    rows: int
    dirty: Mapping[str, int]
    seed: int

    @property
    def dirty_rows(self) -> int:
        """The number of rows that must end in quarantine; each has one reason."""
        return sum(self.dirty.values())

    @property
    def clean_rows(self) -> int:
        """The number of rows that must end in the table."""
        return self.rows - self.dirty_rows

    def to_json(self) -> dict[str, Any]:
        """The JSON document of `taxi-etl sample`."""
        return {
            "path": str(self.path),
            "dataset": self.dataset,
            "variant": self.variant,
            "month": self.month,
            "format": self.format,
            "rows": self.rows,
            "cleanRows": self.clean_rows,
            "dirtyRows": self.dirty_rows,
            "dirty": dict(self.dirty),
            "bytes": self.path.stat().st_size,
            "seed": self.seed,
        }


def generate(
    path: Path,
    *,
    dataset: str = "",
    variant: str = "",
    month: str = "",
    rows: int = 1000,
    dirty_share: float = 0.0,
    reasons: Sequence[str] | None = None,
    seed: int = 1,
    format: str = "",
    encoding: str = "utf-8",
    csv_style: Mapping[str, Any] | None = None,
) -> Sample:
    """Write one TLC trip file, or the file of the dataset `zones`, and return what it contains.

    `path` is a file, or an existing folder that gets a file named as the TLC names it. Give a `variant` of
    `VARIANTS`, or a `dataset` and `month` (`2024-01`) to use the layout published for that month. `format` is
    one of `SUFFIXES`; without it, the path's suffix or the variant decides. `reasons` limits the kinds of
    damage; `encoding` is one of `ENCODINGS`, for CSV only; `csv_style` overrides fields of the variant's
    `CsvStyle`. Raises ValueError that names the allowed values.
    """
    if dataset == "zones":
        if variant or format not in ("", "csv"):
            raise ValueError("the zones are a CSV file without variants")
        return Sample(write_zones(path), "zones", "", "", "csv", len(ZONES), {}, seed)
    if rows < 0:
        raise ValueError(f"rows is {rows}; it must not be negative")
    kind = _format(path, format, variant)
    layout, of_month = _layout(dataset, variant, month, kind)
    target = path / f"{layout.dataset}_tripdata_{of_month}{SUFFIXES[kind]}" if path.is_dir() else path
    columns = layout.columns_of(of_month)
    plan = damage.plan(columns, rows, dirty_share, reasons)
    source = _source(layout, of_month, plan, seed)
    if kind == "parquet":
        _write_parquet(target, layout, columns, source, rows)
    else:
        if encoding not in ENCODINGS:
            raise ValueError(f"encoding {encoding!r} is unknown; choose one of {', '.join(ENCODINGS)}")
        style = replace(layout.style_of(of_month), **(csv_style or {}))
        _write_csv(
            target, columns, style, source, rows, encoding=ENCODINGS[encoding], zipped=kind == "csv.gz"
        )
    return Sample(target, layout.dataset, layout.id, str(of_month), kind, rows, plan.counts(), seed)


def _format(path: Path, given: str, variant: str) -> str:
    """Return the format: by argument, else by the path's suffix, else by the variant, else Parquet."""
    if given and given not in SUFFIXES:
        raise ValueError(f"format {given!r} is unknown; choose one of {', '.join(SUFFIXES)}")
    by_suffix = next((kind for kind, suffix in SUFFIXES.items() if path.name.endswith(suffix)), "")
    by_variant = VARIANTS[variant].format if variant in VARIANTS else "parquet"
    return given or ("" if path.is_dir() else by_suffix) or by_variant


def _layout(dataset: str, variant: str, month: str, kind: str) -> tuple[Variant, Month]:
    """Return the variant and the month to write; without a month, the first month of the variant."""
    of_month = Month.parse(month) if month else None
    kind_family = kind.removesuffix(".gz")
    if variant:
        if variant not in VARIANTS:
            raise ValueError(f"variant {variant!r} is unknown; choose one of {', '.join(VARIANTS)}")
        layout = VARIANTS[variant]
        if layout.format != kind_family:
            raise ValueError(f"variant {variant} is {layout.format}, not {kind}")
        if dataset and dataset != layout.dataset:
            raise ValueError(f"variant {variant} is of dataset {layout.dataset}, not {dataset}")
        return layout, of_month or layout.first
    if not dataset or of_month is None:
        raise ValueError("give a variant, or a dataset and a month")
    return find(VARIANTS.values(), dataset, kind_family, of_month), of_month


@dataclass(frozen=True)
class _Source:
    """SQL of the rows of one file, independent of the file's format."""

    trips: str
    contents: Mapping[str, str]
    unparseable: Column | None

    def value(self, column: Column) -> str:
        """Return SQL of the column's value, damaged in the rows to damage."""
        return damage.damaged(column.content, self.contents[column.content])

    def or_unparseable(self, column: Column, sql: str) -> str:
        """Return the SQL, with the unparseable value in the rows that get one."""
        if column != self.unparseable:
            return sql
        return f"case reason when 'unparseable' then {damage.unparseable_value(column)} else {sql} end"


def _source(layout: Variant, month: Month, plan: damage.Plan, seed: int) -> _Source:
    dice = Dice(seed)
    twin = dice.roll("twin").replace("(j,", "(i,")
    numbered = (
        f"select i, {plan.nth()} as nth, i - ({twin} < {_TWINS.get(layout.dataset, 0.0002)})::integer as j"
    )

    def add(names: Mapping[str, str], inner: str) -> str:
        added = ", ".join(f"{sql} as {name}" for name, sql in names.items())
        return f"select *, {added} from ({inner})"  # noqa: S608 - contains no input but numbers

    trips = f"{numbered} from range({{first}}, {{end}}) numbers(i)"
    trips = add({"reason": plan.reason()}, trips)
    trips = add(facts(dice, month, layout.nulls, max(plan.rows, 1)), trips)
    trips = add(money(month), trips)
    return _Source(
        trips, values(dice, layout.dataset, month), damage.unparseable_column(layout.columns_of(month))
    )


def _portions(select: str, source: _Source, rows: int, size: int) -> Iterator[pa.Table]:
    """Yield the rows of the file in order, in portions of at most `size` rows."""
    with duckdb.connect(":memory:") as engine:
        for first in range(0, rows, size):
            trips = source.trips.format(first=first, end=min(first + size, rows))
            portion = f"select {select} from ({trips}) order by i"  # noqa: S608 - see _source
            yield engine.sql(portion).to_arrow_table()


def _write_parquet(
    target: Path, layout: Variant, columns: Sequence[Column], source: _Source, rows: int
) -> None:
    schema = pa.schema([(column.name, _ARROW_TYPES[column.type]) for column in columns])
    select = ", ".join(f'{_typed(column, source)} as "{column.name}"' for column in columns)
    with pq.ParquetWriter(
        target, schema, compression=layout.codec, version=layout.parquet_version, coerce_timestamps="us"
    ) as writer:
        for table in _portions(select, source, rows, PARQUET_PORTION):
            arrays = [
                pa.nulls(len(table)) if field.type == pa.null() else table[field.name].cast(field.type)
                for field in schema
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=PARQUET_PORTION)


def _typed(column: Column, source: _Source) -> str:
    value = source.value(column)
    if column.type in ("string", "large_string") and column.content in csv_format.CONTENT_TIMES:
        value = csv_format.TIMES["seconds"].format(value)
    kind = _SQL_TYPES.get(column.type, "varchar")
    return source.or_unparseable(column, f"cast({value} as {kind})")


def _write_csv(
    target: Path,
    columns: tuple[Column, ...],
    style: CsvStyle,
    source: _Source,
    rows: int,
    *,
    encoding: str,
    zipped: bool,
) -> None:
    texts = {
        column.name: source.or_unparseable(column, csv_format.text(column, source.value(column), style))
        for column in columns
    }
    line = csv_format.line(columns, texts, style)
    with ExitStack() as stack:
        out: IO[bytes] | gzip.GzipFile = stack.enter_context(target.open("wb"))
        if zipped:  # no name or time in the gzip header: the same rows give the same bytes
            out = stack.enter_context(gzip.GzipFile("", "wb", 6, out, 0))
        encode = codecs.getincrementalencoder(encoding)().encode
        out.write(encode(csv_format.header(columns, style)))
        for table in _portions(f"{line} as line", source, rows, CSV_PORTION):
            for chunk in table["line"].chunks:
                lines = _bytes_of(chunk)
                out.write(lines if encoding == "utf-8" else encode(lines.decode()))


def _bytes_of(lines: pa.StringArray) -> bytes:
    """Return all lines as one byte string; an Arrow string array stores them contiguously."""
    offsets = memoryview(lines.buffers()[1]).cast("i")
    first, end = offsets[lines.offset], offsets[lines.offset + len(lines)]
    return memoryview(lines.buffers()[2])[first:end].tobytes()
