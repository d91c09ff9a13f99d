"""Tests of damaged and malicious files: each is rejected or fails alone, with a reason and in bounded memory.

Validation sees the beginning and end of a file. Files that pass it go to the job in one batch with good files
of the same columns.
"""

import gzip
import io
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_etl.documents import AcceptedFile
from taxi_etl.file_status import FileStatus
from tests.fixtures.file_checks import key_of, validated

HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
ROW = "2,2024-01-05 10:00:00,2024-01-05 10:20:00,3.5,74,18.4"
MIB = 1024**2


def csv(rows: int = 2000, end: str = "") -> bytes:
    return "\n".join([HEADER, *[ROW] * rows, end]).encode()


def parquet(rows: int = 4000, **options) -> bytes:
    columns = {
        "VendorID": pa.array([2] * rows, pa.int64()),
        "lpep_pickup_datetime": pa.array([datetime(2024, 1, 5, 10)] * rows, pa.timestamp("us")),
        "lpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, 11)] * rows, pa.timestamp("us")),
        "trip_distance": pa.array([row / 100 for row in range(rows)]),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=1000, use_dictionary=False, **options)
    return buffer.getvalue()


def zero_a_page(content: bytes) -> bytes:
    """The same file with 200 zero bytes in the first page of its distances."""
    place = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(3).data_page_offset + 100
    return content[:place] + bytes(200) + content[place + 200 :]


def cut_out_the_middle(content: bytes) -> bytes:
    """The same file without 1,000 bytes of its data, with an intact footer."""
    return content[:2000] + content[3000:]


def long_line(start: bytes) -> bytes:
    """A gzip file of `start` and a line above the limit, about a thousandth of its size."""
    return gzip.compress(start + b"0" * 2 * MIB)


def corrupt_checksum(packed: bytes) -> bytes:
    """The same gzip file with a wrong checksum in its trailer."""
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


REJECTED = {
    "nothing.csv": (lambda: b"", ["empty"]),
    "nothing.parquet": (lambda: b"", ["empty"]),
    "cut_in_the_header.parquet": (lambda: parquet()[:10], ["truncated"]),
    "cut_in_a_row_group.parquet": (lambda: parquet()[:5000], ["truncated"]),
    "cut_in_the_footer.parquet": (lambda: parquet()[:-20], ["truncated"]),
    "hole_in_the_data.parquet": (lambda: cut_out_the_middle(parquet()), ["truncated"]),
    "zeros_for_a_footer.parquet": (lambda: parquet()[:-200] + bytes(192) + parquet()[-8:], ["not_parquet"]),
    "text.parquet": (csv, ["not_parquet"]),
    "parquet.csv": (parquet, ["not_text"]),
    "gzip.csv": (lambda: gzip.compress(csv()), ["not_text"]),
    "text.csv.gz": (csv, ["not_gzip"]),
    "cut.csv.gz": (lambda: gzip.compress(csv(3))[:60], ["truncated"]),
    "ten_thousand_columns.csv": (
        lambda: ",".join([HEADER, *(f"c{place}" for place in range(9_994))]).encode() + b"\n",
        ["unreadable_header"],
    ),
    "one_line.csv": (lambda: b"0" * 2 * MIB, ["unreadable_header"]),
    "one_line.csv.gz": (lambda: long_line(b""), ["unreadable_header"]),
    "_hidden.csv": (csv, ["unsupported_type"]),
    ".hidden.parquet": (parquet, ["unsupported_type"]),
}
FAILED = {
    "zeros_in_a_page.parquet": (lambda: zero_a_page(parquet()), "unreadable"),
    "zeros_in_a_checked_page.parquet": (
        lambda: zero_a_page(parquet(compression="none", write_page_checksum=True)),
        "unreadable",
    ),
    "cut_behind_the_head.csv.gz": (lambda: gzip.compress(csv(200_000))[:4_000], "truncated"),
    "wrong_checksum.csv.gz": (lambda: corrupt_checksum(gzip.compress(csv(200_000))), "not_gzip"),
    "bytes_behind_the_end.csv.gz": (lambda: gzip.compress(csv(200_000)) + b"more", "not_gzip"),
    "short_last_line.csv.gz": (lambda: gzip.compress(csv(200_000, end="2,2024-01-05 10:0")), "truncated"),
    "latin_1_behind_the_head.csv": (lambda: csv(2000) + b"2,caf\xe9,,,,\n", "not_text"),
    "line_of_2_mb.csv": (lambda: csv(end="0" * 2 * MIB), "unreadable"),
    "line_of_2_mb.csv.gz": (lambda: long_line(csv()), "unreadable"),
}
GOOD = {
    "good.csv": (csv, 2000, 0),
    "good.parquet": (parquet, 4000, 0),
    "header_only.csv": (lambda: csv(0), 0, 0),
    "row_of_ten_thousand_fields.csv": (lambda: csv(end="1," * 10_000 + "\n"), 2000, 1),
    "long_rows.csv": (
        lambda: "\r\n".join([f"{HEADER},note", *[f'{ROW},"{"x" * 9000}"'] * 2000]).encode(),
        2000,
        0,
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_bad_file_is_rejected_before_it_costs_anything(lake, name):
    content, codes = REJECTED[name]
    lake.storage.put(key_of(name), content())

    finding = validated(lake.storage, key_of(name))

    assert [str(reason.code) for reason in finding.reasons] == codes
    assert all(reason.message for reason in finding.reasons)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ARROW-GH-41321.parquet", "unknown_dataset"),
        ("ARROW-RS-GH-6229-LEVELS.parquet", "unknown_dataset"),
        ("PARQUET-1481.parquet", "not_parquet"),
        ("corrupt.csv.gz", "not_gzip"),
        ("multi_member.csv.gz", "unknown_dataset"),
        ("not_really_gzip.csv.gz", "not_gzip"),
        ("rle-dict-uncompressed-corrupt-checksum.parquet", "unknown_dataset"),
        ("truncated_yellow_tripdata_2021-01.parquet", "truncated"),
        ("utf16.csv.gz", "unknown_dataset"),
    ],
)
def test_a_known_bad_file_is_rejected(lake, shared_data, name, code):
    lake.storage.put(key_of(name), shared_data / "corrupt" / name)

    assert [str(reason.code) for reason in validated(lake.storage, key_of(name)).reasons] == [code]


def test_every_shared_corrupt_file_has_an_expected_code(shared_data):
    [names] = [
        mark.args[1] for mark in test_a_known_bad_file_is_rejected.pytestmark if mark.name == "parametrize"
    ]
    assert {name for name, _ in names} == {path.name for path in (shared_data / "corrupt").iterdir()}


def test_damage_that_validation_cannot_see_fails_the_file_alone(lake):
    for name, (content, *_) in (GOOD | FAILED).items():
        lake.storage.put(key_of(name), content())
    accepted = [validated(lake.storage, key_of(name)) for name in (*GOOD, *FAILED)]
    assert {type(file) for file in accepted} == {AcceptedFile}, accepted

    result = lake.load(*accepted)

    found = {file.version.key.rpartition("/")[2]: file for file in result.files}
    counts = {name: (found[name].status, found[name].written, found[name].quarantined) for name in GOOD}
    assert counts == {name: (FileStatus.LOADED, *expected) for name, (_, *expected) in GOOD.items()}
    assert {name: (found[name].status, found[name].failure.code) for name in FAILED} == {
        name: (FileStatus.FAILED, code) for name, (_, code) in FAILED.items()
    }
    for name in FAILED:
        message = found[name].failure.message
        assert 0 < len(message) <= 600, name
        assert "\n" not in message, name
    assert found["line_of_2_mb.csv"].failure.message == (
        "line 2,002 is longer than 1,048,576 characters: are line ends missing?"
    )
    place = len(csv(2000)) + 5
    assert found["latin_1_behind_the_head.csv"].failure.message == (
        f"byte {place:,} (0xe9, line 2,002) is not UTF-8; save the file as UTF-8 and upload it again"
    )
    assert lake.count("green") == 10_000
