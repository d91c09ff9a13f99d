"""Row counts by source from the metadata of the tables, without reading rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pyiceberg.catalog import Catalog
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.types import StringType

from taxi_etl.consistency.facts import BOUND_CHARACTERS, SourceRows
from taxi_etl.tables import table_names


def source_rows(catalog: Catalog, database: str) -> list[SourceRows]:
    """Return the rows of every source in every table, by the manifests of the current snapshots."""
    existing = (name for name in table_names() if catalog.table_exists((database, name)))
    return [each for name in existing for each in _rows_of(name, catalog.load_table((database, name)))]


def _rows_of(name: str, table: Table) -> Iterator[SourceRows]:
    files: dict[str, list[DataFile]] = defaultdict(list)
    for task in table.scan().plan_files():
        files[str(task.file.partition[0])].append(task.file)
    for source, found in files.items():
        yield SourceRows(
            table=name,
            source_id=source,
            rows=sum(each.record_count for each in found),
            versions=_beginnings(table, "source_version", found),
            runs=_beginnings(table, "run_id", found),
        )


def _beginnings(table: Table, column: str, files: Iterable[DataFile]) -> frozenset[str]:
    """Return the beginnings of a text column's smallest and largest value in each data file.

    A source has one value in each data file, unless a compaction merged data files of several loads.
    """
    number = table.schema().find_field(column).field_id
    found: set[str] = set()
    for file in files:
        low, high = (_text(bounds, number) for bounds in (file.lower_bounds, file.upper_bounds))
        found |= {low[:BOUND_CHARACTERS], _beginning(low, high)} - {""}
    return frozenset(found)


def _beginning(low: str, high: str) -> str:
    """Return the beginning of the largest value; Iceberg adds one to the last character of a cut bound."""
    if high == low or len(high) < BOUND_CHARACTERS:
        return high
    return high[:-1] + chr(ord(high[-1]) - 1)


def _text(bounds: Mapping[int, bytes] | None, number: int) -> str:
    """Return a bound of a column as text, empty if the data file has none."""
    found = (bounds or {}).get(number)
    return str(from_bytes(StringType(), found)) if found is not None else ""
