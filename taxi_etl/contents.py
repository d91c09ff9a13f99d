"""Do an object's bytes hold what its name says? Checks on the first and last bytes; nothing here reads S3.

Each `inspect_…` returns what it found: columns as (name, kind) pairs, or the reasons the object cannot be
loaded. Damage that shows in neither head nor tail is for the job to find.
"""

import codecs
import csv
import struct
import zlib
from dataclasses import dataclass

from taxi_etl.failures import Failure, FailureCode
from taxi_etl.schema import SourceColumn, text_columns

HEAD_BYTES = 64 * 1024
"""How much of an object's beginning is looked at; a CSV header must fit, also after decompression."""
TAIL_BYTES = 64 * 1024
"""How much of an object's end is read at first: the footer of nearly every Parquet file."""
FOOTER_MAX_BYTES = 8 * 1024 * 1024
"""A larger Parquet footer is not read: it takes eight times its size in memory. TLC's have 5 to 60 KB."""
COLUMNS_MAX = 256

PARQUET_MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
PARQUET_TRAILER_BYTES = 8
PARQUET_MIN_BYTES = len(PARQUET_MAGIC) + PARQUET_TRAILER_BYTES
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31
"""zlib's way to say: expect a gzip header and check its checksum."""
UTF8 = "utf-8"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a text's first bytes say about its encoding, None for one that is not read; UTF-32's mark begins with
UTF-16's, so it comes first."""
ALLOWED_CONTROLS = frozenset("\t\r\n\f")


@dataclass(frozen=True)
class Contents:
    """What an object holds as far as its ends tell: (name, kind) pairs, names as the file spells them."""

    columns: tuple[SourceColumn, ...] = ()
    compression: str = "none"
    encoding: str = UTF8
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Footer:
    """Where a Parquet file's footer is: its length in bytes, without the trailer of length and magic."""

    length: int = 0
    failures: tuple[Failure, ...] = ()


def find_footer(head: bytes, tail: bytes, size: int) -> Footer:
    """The footer of a Parquet object of `size` bytes, from its first and last bytes (at least 8 of each).

    A file that begins as Parquet and does not end so was cut off: an upload or a copy stopped half-way.
    """
    magic = head[: len(PARQUET_MAGIC)]
    if magic == ENCRYPTED_MAGIC:
        return _no_footer(FailureCode.NOT_PARQUET, "the Parquet file is encrypted; its footer cannot be read")
    if magic != PARQUET_MAGIC:
        return _no_footer(
            FailureCode.NOT_PARQUET, "the first four bytes are not PAR1: this is no Parquet file"
        )
    if size < PARQUET_MIN_BYTES or tail[-4:] != PARQUET_MAGIC:
        return _no_footer(
            FailureCode.TRUNCATED, "the file begins as Parquet but has no footer: it was cut off"
        )
    (length,) = struct.unpack("<I", tail[-PARQUET_TRAILER_BYTES:-4])
    if length == 0 or length > size - PARQUET_MIN_BYTES:
        text = f"the footer's length is given as {length:,} bytes, in a file of {size:,}: bytes are missing"
        return _no_footer(FailureCode.TRUNCATED, text)
    if length > FOOTER_MAX_BYTES:
        text = f"the footer has {length:,} bytes, more than the {FOOTER_MAX_BYTES:,} that are read"
        return _no_footer(FailureCode.UNREADABLE_HEADER, text)
    return Footer(length=length)


def check_extent(data_end: int, footer_start: int) -> list[Failure]:
    """Whether the data a Parquet footer speaks of can be there: it ends before the footer begins."""
    if data_end <= footer_start:
        return []
    text = f"the footer speaks of data up to byte {data_end:,}, but itself begins at {footer_start:,}"
    return [Failure(FailureCode.TRUNCATED, f"{text}: bytes are missing in between")]


def inspect_csv(head: bytes, size: int, *, gzipped: bool) -> Contents:
    """What a CSV object of `size` bytes holds, from its first bytes (`HEAD_BYTES` or all of it).

    Every column's kind is `text`: what its values are is for the transform.
    """
    if not gzipped:
        return _inspect_text(head, complete=len(head) >= size)
    plain, complete, failures = inflate_head(head, whole=len(head) >= size)
    if failures:
        return Contents(failures=failures)
    found = _inspect_text(plain, complete=complete)
    return Contents(found.columns, "gzip", found.encoding, found.failures)


def inflate_head(head: bytes, *, whole: bool) -> tuple[bytes, bool, tuple[Failure, ...]]:
    """The first `HEAD_BYTES` at most of what a gzip object holds, and whether that is all of it.

    Bounded however well the object compresses. Several members in a row are one text, as gzip defines it (RFC
    1952). `whole` says that `head` is the entire object, so that its end must be the end of a member.
    """
    if not head.startswith(GZIP_MAGIC):
        return b"", False, (Failure(FailureCode.NOT_GZIP, "the first two bytes are not gzip's"),)
    plain = b""
    rest = head
    while rest.startswith(GZIP_MAGIC):
        inflater = zlib.decompressobj(GZIP_WINDOW)
        try:
            plain += inflater.decompress(rest, HEAD_BYTES - len(plain))
        except zlib.error as error:
            return b"", False, (Failure(FailureCode.NOT_GZIP, f"the gzip data is damaged: {error}"),)
        if not inflater.eof:
            if whole and len(plain) < HEAD_BYTES:
                return (
                    b"",
                    False,
                    (Failure(FailureCode.TRUNCATED, "the gzip data ends too early: it was cut off"),),
                )
            return plain, False, ()
        if len(plain) == HEAD_BYTES:
            return plain, False, ()
        rest = inflater.unused_data
    # What follows the last member is padding, or the next member's header cut in two by the end of `head`.
    return plain, whole, ()


def _inspect_text(head: bytes, *, complete: bool) -> Contents:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), UTF8)
    if encoding is None:
        return _rejected(FailureCode.NOT_TEXT, "the text is UTF-32; save it as UTF-8")
    try:
        # Not final: the last character may be cut in two where the head ends.
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
    except UnicodeDecodeError as error:
        return _rejected(FailureCode.NOT_TEXT, f"byte {error.start:,} is neither UTF-8 nor announced UTF-16")
    strange = next((letter for letter in text if letter < " " and letter not in ALLOWED_CONTROLS), None)
    if strange is not None:
        return _rejected(
            FailureCode.NOT_TEXT, f"character {strange!r} does not occur in text: this is binary data"
        )
    names, problem = parse_header(text, complete=complete)
    if problem:
        return _rejected(FailureCode.UNREADABLE_HEADER, problem)
    problem = check_names(names)
    if problem:
        return _rejected(FailureCode.UNREADABLE_HEADER, problem)
    return Contents(columns=text_columns(names), encoding=encoding)


def parse_header(text: str, *, complete: bool) -> tuple[list[str], str]:
    """The column names in a CSV text's first line, as spelled, and what is wrong with it (empty for nothing).

    `complete` says that `text` is the whole file, whose header line may then lack a line end.
    """
    # A newline of its own: splitlines() would also split at characters that CSV readers keep.
    line, line_end, _ = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n")
    if not line_end and not complete:
        return [], f"the first line does not end within {len(text):,} characters"
    if not line.strip():
        return [], "the first line is empty; it must name the columns"
    try:
        names = next(csv.reader([line], strict=True, skipinitialspace='" ' not in line and ', "' in line))
    except csv.Error as error:
        return [], f"the first line is no CSV: {error}"
    return names, ""


def check_names(names: list[str]) -> str:
    """What is wrong with a file's column names, empty for nothing. Case and outer spaces make no difference:
    two columns that only they tell apart are one column to Spark.
    """
    if not names:
        return "the file has no columns"
    if len(names) > COLUMNS_MAX:
        return f"{len(names):,} columns are more than the {COLUMNS_MAX} that are read"
    plain = [name.strip().lower() for name in names]
    nameless = [str(position) for position, name in enumerate(plain, start=1) if not name]
    if nameless:
        return f"columns without a name: number {', '.join(nameless)}"
    twice = sorted({name for name in plain if plain.count(name) > 1})
    return f"columns that occur twice: {', '.join(twice)}" if twice else ""


def _no_footer(code: FailureCode, message: str) -> Footer:
    return Footer(failures=(Failure(code, message),))


def _rejected(code: FailureCode, message: str) -> Contents:
    return Contents(failures=(Failure(code, message),))
