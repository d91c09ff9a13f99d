"""Reads CSV files with DuckDB as Spark does, if they are plain.

The scan of the bytes (`taxi_etl.csv_scan`) has already found that the file is text and that its gzip data is
complete, and has counted its lines. Parsers still differ in line ends and quotes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from duckdb_engine.messages import DOTTED_I, NotLoadable
from duckdb_engine.sql import LOCAL_PATH, path_list, quoted, translated_expression
from taxi_etl.csv_scan import LINE_MAX_BYTES, gunzip
from taxi_etl.documents import AcceptedFile
from taxi_etl.transform.expressions import literal
from taxi_etl.transform.sources import source_columns

CHUNK_BYTES = 1024 * 1024
LINE_CHARACTERS_MAX = 2 * LINE_MAX_BYTES
ENCODINGS = ("utf-8", "utf-8-sig")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANK_LINES = re.compile(rb"\n[\x00-\x20]*(?=\n)")


def write_plain(source: Path, target: Path, file: AcceptedFile) -> None:
    """Write the lines with the file's rows to `target`: unpacked, with `\\n` ends, without blank lines.

    Raises NotLoadable for a file whose lines DuckDB and Spark may split differently.
    """
    if file.encoding not in ENCODINGS:
        raise NotLoadable(f"its encoding is {file.encoding}")
    quoted_value = _quoted_value(file.dialect.delimiter)
    skipped = file.dialect.skip_lines + 1
    with source.open("rb") as packed, target.open("wb") as out:
        chunks = iter(lambda: packed.read(CHUNK_BYTES), b"")
        plain = gunzip(chunks) if file.compression == "gzip" else chunks
        for number, block in enumerate(_whole_lines(plain)):
            lines = _with_plain_ends(block.removeprefix(BYTE_ORDER_MARK) if number == 0 else block)
            while skipped and lines:
                _, _, lines = lines.partition(b"\n")
                skipped -= 1
            _write_rows(lines, out, quoted_value)


def csv_query(paths: Sequence[Path], file: AcceptedFile) -> str:
    """A query for the rows of files of one layout that `write_plain` wrote, all columns as text.

    DuckDB ignores empty fields after the last column, as the transform does, and rejects any other number of
    fields.
    """
    names = [quoted(column.name) for column in source_columns(file.columns)]
    fields = [f"c{place}" for place in range(len(names))]
    listed = ", ".join(f"{field} AS {name}" for field, name in zip(fields, names, strict=True))
    typed = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    delimiter = file.dialect.delimiter.replace("'", "''")
    return (
        f"SELECT {listed}, CAST(NULL AS bigint) AS _position, CAST(NULL AS varchar) AS _row_text, "  # noqa: S608 (generated)
        f"{LOCAL_PATH} FROM read_csv({path_list(paths)}, filename='{LOCAL_PATH}', "
        f"columns={{{typed}}}, header=false, delim='{delimiter}', quote='\"', "
        "escape='\"', comment='', auto_detect=false, strict_mode=true, null_padding=false, "
        f"new_line='\\n', encoding='utf-8', compression='none', max_line_size={LINE_CHARACTERS_MAX})"
    )


def header_condition(file: AcceptedFile) -> str:
    """The condition of a row that repeats the header.

    The Spark job drops every such row of a file with lines before the header.
    """
    pairs = zip(file.columns, source_columns(file.columns), strict=True)
    return " AND ".join(
        f"trim(coalesce({quoted(offer.name)}, '')) = trim({translated_expression(literal(column.name))})"
        for column, offer in pairs
    )


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of whole lines; the last line gets a line end if it has none."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
    if rest:
        yield rest + b"\n"


def _with_plain_ends(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    if block.count(b"\r") != block.count(b"\r\n"):
        raise NotLoadable("a line has a carriage return before its end")
    return block.replace(b"\r\n", b"\n")


def _write_rows(lines: bytes, out: BinaryIO, quoted_value: re.Pattern[bytes]) -> None:
    if b'"' in lines and b'"' in quoted_value.sub(b"", lines):
        raise NotLoadable("a value contains a quote")
    if DOTTED_I.encode() in lines:
        raise NotLoadable("a value contains a capital i with a dot")
    out.write(BLANK_LINES.sub(b"", b"\n" + lines)[1:])


def _quoted_value(delimiter: str) -> re.Pattern[bytes]:
    """The pattern of a whole value in quotes, without quotes within it."""
    if not delimiter.isascii() or delimiter in '"\\\r\n':
        raise NotLoadable(f"its delimiter is {delimiter!r}")
    between = re.escape(delimiter).encode()
    return re.compile(rb"(?<![^" + between + rb'\n])"[^"\n]*"(?![^' + between + rb"\n])")
