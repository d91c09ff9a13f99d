"""Facts about a Parquet file from its footer, read with pyarrow.

pyarrow can end its process on damaged bytes. Validation therefore imports this module in `footer_process`
only.
"""

from collections.abc import Set
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_etl.contents import COLUMNS_MAX, PARQUET_MAGIC
from taxi_etl.parquet_rules import FooterFacts
from taxi_etl.schema import INT96, SourceColumn

ARROW_SCHEMA = b"ARROW:schema"
"""The key of the Arrow schema that many writers add to the metadata, and that pyarrow prefers."""
HIDDEN_SCHEMA = b"ARROW:hidden"


def read_footer(footer: bytes) -> FooterFacts:
    """Read a footer's bytes: metadata, length and magic. Raises ArrowException and others for damage."""
    try:
        return _facts(footer)
    except pa.ArrowNotImplementedError:
        # Polars has types that pyarrow lacks, such as Int128; Parquet's own types suffice.
        return _facts(footer.replace(ARROW_SCHEMA, HIDDEN_SCHEMA))


def _facts(footer: bytes) -> FooterFacts:
    # pyarrow takes a whole file, but reads only its end unless data is read. `metadata.schema` would hold
    # a reference cycle until a garbage collection; `schema_arrow` does not.
    with pq.ParquetFile(pa.BufferReader(PARQUET_MAGIC + footer)) as file:
        metadata = file.metadata
        if metadata.num_columns > COLUMNS_MAX:
            raise ValueError(f"the file has {metadata.num_columns:,} columns; the limit is {COLUMNS_MAX}")
        chunks = _Chunks({each.name for each in file.schema_arrow if not pa.types.is_nested(each.type)})
        chunks.add_all(metadata)
        return FooterFacts(
            columns=tuple(
                SourceColumn.of_arrow(each.name, INT96 if each.name in chunks.int96 else str(each.type))
                for each in file.schema_arrow
            ),
            data_end=chunks.data_end,
            codecs=chunks.codecs,
            encodings=frozenset(chunks.encodings),
            contradiction=chunks.contradiction,
        )


@dataclass
class _Chunks:
    """Facts about the column chunks of a footer; `flat` are the columns with one value per row.

    `int96` are the columns of that physical type, which Arrow shows as timestamps, `starts` the offsets of
    the chunks.
    """

    flat: Set[str]
    data_end: int = 0
    codecs: dict[str, str] = field(default_factory=dict)
    encodings: set[str] = field(default_factory=set)
    int96: set[str] = field(default_factory=set)
    starts: set[int] = field(default_factory=set)
    contradiction: str = ""

    def add_all(self, metadata: pq.FileMetaData) -> None:
        """Add each row group, and compare their rows with the file's."""
        groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
        for number, group in enumerate(groups, start=1):
            for column in range(group.num_columns):
                self._add(group.column(column), number, group.num_rows)
        rows = sum(group.num_rows for group in groups)
        if rows != metadata.num_rows and not self.contradiction:
            self.contradiction = f"it declares {metadata.num_rows:,} rows, but its row groups {rows:,}"

    def _add(self, chunk: pq.ColumnChunkMetaData, group: int, rows: int) -> None:
        name = chunk.path_in_schema
        start = _chunk_start(chunk)
        self.data_end = max(self.data_end, start + chunk.total_compressed_size)
        if chunk.num_values and start in self.starts and not self.contradiction:
            self.contradiction = f"two of its column chunks begin at byte {start:,}"
        self.starts.add(start)
        self.codecs.setdefault(chunk.compression, name)
        self.encodings.update(chunk.encodings)
        if chunk.physical_type == "INT96":
            self.int96.add(name)
        if name in self.flat and chunk.num_values != rows and not self.contradiction:
            self.contradiction = (
                f"row group {group:,} declares {rows:,} rows, but its column {name!r} "
                f"{chunk.num_values:,} values"
            )


def _chunk_start(chunk: pq.ColumnChunkMetaData) -> int:
    # A dictionary page precedes the data pages. Without one, writers leave its offset out or set it to 0.
    return int(min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset))
