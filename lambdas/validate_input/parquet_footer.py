"""Columns and data extent that a Parquet footer declares, read with pyarrow."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_etl.contents import PARQUET_MAGIC
from taxi_etl.schema import INT96, SourceColumn


@dataclass(frozen=True)
class Schema:
    """A footer's columns, and the byte offset at which the last column chunk ends."""

    columns: tuple[SourceColumn, ...]
    data_end: int


def read_schema(footer: bytes) -> Schema:
    """Read the schema from a footer's bytes: metadata, length and magic. Raises ArrowException for damage."""
    # pyarrow takes a whole file, but reads only its end unless data is read. `metadata.schema` would hold
    # a reference cycle until a garbage collection; `schema_arrow` does not.
    with pq.ParquetFile(pa.BufferReader(PARQUET_MAGIC + footer)) as file:
        int96 = _stored_as_int96(file.metadata)
        columns = tuple(
            SourceColumn.of_arrow(field.name, INT96 if field.name in int96 else str(field.type))
            for field in file.schema_arrow
        )
        return Schema(columns, _data_end(file.metadata))


def _stored_as_int96(metadata: pq.FileMetaData) -> set[str]:
    """Return the names of INT96 columns, which only column chunks reveal: Arrow shows a timestamp."""
    chunks = (
        metadata.row_group(0).column(column)
        for column in range(metadata.num_columns if metadata.num_row_groups else 0)
    )
    return {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "INT96"}


def _data_end(metadata: pq.FileMetaData) -> int:
    chunks = (
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    return max((_chunk_end(chunk) for chunk in chunks), default=0)


def _chunk_end(chunk: pq.ColumnChunkMetaData) -> int:
    # A dictionary page precedes the data pages. Without one, writers leave its offset out or set it to 0.
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    return int(min(start, chunk.data_page_offset) + chunk.total_compressed_size)
