"""Byte-level checks of a whole CSV file, in one pass and in bounded memory.

Validation sees a file's first and last bytes only. The job scans every CSV file once before an engine parses
it, because parsers hide what a file really holds: Spark replaces bytes that are not UTF-8 without an error,
reports any damaged gzip data as a line that is too long, and drops the quote of a value that never closes.
"""

import codecs
import csv
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode
from taxi_etl.first_values import shortened_example

LINE_MAX_BYTES = 1024 * 1024
"""The longest line that is read. Engines hold a line in memory several times; trips have some 200 bytes."""
GZIP_WBITS = 31
"""Tells zlib to expect a gzip header and to verify length and checksum."""
_CHUNK_BYTES = 1024 * 1024
_WHITE_SPACE = bytes(set(range(0x21)) - set(b"\n"))
"""What a blank line consists of. Source: Java, String.trim, by which Spark recognizes blank lines."""


@dataclass(frozen=True)
class CsvScan:
    """The result of a scan: the failure or warning, if any, and facts that the engines' work depends on.

    `lines` is the number of lines that are not blank, None for UTF-16, where a record may span several.
    `unbalanced_quotes` is true if any line has an odd number of quotes. Such a line is half a record with a
    line end inside quotes, or holds a stray quote. Engines that read line by line must parse that line as a
    whole.
    """

    failure: Failure | None = None
    unbalanced_quotes: bool = False
    warning: FileWarning | None = None
    lines: int | None = None


@dataclass(frozen=True)
class _Layout:
    """The delimiter of a file, the number of names in its header, and the usual number of fields."""

    delimiter: str
    names: int
    width: int


class DamagedError(Exception):
    """The bytes are damaged; `failure` is the reason."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(code, message)


def scan_csv(
    chunks: Iterable[bytes], *, gzipped: bool, encoding: str, delimiter: str, names: int, width: int
) -> CsvScan:
    """Scan the bytes of a CSV file, given in order in chunks of any size.

    `encoding` is a Python codec, `names` the number of columns, `width` the usual number of fields. Checks
    the gzip data, the encoding, the length of lines, and whether the last line was cut off.
    """
    layout = _Layout(delimiter, names, width)
    try:
        plain = _in_parts(gunzip(chunks) if gzipped else chunks)
        if encoding.startswith("utf-16"):
            return _scan_utf16(plain, encoding, layout)
        return _scan_utf8(plain, layout)
    except DamagedError as damage:
        return CsvScan(damage.failure)


def check_last_line(line: str, *, delimiter: str, width: int) -> Failure | None:
    """Return why a last line without a line end is probably truncated; None for a complete one."""
    if not line.strip():
        return None
    fields = len(_fields(line, delimiter))
    if fields >= width and line.count('"') % 2 == 0:
        return None
    return Failure(
        FailureCode.TRUNCATED,
        f"the last line has {fields} of {width} fields and no line end: the file was probably cut off; "
        "upload it again",
    )


def _scanned_end(
    line: str, number: int, layout: _Layout, *, unbalanced: bool = False, lines: int | None = None
) -> CsvScan:
    """The result for a file whose last line, without a line end, is `line`; empty if all lines have one."""
    failure = check_last_line(line, delimiter=layout.delimiter, width=layout.width)
    warning = None if failure or number == 1 else _warn_of_cut_value(line, number, layout)
    return CsvScan(failure, unbalanced, warning, lines)


def _warn_of_cut_value(line: str, number: int, layout: _Layout) -> FileWarning | None:
    """Return a warning if the last line's last value may be incomplete.

    A value is complete if another field or its closing quote follows.
    """
    if not line.strip() or line.endswith('"'):
        return None
    fields = _fields(line, layout.delimiter)
    if len(fields) > layout.names:
        return None
    return FileWarning(
        WarningCode.NO_LINE_END,
        f"line {number:,}, the last one, has no line end: the file may have been cut off within its last "
        f"value {shortened_example(fields[-1])!r}; if so, upload it again",
    )


def _fields(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return line.split(delimiter)
    # A quoted value may be as long as the line; the default limit of the module is shorter.
    limit = csv.field_size_limit(LINE_MAX_BYTES)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    finally:
        csv.field_size_limit(limit)


def _scan_utf8(chunks: Iterable[bytes], layout: _Layout) -> CsvScan:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line_number, returns, written, unbalanced = 0, 1, 0, 0, False
    rest = b""  # the line that the next chunk goes on with
    for chunk in chunks:
        undecoded = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            place = offset - undecoded + error.start
            line = line_number + chunk.count(b"\n", 0, max(0, error.start - undecoded))
            raise _not_utf8(error, place, line) from None
        if b"\0" in chunk:
            nul = chunk.index(b"\0")
            raise _nul_byte(offset + nul, line_number + chunk.count(b"\n", 0, nul))
        offset += len(chunk)
        lines = chunk.replace(b"\r", b"\n") if b"\r" in chunk else chunk
        first_end = lines.find(b"\n")
        if len(rest) + (len(lines) if first_end < 0 else first_end) > LINE_MAX_BYTES:
            raise _line_too_long(line_number)
        if first_end < 0:
            rest += lines
            continue
        line_number += chunk.count(b"\n")
        returns += chunk.count(b"\r") if lines is not chunk else 0
        last_end = lines.rfind(b"\n")
        whole = rest + lines[:last_end]
        written += _written_lines(whole)
        if not unbalanced and b'"' in whole:
            unbalanced = any(line.count(b'"') % 2 for line in whole.split(b"\n"))
        rest = lines[last_end + 1 :]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(error, offset - len(error.object), line_number) from None
    number = line_number if line_number > 1 else 1 + returns
    written += _written_lines(rest)
    return _scanned_end(rest.decode("utf-8"), number, layout, unbalanced=unbalanced, lines=written)


def _written_lines(text: bytes) -> int:
    """The number of lines that are not blank."""
    return sum(map(bool, text.translate(None, _WHITE_SPACE).split(b"\n")))


def _scan_utf16(chunks: Iterable[bytes], encoding: str, layout: _Layout) -> CsvScan:
    """Scan a text whose line ends are not single bytes; an engine reads such a file as a whole.

    There, a quote that never closes would swallow all lines after it.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    quotes, rest = 0, ""
    newlines, returns = 0, 0
    try:
        for chunk in itertools.chain(chunks, [b""]):
            text = decoder.decode(chunk, final=not chunk)
            quotes += text.count('"')
            newlines += text.count("\n")
            returns += text.count("\r")
            head, line_end, tail = text.replace("\r", "\n").rpartition("\n")
            longest = max((len(line) for line in f"{rest}{head}".split("\n")), default=0)
            rest = tail if line_end else rest + text
            if max(longest, len(rest)) > LINE_MAX_BYTES:
                raise _line_too_long(None)
    except UnicodeDecodeError as error:
        message = f"a byte sequence is not {encoding} ({error.reason}); save the file as UTF-8"
        raise DamagedError(FailureCode.NOT_TEXT, message) from None
    if quotes % 2:
        message = "a quote opens a value and never closes; correct the file or save it as UTF-8"
        return CsvScan(Failure(FailureCode.UNREADABLE, message))
    return _scanned_end(rest, 1 + (newlines or returns), layout)


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip data of one or more members (RFC 1952), at most `_CHUNK_BYTES` at a time.

    Raises DamagedError.
    """
    inflater = zlib.decompressobj(GZIP_WBITS)
    unpacked, packed = 0, b""
    for chunk in chunks:
        packed += chunk
        while packed:
            if inflater.eof:
                inflater = zlib.decompressobj(GZIP_WBITS)
            first_of_member = inflater
            try:
                part = inflater.decompress(packed, _CHUNK_BYTES)
            except zlib.error as error:
                raise _damaged_gzip(str(error), unpacked) from None
            packed = first_of_member.unused_data if inflater.eof else inflater.unconsumed_tail
            unpacked += len(part)
            if part:
                yield part
            elif not inflater.eof:
                break
    if not inflater.eof:
        message = (
            f"the gzip data ends after {unpacked:,} unpacked bytes: the file was cut off; upload it again"
        )
        raise DamagedError(FailureCode.TRUNCATED, message)


def _damaged_gzip(reason: str, unpacked: int) -> DamagedError:
    """Return the failure behind one of zlib's messages, which name the check but not what it means."""
    if "incorrect header check" in reason and unpacked:
        what = "bytes that are not gzip data follow the end of the gzip data"
    elif "incorrect data check" in reason:
        what = "the gzip checksum does not match the data: bytes were changed"
    elif "incorrect length check" in reason:
        what = "the gzip data has another length than it says: bytes were changed or lost"
    else:
        what = f"the gzip data is damaged ({reason})"
    return DamagedError(FailureCode.NOT_GZIP, f"{what}; upload the file again")


def _not_utf8(error: UnicodeDecodeError, place: int, line: int) -> DamagedError:
    return DamagedError(
        FailureCode.NOT_TEXT,
        f"byte {place:,} (0x{error.object[error.start]:02x}, line {line:,}) is not UTF-8; "
        "save the file as UTF-8 and upload it again",
    )


def _nul_byte(place: int, line: int) -> DamagedError:
    """Return the failure of a NUL byte, which no text contains; unfinished downloads have blocks of them."""
    return DamagedError(
        FailureCode.NOT_TEXT,
        f"byte {place:,} (line {line:,}) is a NUL byte: part of the file was probably not written; "
        "upload it again",
    )


def _line_too_long(line: int | None) -> DamagedError:
    which = "a line" if line is None else f"line {line:,}"
    return DamagedError(
        FailureCode.UNREADABLE,
        f"{which} is longer than {LINE_MAX_BYTES:,} characters: are line ends missing?",
    )


def _in_parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks that are not longer than the longest line."""
    for chunk in chunks:
        for start in range(0, len(chunk), _CHUNK_BYTES):
            yield chunk[start : start + _CHUNK_BYTES]
