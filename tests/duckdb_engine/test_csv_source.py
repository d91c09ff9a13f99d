"""Tests of which CSV files DuckDB reads as Spark does."""

import gzip

import pyarrow.parquet as pq
import pytest

HEADER = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,trip_distance,foo"
ROW = "1,2024-01-05 10:00:00,2024-01-05 10:10:00,1.5"
NAME = "yellow_tripdata_2024-01.csv"


def notes(answer) -> list[str]:
    """The texts of the column `foo`."""
    kept = pq.read_table(answer.trips.path)["extra_columns"].to_pylist()
    return sorted(dict(row).get("foo", "") for row in kept)


PLAIN = {
    "line feeds": (f"{HEADER}\n{ROW},a\n{ROW},b\n", ["a", "b"]),
    "carriage returns and line feeds": (f"{HEADER}\r\n{ROW},a\r\n{ROW},b\r\n", ["a", "b"]),
    "no end of the last line": (f"{HEADER}\n{ROW},a\n{ROW},b", ["a", "b"]),
    "blank lines": (f"{HEADER}\n\n{ROW},a\n \t\n\n{ROW},b\n\n", ["a", "b"]),
    "a byte-order mark": (f"\ufeff{HEADER}\n{ROW},a\n", ["a"]),
    "quoted values": (f'{HEADER}\n{ROW},"a, b"\n{ROW},""\n"1"{ROW[1:]},c\n', ["", "a, b", "c"]),
    "blanks around a value": (f"{HEADER}\n{ROW}, a \n", [" a "]),
    "empty fields after the last column": (f"{HEADER}\n{ROW},a,,\n{ROW},b,,\n", ["a", "b"]),
    "a line with the delimiter": (f"sep=;\n{HEADER.replace(',', ';')}\n{ROW.replace(',', ';')};a\n", ["a"]),
    "a column without a name": (f"sep=,\n,{HEADER}\n0,{ROW},a\n1,{ROW},b\n", ["a", "b"]),
    "a backslash": (f"{HEADER}\n{ROW},a\\\n{ROW},\\N\n", ["\\N", "a\\"]),
    "a number sign": (f"{HEADER}\n{ROW},#a\n{ROW},b#\n", ["#a", "b#"]),
    "characters outside ASCII": (f"{HEADER}\n{ROW},Straße\u00a0\n", ["Straße\u00a0"]),
}


@pytest.mark.parametrize("case", PLAIN)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_plain_file_is_read_whole(files, tmp_path, case, suffix):
    text, expected = PLAIN[case]
    path = tmp_path / f"{NAME}{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())

    answer = files.write(path)

    assert notes(answer) == expected


NOT_PLAIN = {
    "a quote within a value": (f'{HEADER}\n{ROW},a "b" c\n', "a value contains a quote"),
    "an escaped quote": (f'{HEADER}\n{ROW},"a ""b"""\n', "a value contains a quote"),
    "text after a closing quote": (f'{HEADER}\n{ROW},"a" b\n', "a value contains a quote"),
    "a quote at the end of a value": (f'{HEADER}\n{ROW}",b"\n', "a value contains a quote"),
    "a lone carriage return": (
        f"{HEADER}\n{ROW},a\r{ROW},b\n",
        "a line has a carriage return before its end",
    ),
    "the header again behind a line with the delimiter": (
        f'sep=,\n{HEADER}\n{ROW},a\n"VendorID"{HEADER[8:]} \n{ROW},b\n',
        "a row repeats the header",
    ),
    "the header again with a column without a name": (
        f'sep=,\n,{HEADER}\n0,{ROW},a\n"",{HEADER}\n',
        "a row repeats the header",
    ),
    "a capital i with a dot": (f"{HEADER}\n{ROW},N\u0130L\n", "a value contains a capital i with a dot"),
    "too few fields": (f"{HEADER}\n{ROW}\n{ROW},a\n", "InvalidInputException"),
    "too many fields": (f"{HEADER}\n{ROW},a,b\n{ROW},a\n{ROW},c\n", "InvalidInputException"),
    "blank fields behind the last column": (f"{HEADER}\n{ROW},a, ,\n{ROW},b\n", "InvalidInputException"),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_a_file_that_spark_may_read_differently_is_declined(files, tmp_path, case):
    text, reason = NOT_PLAIN[case]
    path = tmp_path / NAME
    path.write_text(text, newline="")

    assert files.declined(path).startswith(reason)


def test_utf16_is_declined(files, tmp_path):
    path = tmp_path / NAME
    path.write_text(f"{HEADER}\n{ROW},a\n", encoding="utf-16")

    assert files.declined(path) == "its rows were not counted"


def test_several_gzip_members_are_read(files, tmp_path):
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(
        gzip.compress(f"{HEADER}\n{ROW},a\n{ROW[:9]}".encode()) + gzip.compress(f"{ROW[9:]},b\n".encode())
    )

    assert notes(files.write(path)) == ["a", "b"]


def test_lines_across_blocks_are_kept_whole(files, tmp_path):
    path = tmp_path / NAME
    lines = [f"{ROW},{number:040d}" for number in range(30_000)]
    path.write_text("\r\n".join([HEADER, *lines, ""]), newline="")
    assert path.stat().st_size > 2 * 1024**2, "more than two blocks"

    assert notes(files.write(path)) == sorted(f"{number:040d}" for number in range(30_000))
