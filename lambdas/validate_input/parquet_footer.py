"""Which columns does a Parquet footer declare, and where does its data end? Read with pyarrow."""

import threading
from contextlib import nullcontext
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_etl.contents import PARQUET_MAGIC
from taxi_etl.schema import kind_of_arrow

LARGE_FOOTER_BYTES = 256 * 1024
"""A footer takes about ten times its size while it is read; larger ones are read one at a time."""
_one_large = threading.Lock()


@dataclass(frozen=True)
class Schema:
    """A footer's columns as (name, kind) pairs, and the byte offset at which the last column chunk ends."""

    columns: tuple[tuple[str, str], ...]
    data_end: int


def read_schema(footer: bytes) -> Schema:
    """The schema in a footer's bytes (metadata, length and magic). Raises ArrowException for damage."""
    with _one_large if len(footer) > LARGE_FOOTER_BYTES else nullcontext():
        # pyarrow wants a whole file, and reads only its end as long as nobody asks for data.
        metadata = pq.read_metadata(pa.BufferReader(PARQUET_MAGIC + footer))
        schema = metadata.schema.to_arrow_schema()
        columns = tuple((field.name, str(kind_of_arrow(str(field.type)))) for field in schema)
        return Schema(columns, _data_end(metadata))


def _data_end(metadata: pq.FileMetaData) -> int:
    chunks = (
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    return max((_chunk_end(chunk) for chunk in chunks), default=0)


def _chunk_end(chunk: pq.ColumnChunkMetaData) -> int:
    # A dictionary page, where there is one, comes first; other writers leave its offset out, or at 0.
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    return int(min(start, chunk.data_page_offset) + chunk.total_compressed_size)
