"""An Iceberg catalog in a folder, which pyiceberg and Spark's `hadoop` catalog share.

pyiceberg has no such catalog, because not all file systems refuse a second writer of a version. Local ones
do.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.serializers import FromInputFile, ToOutputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata
from pyiceberg.typedef import Identifier

from duckdb_engine.file_io import Boto3FileIO

HINT = "version-hint.text"


class FolderCatalog(NoopCatalog):
    """Tables below a folder; the metadata of version N is `DATABASE/TABLE/metadata/vN.metadata.json`."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__("folder")
        self.warehouse = warehouse
        self.io = Boto3FileIO()

    def table_exists(self, identifier: str | Identifier) -> bool:
        return self._version(identifier) > 0

    def list_tables(self, namespace: str | Identifier) -> list[Identifier]:
        folders = (self.warehouse / str(namespace)).iterdir()
        return [(str(namespace), folder.name) for folder in sorted(folders)]

    def create_table(  # type: ignore[override] # the arguments that the engine passes
        self,
        identifier: str | Identifier,
        schema: Schema,
        *,
        partition_spec: PartitionSpec,
        properties: Mapping[str, str],
    ) -> Table:
        place = str(self._folder(identifier))
        metadata = new_table_metadata(schema, partition_spec, UNSORTED_SORT_ORDER, place, dict(properties))
        try:
            self._write(identifier, 1, metadata)
        except CommitFailedException as error:
            raise TableAlreadyExistsError(str(identifier)) from error
        return self.load_table(identifier)

    def load_table(self, identifier: str | Identifier) -> Table:
        version = self._version(identifier)
        if not version:
            raise NoSuchTableError(str(identifier))
        location = str(self._metadata(identifier, version))
        metadata = FromInputFile.table_metadata(self.io.new_input(location))
        return Table(tuple(identifier), metadata, location, self.io, self)

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        current = self.load_table(table.name())
        for requirement in requirements:
            requirement.validate(current.metadata)
        metadata = update_table_metadata(
            current.metadata, updates, metadata_location=current.metadata_location
        )
        version = int(Path(current.metadata_location).name[1:].partition(".")[0]) + 1
        location = self._write(table.name(), version, metadata)
        return CommitTableResponse.model_validate({"metadata": metadata, "metadata-location": location})

    def _folder(self, identifier: str | Identifier) -> Path:
        return self.warehouse.joinpath(*identifier)

    def _metadata(self, identifier: str | Identifier, version: int) -> Path:
        return self._folder(identifier) / "metadata" / f"v{version}.metadata.json"

    def _version(self, identifier: str | Identifier) -> int:
        """The newest version; 0 if there is no table."""
        found = (self._folder(identifier) / "metadata").glob("v*.metadata.json")
        return max((int(path.name[1:].partition(".")[0]) for path in found), default=0)

    def _write(self, identifier: str | Identifier, version: int, metadata: TableMetadata) -> str:
        path = self._metadata(identifier, version)
        part = path.with_name(f".{version}.{os.getpid()}.{id(metadata)}")
        ToOutputFile.table_metadata(metadata, self.io.new_output(str(part)), overwrite=True)
        try:
            os.link(part, path)
        except FileExistsError as error:
            raise CommitFailedException(f"{path.name} exists") from error
        finally:
            part.unlink()
        hint = path.with_name(HINT)
        # Hadoop verifies files that have a checksum next to them.
        path.with_name(f".{HINT}.crc").unlink(missing_ok=True)
        hint.write_text(str(version))
        return str(path)
