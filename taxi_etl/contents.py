"""Content checks on the first and last bytes of an object.

Nothing here reads S3. The job detects damage between the ends.
"""

import codecs
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from taxi_etl.csv_head import CsvDialect, read_head
from taxi_etl.csv_scan import GZIP_WBITS, check_last_line
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.schema import SourceColumn, text_columns

HEAD_BYTES = 64 * 1024
"""Bytes read from the start of an object. A CSV header must fit, also after decompression."""
TAIL_BYTES = 64 * 1024
"""Bytes read from the end of an object: enough for the footer of nearly every Parquet file."""
FOOTER_MAX_BYTES = 8 * 1024 * 1024
"""The largest Parquet footer that is read: pyarrow needs eight times its size in memory."""
COLUMNS_MAX = 256

PARQUET_MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
PARQUET_TRAILER_BYTES = 8
PARQUET_MIN_BYTES = len(PARQUET_MAGIC) + PARQUET_TRAILER_BYTES
GZIP_MAGIC = b"\x1f\x8b"
OTHER_FORMATS = {
    PARQUET_MAGIC: "a Parquet file; its name must end in .parquet",
    GZIP_MAGIC: "gzip data; its name must end in .csv.gz, and it must not be compressed twice",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; upload the CSV file in it",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save it as CSV",
    b"\x28\xb5\x2f\xfd": "Zstandard data; unpack it",
    b"BZh": "bzip2 data; unpack it",
    b"\xfd7zXZ": "xz data; unpack it",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it",
    b"ORC": "an ORC file; save it as Parquet",
    b"Obj\x01": "an Avro file; save it as Parquet",
    b"ARROW1": "an Arrow file; save it as Parquet",
    b"SQLite format 3": "an SQLite database; export the table",
}
"""First bytes of other formats, with what they are and what to do."""
UTF8 = "utf-8"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and their encodings, None for one that is not supported. UTF-32 comes first, because its
mark begins with that of UTF-16."""
ALLOWED_CONTROLS = frozenset("\t\r\n\f")


@dataclass(frozen=True)
class Contents:
    """Findings from the ends of an object: its columns, or the reasons why it cannot be loaded.

    `row_decoder` is true if Spark must decode a Parquet file row by row.
    `dialect` and `rows` (the fields of the first rows) are set for CSV files only.
    """

    columns: tuple[SourceColumn, ...] = ()
    compression: str = "none"
    encoding: str = UTF8
    row_decoder: bool = False
    dialect: CsvDialect = field(default_factory=CsvDialect)
    rows: tuple[tuple[str, ...], ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Footer:
    """The length of a Parquet footer in bytes, without the trailer of length and magic number."""

    length: int = 0
    failures: tuple[Failure, ...] = ()


def find_footer(head: bytes, tail: bytes, size: int) -> Footer:
    """Find the footer of a Parquet object of `size` bytes from its first and last bytes (at least 8 each).

    A file that starts as Parquet but does not end as Parquet is truncated.
    """
    magic = head[: len(PARQUET_MAGIC)]
    if magic == ENCRYPTED_MAGIC:
        return _no_footer(
            FailureCode.NOT_PARQUET, "the Parquet footer is encrypted; upload the file without encryption"
        )
    if magic != PARQUET_MAGIC:
        what = other_format(head)
        text = (
            f"the file is not Parquet but {what}"
            if what
            else "the file does not begin with PAR1, so it is not Parquet"
        )
        return _no_footer(FailureCode.NOT_PARQUET, text)
    if size < PARQUET_MIN_BYTES or tail[-4:] != PARQUET_MAGIC:
        return _no_footer(
            FailureCode.TRUNCATED,
            "the file begins as Parquet but has no footer; it is truncated, upload it again",
        )
    (length,) = struct.unpack("<I", tail[-PARQUET_TRAILER_BYTES:-4])
    if length == 0 or length > size - PARQUET_MIN_BYTES:
        text = f"the Parquet footer declares {length:,} bytes in a file of {size:,}; the file is truncated"
        return _no_footer(FailureCode.TRUNCATED, text)
    if length > FOOTER_MAX_BYTES:
        text = f"the Parquet footer has {length:,} bytes; the limit is {FOOTER_MAX_BYTES:,}"
        return _no_footer(FailureCode.UNREADABLE_HEADER, text)
    return Footer(length=length)


def check_data_end(data_end: int, footer_start: int) -> list[Failure]:
    """Check that the data described by a Parquet footer ends before the footer begins."""
    if data_end <= footer_start:
        return []
    text = f"the Parquet footer describes data up to byte {data_end:,}, but begins at byte {footer_start:,}"
    return [Failure(FailureCode.TRUNCATED, f"{text}; the file is truncated")]


def check_joined(boundary: bytes) -> list[Failure]:
    """Check that a Parquet file is not several files joined: readers would see only the last one's footer.

    `boundary` are the bytes before the place where the last of them would begin.
    """
    if 2 * PARQUET_MAGIC not in boundary:
        return []
    text = "the file is several Parquet files joined byte by byte; upload each of them"
    return [Failure(FailureCode.NOT_PARQUET, text)]


def inspect_csv(head: bytes, size: int, *, gzipped: bool) -> Contents:
    """Inspect a CSV object of `size` bytes by its first bytes (`HEAD_BYTES`, or all of a smaller one)."""
    if not gzipped:
        return _inspect_text(head, complete=len(head) >= size)
    plain, complete, failures = inflate_head(head, whole=len(head) >= size)
    if failures:
        return Contents(failures=failures)
    return replace(_inspect_text(plain, complete=complete), compression="gzip")


def check_csv_end(tail: bytes, found: Contents) -> Failure | None:
    """Return why an uncompressed CSV file is truncated, by its last bytes; None for a complete file.

    `found` is the result for the file's first bytes. The job checks the end of a compressed file.
    """
    if found.failures or found.encoding.startswith("utf-16"):
        return None
    lines = tail.replace(b"\r", b"\n")
    start = lines.rfind(b"\n") + 1
    if not start and len(tail) >= TAIL_BYTES:
        return None  # a line this long is for the job to measure
    last_line = lines[start:].decode("utf-8", errors="replace")
    return check_last_line(
        last_line, delimiter=found.dialect.delimiter, width=found.dialect.width(len(found.columns))
    )


def inflate_head(head: bytes, *, whole: bool) -> tuple[bytes, bool, tuple[Failure, ...]]:
    """Decompress at most `HEAD_BYTES` of a gzip object; also returns whether that is the whole text.

    Consecutive members are one text (RFC 1952). `whole` is true if `head` is the entire object, which must
    then end at the end of a member.
    """
    if not head.startswith(GZIP_MAGIC):
        return (
            b"",
            False,
            (
                Failure(
                    FailureCode.NOT_GZIP, "the file is not compressed with gzip, though its name ends in .gz"
                ),
            ),
        )
    plain = b""
    rest = head
    while rest.startswith(GZIP_MAGIC):
        inflater = zlib.decompressobj(GZIP_WBITS)
        try:
            plain += inflater.decompress(rest, HEAD_BYTES - len(plain))
        except zlib.error as error:
            return b"", False, (Failure(FailureCode.NOT_GZIP, f"the gzip data is corrupt: {error}"),)
        if not inflater.eof:
            if whole and len(plain) < HEAD_BYTES:
                return (
                    b"",
                    False,
                    (
                        Failure(
                            FailureCode.TRUNCATED,
                            "the gzip data ends too early; the file is truncated, upload it again",
                        ),
                    ),
                )
            return plain, False, ()
        if len(plain) == HEAD_BYTES:
            return plain, False, ()
        rest = inflater.unused_data
    # The rest is padding, or the first byte of the next member's header.
    return plain, whole, ()


def other_format(head: bytes) -> str:
    """Return which other format a file's first bytes show, and what to do about it; "" for none."""
    return next((what for magic, what in OTHER_FORMATS.items() if head.startswith(magic)), "")


def _inspect_text(head: bytes, *, complete: bool) -> Contents:
    what = other_format(head)
    if what:
        return _rejected(FailureCode.NOT_TEXT, f"the content is not text but {what}")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), UTF8)
    if encoding is None:
        return _rejected(FailureCode.NOT_TEXT, "the encoding is UTF-32; save the file as UTF-8")
    try:
        # The end of the head may split a character.
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
    except UnicodeDecodeError as error:
        return _rejected(
            FailureCode.NOT_TEXT, f"byte {error.start:,} is not valid {encoding}; save the file as UTF-8"
        )
    problem = _not_text(text)
    if problem:
        return _rejected(FailureCode.NOT_TEXT, problem)
    first_lines = read_head(text.removeprefix("\ufeff"), complete=complete)
    problem = first_lines.problem or check_names(first_lines.names)
    if problem:
        return _rejected(FailureCode.UNREADABLE_HEADER, problem)
    return Contents(
        columns=text_columns(first_lines.names),
        encoding=encoding,
        dialect=first_lines.dialect,
        rows=first_lines.rows,
    )


def _not_text(text: str) -> str:
    """Return why decoded bytes are not text, or ""."""
    if {text[:1], text[1:2]} > {"\0"}:
        return "the encoding seems to be UTF-16 without a byte order mark; save the file as UTF-8"
    strange = next((letter for letter in text if letter < " " and letter not in ALLOWED_CONTROLS), None)
    return (
        "" if strange is None else f"the file holds the control character {strange!r}; it is not a text file"
    )


def check_names(names: Sequence[str]) -> str:
    """The problem with a file's column names, or "".

    The first column may lack a name: tools that save an index leave it out.
    """
    if not names:
        return "the file has no columns"
    if len(names) > COLUMNS_MAX:
        return f"the file has {len(names):,} columns; the limit is {COLUMNS_MAX}"
    plain = [name.strip() for name in names]
    nameless = [str(position) for position, name in enumerate(plain[1:], start=2) if not name]
    if nameless:
        return f"these columns have no name: number {', '.join(nameless)}"
    repeated = sorted({name for name in plain if plain.count(name) > 1})
    return f"these column names occur more than once: {', '.join(repeated)}" if repeated else ""


def _no_footer(code: FailureCode, message: str) -> Footer:
    return Footer(failures=(Failure(code, message),))


def _rejected(code: FailureCode, message: str) -> Contents:
    return Contents(failures=(Failure(code, message),))
