"""Checks the pages of a Parquet file, which DuckDB reads with fewer checks than Spark.

If a damaged page header has another type or size, DuckDB may skip pages or continue with those of the next
column without an error. DuckDB also ignores page checksums.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from duckdb_engine.messages import NotLoadable
from duckdb_engine.sql import path_list

HEADER_BYTES_MAX = 16 * 1024
"""Bytes to read for a page header; statistics take most of them."""
DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3
TYPE, COMPRESSED_SIZE, CHECKSUM = 1, 3, 4
VALUES_FIELD: Mapping[int, int] = {DATA_PAGE: 5, DATA_PAGE_V2: 8}
"""The fields of a page header. Source: parquet.thrift, PageHeader and PageType."""
TRUE, FALSE, INTEGERS, BINARY, STRUCT = 1, 2, (4, 5, 6), 8, 12
"""Types of Thrift's compact protocol that occur in page headers."""
FIRST_PAGE = "least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)"
"""The byte offset of a column chunk's first page, by DuckDB's `parquet_metadata`."""
CHUNKS = (
    f"SELECT file_name, {FIRST_PAGE}, total_compressed_size, num_values "  # noqa: S608 (own paths)
    "FROM parquet_metadata({paths}) WHERE num_values > 0"
)


def refuse_unlike_pages(database: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """Raise NotLoadable unless each column chunk has complete pages with all its values, and no checksums."""
    chunks: dict[str, list[tuple[int, int, int]]] = {}
    for path, start, size, values in database.execute(CHUNKS.format(paths=path_list(paths))).fetchall():
        chunks.setdefault(path, []).append((int(start), int(size), int(values)))
    for path, found in chunks.items():
        with Path(path).open("rb") as file:
            for start, size, values in found:
                _check_chunk(file, start, start + size, values)


def _check_chunk(file: BinaryIO, start: int, end: int, values: int) -> None:
    place, found = start, 0
    while place < end:
        file.seek(place)
        try:
            header, length = _struct(file.read(min(end - place, HEADER_BYTES_MAX)), 0)
            kind, size = header[TYPE], header[COMPRESSED_SIZE]
            if CHECKSUM in header:
                raise NotLoadable("its pages have checksums")
            if kind != DICTIONARY_PAGE or place > start:
                found += header[VALUES_FIELD[kind]][1]
        except (IndexError, KeyError, TypeError, RecursionError):
            raise NotLoadable("a page header has an unknown format") from None
        if size < 0:
            raise NotLoadable("a page has a negative size")
        place += length + size
    if (place, found) != (end, values):
        raise NotLoadable("a column's pages do not match the sizes and value counts in the footer")


def _struct(data: bytes, place: int) -> tuple[dict[int, Any], int]:
    """The fields of a struct in Thrift's compact protocol by their IDs, and where it ends.

    The values of texts are left out (None). Raises IndexError or KeyError if the data is not a page header.
    """
    fields: dict[int, Any] = {}
    number = 0
    while data[place]:
        delta, kind = data[place] >> 4, data[place] & 15
        if not delta:
            raise KeyError("a field without a delta")
        number, place = number + delta, place + 1
        if kind in (TRUE, FALSE):
            fields[number] = kind == TRUE
        elif kind in INTEGERS:
            zigzag, place = _varint(data, place)
            fields[number] = (zigzag >> 1) ^ -(zigzag & 1)
        elif kind == BINARY:
            length, place = _varint(data, place)
            fields[number], place = None, place + length
        elif kind == STRUCT:
            fields[number], place = _struct(data, place)
        else:
            raise KeyError(kind)
    return fields, place + 1


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while data[place] >= 0x80:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return value | data[place] << shift, place + 1
