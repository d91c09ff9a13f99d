"""The live data files of an Iceberg table, read from the manifests of its current snapshot.

pyiceberg's `scan().plan_files()` returns the same files, but evaluates the filter again for each of them.
With a batch of 99 files, this takes more than a second of CPU time.
"""

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from pyiceberg.expressions import AlwaysTrue, BooleanExpression, In
from pyiceberg.expressions.visitors import inclusive_projection, manifest_evaluator
from pyiceberg.manifest import DataFile, DataFileContent, ManifestFile
from pyiceberg.table import Table

from loading.storage import THREADS
from taxi_etl.tables import PARTITION_COLUMN


def rows_of(source_ids: Collection[str]) -> BooleanExpression:
    """The rows of these sources."""
    return In(PARTITION_COLUMN, set(source_ids))  # type: ignore[arg-type, call-arg] # pydantic's signature


def all_files(table: Table) -> list[DataFile]:
    """All data files. Raises ValueError for equality deletes, which pyiceberg cannot apply."""
    return _data_files(table, _entries(table, AlwaysTrue()))


def files_of(table: Table, source_ids: Collection[str]) -> list[DataFile]:
    """The data files of these sources. Raises ValueError if they have equality deletes."""
    wanted = set(source_ids)
    return _data_files(
        table, [file for file in _entries(table, rows_of(wanted)) if source_of(file) in wanted]
    )


def source_of(file: DataFile) -> str:
    """The source whose rows a data file has."""
    return str(file.partition[0])


def _entries(table: Table, rows: BooleanExpression) -> list[DataFile]:
    """The files, delete files included, of all manifests that may have such rows."""
    snapshot, schema = table.current_snapshot(), table.schema()
    if snapshot is None:
        return []
    may_have = {
        number: manifest_evaluator(spec, schema, inclusive_projection(schema, spec)(rows))
        for number, spec in table.specs().items()
    }
    manifests = [each for each in snapshot.manifests(table.io) if may_have[each.partition_spec_id](each)]
    if not manifests:
        return []

    def files(manifest: ManifestFile) -> list[DataFile]:
        return [entry.data_file for entry in manifest.fetch_manifest_entry(table.io)]

    with ThreadPoolExecutor(min(THREADS, len(manifests))) as pool:
        return [file for found in pool.map(files, manifests) for file in found]


def _data_files(table: Table, files: Iterable[DataFile]) -> list[DataFile]:
    found: list[DataFile] = []
    for file in files:
        if file.content == DataFileContent.EQUALITY_DELETES:
            raise ValueError(f"the table {table.name()[-1]} has equality deletes")
        if file.content == DataFileContent.DATA:
            found.append(file)
    return found
