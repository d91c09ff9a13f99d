"""Tests of the content checks on an object's first and last bytes."""

import gzip
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest

from taxi_etl.contents import (
    COLUMNS_MAX,
    FOOTER_MAX_BYTES,
    HEAD_BYTES,
    Contents,
    check_csv_end,
    check_data_end,
    check_names,
    find_footer,
    inflate_head,
    inspect_csv,
)
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.schema import text_columns

HEADER = b"VendorID,lpep_pickup_datetime,fare_amount\r\n"
NAMES = ("VendorID", "lpep_pickup_datetime", "fare_amount")


def code(found: Contents) -> FailureCode:
    (reason,) = found.failures
    return reason.code


def message(found: Contents) -> str:
    (reason,) = found.failures
    return reason.message


def names(found: Contents) -> tuple[str, ...]:
    assert not found.failures
    return tuple(column.name for column in found.columns)


def csv(content: bytes, *, size: int | None = None) -> Contents:
    return inspect_csv(content, len(content) if size is None else size, gzipped=False)


def gz(content: bytes, *, size: int | None = None) -> Contents:
    return inspect_csv(content, len(content) if size is None else size, gzipped=True)


# Parquet


def trailer(length: int, magic: bytes = b"PAR1") -> bytes:
    return struct.pack("<I", length) + magic


def test_a_footer_is_found_by_its_length() -> None:
    found = find_footer(b"PAR1....", b"...." + trailer(100), size=1_000)
    assert (found.length, found.failures) == (100, ())


@pytest.mark.parametrize(("length", "fits"), [(988, True), (989, False), (0, False), (4_294_967_295, False)])
def test_a_footer_must_fit_between_the_magic_bytes(length: int, fits: bool) -> None:
    found = find_footer(b"PAR1", trailer(length), size=1_000)
    assert [reason.code for reason in found.failures] == ([] if fits else [FailureCode.TRUNCATED])


@pytest.mark.parametrize("tail", [b"\x00" * 8, trailer(100, b"PAR2"), trailer(100, b"PARE")])
def test_a_file_that_begins_as_parquet_and_does_not_end_so_was_cut_off(tail: bytes) -> None:
    found = find_footer(b"PAR1", tail, size=1_000)
    assert [reason.code for reason in found.failures] == [FailureCode.TRUNCATED]


def test_the_magic_bytes_alone_are_truncated() -> None:
    found = find_footer(b"PAR1", b"PAR1", size=4)
    assert [reason.code for reason in found.failures] == [FailureCode.TRUNCATED]


@pytest.mark.parametrize("head", [b"VendorID,", b"", b"PAR", b"\x1f\x8b\x08\x00", b"ORC\x0a"])
def test_other_bytes_are_not_parquet(head: bytes) -> None:
    found = find_footer(head, trailer(100), size=1_000)
    assert [reason.code for reason in found.failures] == [FailureCode.NOT_PARQUET]


def test_an_encrypted_file_is_named_so() -> None:
    (reason,) = find_footer(b"PARE", trailer(100, b"PARE"), size=1_000).failures
    assert reason.code is FailureCode.NOT_PARQUET
    assert "encrypted" in reason.message


@pytest.mark.parametrize(
    ("length", "expected"), [(FOOTER_MAX_BYTES, []), (FOOTER_MAX_BYTES + 1, [FailureCode.UNREADABLE_HEADER])]
)
def test_a_giant_footer_is_not_read(length: int, expected: list[FailureCode]) -> None:
    found = find_footer(b"PAR1", trailer(length), size=FOOTER_MAX_BYTES * 2)
    assert [reason.code for reason in found.failures] == expected


def test_data_may_reach_up_to_the_footer_and_not_beyond() -> None:
    assert check_data_end(data_end=892, footer_start=892) == []
    (reason,) = check_data_end(data_end=893, footer_start=892)
    assert reason.code is FailureCode.TRUNCATED
    assert "up to byte 893, but begins at byte 892" in reason.message


# CSV


def test_every_csv_column_is_text() -> None:
    found = csv(HEADER + b"1,2024-01-01 00:00:00,9.5\r\n")
    assert found.columns == text_columns(["VendorID", "lpep_pickup_datetime", "fare_amount"])
    assert (found.compression, found.encoding) == ("none", "utf-8")


def test_names_keep_the_spelling_of_the_file() -> None:
    assert names(csv(b"vendor_id, pickup_datetime,Trip_type \n")) == (
        "vendor_id",
        " pickup_datetime",
        "Trip_type ",
    )


def test_quoted_names_are_unquoted() -> None:
    assert names(csv(b'"SR_Flag","a ""b""","c,d"\n1,2,3\n')) == ("SR_Flag", 'a "b"', "c,d")
    assert names(csv(b'"SR_Flag", "Zone"\n')) == ("SR_Flag", "Zone")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end_ends_the_header(line_end: bytes) -> None:
    assert names(csv(b"a,b" + line_end + b"1,2")) == ("a", "b")


def test_a_header_without_rows_is_a_header() -> None:
    assert names(csv(b"a,b")) == ("a", "b")


def test_a_header_cut_off_by_the_end_of_the_head_is_unreadable() -> None:
    found = csv(b"a" * HEAD_BYTES, size=HEAD_BYTES + 1)
    assert code(found) is FailureCode.UNREADABLE_HEADER
    assert message(found) == "the header line does not end within the first 65,536 characters"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\na,b\n", "the header line is empty"),
        (b"  \r\n1,2\r\n", "the header line is empty"),
        (b"fee, fee \n", "these column names occur more than once: fee"),
        (b"a,,b,,c\n", "these columns have no name: number 2, 4"),
        (b'a,"b\n1,2\n', "the header line is not valid CSV"),
        (b'"a"b,c\n', "the header line is not valid CSV"),
    ],
)
def test_headers_without_usable_names_are_unreadable(content: bytes, why: str) -> None:
    found = csv(content)
    assert code(found) is FailureCode.UNREADABLE_HEADER
    assert message(found).startswith(why)


def test_a_parquet_file_may_have_no_columns_at_all() -> None:
    assert check_names([]) == "the file has no columns"


@pytest.mark.parametrize(("columns", "readable"), [(COLUMNS_MAX, True), (COLUMNS_MAX + 1, False)])
def test_the_number_of_columns_is_bounded(columns: int, readable: bool) -> None:
    found = csv(",".join(f"c{number}" for number in range(columns)).encode() + b"\n")
    assert bool(found.columns) is readable
    assert [reason.code for reason in found.failures] == ([] if readable else [FailureCode.UNREADABLE_HEADER])


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    found = csv(b"\xef\xbb\xbfa,b\n1,2\n")
    assert (names(found), found.encoding) == (("a", "b"), "utf-8-sig")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_announced_utf16_is_text(codec: str) -> None:
    found = csv("\ufeffname,größe\n".encode(codec))
    assert (names(found), found.encoding) == (("name", "größe"), "utf-16")


def test_utf32_is_not_supported() -> None:
    found = csv("\ufeffa,b\n".encode("utf-32-le"))
    assert code(found) is FailureCode.NOT_TEXT
    assert "UTF-32" in message(found)


def test_a_character_split_by_the_end_of_the_head_is_valid() -> None:
    head = b"a,b\n" + "é".encode() * 10
    assert names(csv(head[:-1], size=len(head))) == ("a", "b")
    assert code(csv(head[:-1])) is FailureCode.NOT_TEXT


@pytest.mark.parametrize(
    "content",
    [b"a,b\n\x00\x01\x02\n", b"\x89PNG\r\n\x1a\n", b"a,b\ncaf\xe9\n", b"PK\x03\x04zip", b"a\x00b\n"],
)
def test_binary_data_is_not_text(content: bytes) -> None:
    assert code(csv(content)) is FailureCode.NOT_TEXT


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(HEADER, mtime=0), "gzip data; its name must end in .csv.gz"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive or an Excel workbook"),
        (b"PAR1\x15\x04", "a Parquet file; its name must end in .parquet"),
        (b"\x28\xb5\x2f\xfd\x00", "Zstandard data"),
    ],
)
def test_data_of_another_format_is_named_for_what_it_is(content: bytes, what: str) -> None:
    found = csv(content)
    assert code(found) is FailureCode.NOT_TEXT
    assert message(found).startswith(f"the content is not text but {what}")
    assert message(gz(gzip.compress(content))) == message(found)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_named_so(codec: str) -> None:
    assert "UTF-16 without a byte order mark" in message(csv("a,b\n1,2\n".encode(codec)))


def test_a_last_line_is_as_wide_as_the_rows_before_it() -> None:
    text = b"a,b,c\n1,2,3,,\n1,2,3,,\n1,2,0.3"
    assert check_csv_end(text, csv(text + b"5,,\n")) == Failure(
        FailureCode.TRUNCATED,
        "the last line has 3 of 5 fields and no line end: the file was probably cut off; upload it again",
    )
    assert check_csv_end(text + b"5,,", csv(text + b"5,,")) is None


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        ("1,5;2", ","),
        ("0,250;1", ","),
        ("1234,567;1", ","),
        ("1,234;1.5", "."),
        ("1,234;8,50", ","),
        ("1,234;8", "."),
        ("-1,234;8", "."),
    ],
)
def test_a_comma_that_could_separate_thousands_is_not_a_decimal_comma(values: str, decimal: str) -> None:
    assert csv(f"a;b\n{values}\n".encode()).dialect.decimal == decimal


def test_a_form_feed_and_tabs_occur_in_text() -> None:
    assert names(csv(b"a\tb,c\n\f1,2\n")) == ("a\tb", "c")


# gzip


def test_a_gzipped_header_is_read() -> None:
    found = gz(gzip.compress(HEADER))
    assert names(found) == NAMES
    assert (found.compression, found.encoding) == ("gzip", "utf-8")


def test_what_is_wrong_with_the_text_shows_through_the_compression() -> None:
    found = gz(gzip.compress(b"a,a\n"))
    assert code(found) is FailureCode.UNREADABLE_HEADER
    assert found.compression == "gzip"


@pytest.mark.parametrize("content", [b"VendorID,b\n", b"\x1f", b"BZh91AY", b"\x1f\x8c\x08\x00"])
def test_other_bytes_are_not_gzip(content: bytes) -> None:
    assert code(gz(content)) is FailureCode.NOT_GZIP


def test_damaged_gzip_is_not_gzip() -> None:
    content = bytearray(gzip.compress(HEADER * 100))
    content[-6] ^= 0xFF  # the checksum
    found = gz(bytes(content))
    assert code(found) is FailureCode.NOT_GZIP
    assert "incorrect data check" in message(found)


def test_gzip_that_ends_too_early_was_cut_off() -> None:
    assert code(gz(gzip.compress(HEADER)[:-1])) is FailureCode.TRUNCATED


def test_the_head_of_a_larger_gzip_file_is_not_truncated() -> None:
    content = gzip.compress(HEADER)
    assert names(gz(content[:-1], size=len(content))) == NAMES


def test_members_in_a_row_are_one_text() -> None:
    content = gzip.compress(b"VendorID,lpep_pick") + gzip.compress(b"up_datetime,fare_amount\n1,2,3\n")
    assert names(gz(content)) == NAMES


def test_a_second_member_cut_off_is_found() -> None:
    content = gzip.compress(HEADER) + gzip.compress(b"1,2,3\n")
    assert code(gz(content[:-3])) is FailureCode.TRUNCATED


def test_padding_after_the_last_member_is_valid() -> None:
    assert names(gz(gzip.compress(HEADER) + b"\x00" * 512)) == NAMES


def test_a_header_in_a_first_member_that_fills_the_head_exactly() -> None:
    first = gzip.compress(HEADER.ljust(HEAD_BYTES, b"1"))
    assert names(gz(first + gzip.compress(b"2"))) == NAMES


def test_nothing_is_inflated_after_the_head_is_full() -> None:
    content = gzip.compress(b"a" * HEAD_BYTES) + gzip.compress(b"b" * 10)
    assert inflate_head(content, whole=True) == (b"a" * HEAD_BYTES, False, ())


@pytest.mark.parametrize("whole", [True, False])
def test_bytes_after_a_member_are_the_end_only_of_a_whole_object(*, whole: bool) -> None:
    half_a_header = b"\x1f"
    assert inflate_head(gzip.compress(b"text") + half_a_header, whole=whole) == (b"text", whole, ())


def test_a_bomb_is_inflated_no_further_than_the_head() -> None:
    bomb = gzip.compress(HEADER + b"0" * 200_000_000, compresslevel=9)[:HEAD_BYTES]
    tracemalloc.start()
    try:
        found = gz(bomb, size=200_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert names(found) == NAMES
    assert peak < 2_000_000


def test_a_bomb_without_line_ends_has_no_readable_header() -> None:
    bomb = zlib.compress(b"0" * 1_000_000, wbits=31)
    assert code(gz(bomb)) is FailureCode.UNREADABLE_HEADER


# Real files


@pytest.mark.parametrize(
    ("name", "expected"),
    [("not_really_gzip.csv.gz", FailureCode.NOT_GZIP), ("corrupt.csv.gz", FailureCode.NOT_GZIP)],
)
def test_damaged_files_seen_in_the_wild_are_rejected(
    shared_data: Path, name: str, expected: FailureCode
) -> None:
    assert code(gz((shared_data / "corrupt" / name).read_bytes())) is expected


def test_a_truncated_month_of_yellow_trips_is_rejected(shared_data: Path) -> None:
    content = (shared_data / "corrupt" / "truncated_yellow_tripdata_2021-01.parquet").read_bytes()
    (reason,) = find_footer(content[:8], content[-8:], len(content)).failures
    assert reason.code is FailureCode.TRUNCATED


def test_headers_of_real_months_are_read(shared_data: Path) -> None:
    content = (shared_data / "tlc" / "csv" / "yellow_tripdata_2014-01.csv").read_bytes()
    assert names(csv(content))[:3] == ("vendor_id", " pickup_datetime", " dropoff_datetime")
    content = (shared_data / "tlc" / "csv" / "green_tripdata_2013-08.csv").read_bytes()
    assert (len(names(csv(content))), names(csv(content))[-1]) == (20, "Trip_type ")
