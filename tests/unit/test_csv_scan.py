"""Tests of the byte-level scan of CSV files: encoding, gzip data, lines and the last line."""

import gzip

import pytest

from taxi_etl.csv_scan import LINE_MAX_BYTES, CsvScan, check_last_line, scan_csv
from taxi_etl.failures import Failure, FailureCode, FileWarning, WarningCode

THREE_COLUMNS = b"a,b,c\n1,2,3\n4,5,6\n"


def scan(
    content: bytes,
    *,
    gzipped: bool = False,
    encoding: str = "utf-8",
    step: int = 0,
    delimiter: str = ",",
    width: int = 3,
) -> CsvScan:
    """Scan bytes that arrive in chunks of `step` bytes, or in one chunk."""
    step = step or len(content) or 1
    chunks = [content[start : start + step] for start in range(0, len(content), step)]
    return scan_csv(
        chunks, gzipped=gzipped, encoding=encoding, delimiter=delimiter, names=3, width=max(3, width)
    )


def failure_of(content: bytes, **options) -> Failure:
    """The failure of a scan, the same for every size of chunks."""
    found = {scan(content, step=step, **options).failure for step in (0, 1, 7)}
    (failure,) = found
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", 0),
        (b"a,b,c", 1),
        (THREE_COLUMNS, 3),
        (THREE_COLUMNS.replace(b"\n", b"\r\n"), 3),
        (THREE_COLUMNS.replace(b"\n", b"\r"), 3),
        (b"a,b,c\n1,2,3,,", 2),
        (b'a,b,c\n1,2,"3"', 2),
        (b"a,b,c\n1,2,3\n  ", 2),
        (b"\n \t\na,b,c\n\n\x0b\n1,2,3\n,,\n\n", 3),
        ('a,b,c\n1,é,"Zoë, Ω"\n'.encode(), 2),
        ('\ufeffa,b,c\n1,2,"3"'.encode(), 2),
        (b'a,b,c\n1,"say ""hi""",3\n', 2),
    ],
)
@pytest.mark.parametrize("step", [0, 1, 5])
def test_a_whole_file_passes_with_the_number_of_its_lines(content, lines, step):
    assert scan(content, step=step) == CsvScan(lines=lines)


@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize(
    ("content", "options", "line", "value"),
    [
        (b"a,b,c\n1,2,15", {}, 2, "15"),
        (b"a,b,c\r\n1,2,3\r\n4,5,15", {}, 3, "15"),
        (b"a,b,c\r1,2,3\r4,5,15", {}, 3, "15"),
        (b"a,b,c\n\n4,5,", {}, 3, ""),
        (b'a,b,c\n1,"2",15', {}, 2, "15"),
        (b"a;b;c\n1;2;1,5", {"delimiter": ";"}, 2, "1,5"),
        (b"a,b,c\n1,2," + b"x" * 50, {}, 2, "x" * 39 + "…"),
        (gzip.compress(b"a,b,c\n1,2,15", mtime=0), {"gzipped": True}, 2, "15"),
        ("a,b,c\r\n1,2,3\r\n4,5,15".encode("utf-16"), {"encoding": "utf-16"}, 3, "15"),
        ("a,b,c\r4,5,15".encode("utf-16"), {"encoding": "utf-16"}, 2, "15"),
    ],
)
def test_a_last_value_without_a_line_end_may_be_cut(content, options, line, value, step):
    found = scan(content, step=step, **options)

    assert found.failure is None
    assert found.warning == FileWarning(
        WarningCode.NO_LINE_END,
        f"line {line}, the last one, has no line end: the file may have been cut off within its last value "
        f"{value!r}; if so, upload it again",
    )


def test_a_blank_surplus_field_may_be_cut_without_loss():
    assert scan(b"a,b,c\n1,2,3,,\n4,5,6,,", width=5) == CsvScan(lines=3)


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize(
    "content",
    [
        b'a,b,c\n1,2,"up\neast"\n',
        b'a,b,c\n1,2,3"\n4,5,6\n',
        b'a,b,c\r\n1,"2,3\r\n4,5,6\r\n',
        b'a,b,c\r1,2,3"\r',
    ],
)
def test_a_line_with_an_odd_number_of_quotes_is_reported(content, step):
    found = scan(content, step=step)
    assert (found.failure, found.unbalanced_quotes) == (None, True)


def test_a_byte_that_is_not_utf8_is_named_by_its_place_and_line():
    content = b"a,b,c\n1,2,3\n4,caf\xe9,6\n"

    assert failure_of(content) == Failure(
        FailureCode.NOT_TEXT,
        "byte 17 (0xe9, line 3) is not UTF-8; save the file as UTF-8 and upload it again",
    )


def test_a_character_cut_in_two_at_the_end_is_not_utf8():
    failure = failure_of("a,b,c\n1,2,é".encode()[:-1])

    assert failure.code is FailureCode.NOT_TEXT
    assert failure.message.startswith("byte 10 (0xc3, line 2)")


@pytest.mark.parametrize(("content", "place"), [(b"a,b,c\n1,2\x00,3\n", 9), (b"a,b,c\n1,\x00\x00,3\n", 8)])
def test_a_nul_byte_shows_a_part_that_was_never_written(content, place):
    assert failure_of(content) == Failure(
        FailureCode.NOT_TEXT,
        f"byte {place} (line 2) is a NUL byte: part of the file was probably not written; upload it again",
    )


def test_a_byte_beyond_the_first_chunk_keeps_its_place():
    content = THREE_COLUMNS * 100_000 + b"7,\xff,9\n"

    failure = scan(content).failure

    assert failure is not None
    assert failure.message.startswith(f"byte {len(THREE_COLUMNS) * 100_000 + 2:,} (0xff, line 300,001)")


@pytest.mark.parametrize(
    ("line", "fields"), [(b"4,5", 2), (b"4", 1), (b'4,5,"six', 3), (b'"4,5', 1), (b"4,", 2)]
)
def test_a_last_line_that_is_short_was_cut_off(line, fields):
    failure = failure_of(b"a,b,c\n1,2,3\n" + line)

    assert failure.code is FailureCode.TRUNCATED
    assert failure.message == (
        f"the last line has {fields} of 3 fields and no line end: the file was probably cut off; "
        "upload it again"
    )


def test_a_short_last_line_with_a_line_end_is_not_a_cut_file():
    assert scan(b"a,b,c\n1,2,3\n4,5\n").failure is None


def test_the_last_line_is_split_at_the_delimiter_of_the_file():
    assert scan(b"a;b;c\n1;2,5;3", delimiter=";").failure is None
    assert check_last_line("1;2,5,3", delimiter=";", width=3) is not None


def test_a_last_line_with_a_long_quoted_value_is_whole():
    assert check_last_line(f'1,2,"{"x" * 200_000}"', delimiter=",", width=3) is None


def test_a_line_that_is_too_long_is_named():
    long = b"7,8," + b"9" * LINE_MAX_BYTES + b"\n"

    failure = scan(THREE_COLUMNS + long).failure

    assert failure == Failure(
        FailureCode.UNREADABLE, "line 4 is longer than 1,048,576 characters: are line ends missing?"
    )
    assert scan(THREE_COLUMNS + b"7,8," + b"9" * (LINE_MAX_BYTES - 4) + b"\n").failure is None


def packed(content: bytes = THREE_COLUMNS * 50) -> bytes:
    return gzip.compress(content, mtime=0)


def test_gzip_data_of_several_members_is_one_text():
    assert scan(packed(b"a,b,c\n1,2,") + packed(b"3\n4,5,6\n"), gzipped=True, step=1) == CsvScan(lines=3)


@pytest.mark.parametrize(
    ("damage", "code", "message"),
    [
        (lambda data: data[:-20], FailureCode.TRUNCATED, "the file was cut off"),
        (lambda data: data[:-4], FailureCode.TRUNCATED, "the file was cut off"),
        (lambda data: data[:-8] + bytes(4) + data[-4:], FailureCode.NOT_GZIP, "checksum does not match"),
        (lambda data: data[:-4] + bytes(4), FailureCode.NOT_GZIP, "another length than it says"),
        (lambda data: data + b"more", FailureCode.NOT_GZIP, "follow the end of the gzip data"),
        (lambda data: data[:30] + b"\xff" * 8 + data[38:], FailureCode.NOT_GZIP, "the gzip data is damaged"),
        (lambda _: THREE_COLUMNS, FailureCode.NOT_GZIP, "the gzip data is damaged"),
    ],
    ids=["cut", "cut_in_the_trailer", "checksum", "length", "trailing_bytes", "data", "not_gzip"],
)
def test_damaged_gzip_data_is_named_for_what_it_is(damage, code, message):
    failure = failure_of(damage(packed()), gzipped=True)

    assert failure.code is code
    assert message in failure.message


def test_utf16_is_decoded_before_it_is_checked():
    text = 'a,b,c\r\n1,"é, è",3\r\n4,5,6\r\n'
    assert scan(text.encode("utf-16"), encoding="utf-16", step=3) == CsvScan()

    assert failure_of("a,b,c\n1,2".encode("utf-16"), encoding="utf-16").code is FailureCode.TRUNCATED
    assert failure_of(text.encode("utf-16")[:-1], encoding="utf-16").code is FailureCode.NOT_TEXT


def test_a_quote_that_never_closes_in_utf16_would_swallow_rows():
    failure = failure_of('a,b,c\n1,"2,3\n4,5,6\n'.encode("utf-16"), encoding="utf-16")

    assert failure.code is FailureCode.UNREADABLE
    assert "never closes" in failure.message
