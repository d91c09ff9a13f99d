"""Tests of the rules for what a Parquet footer declares."""

import io
import struct
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.parquet_rules import FooterFacts, check_footer, check_schema_size, damaged, schema_elements
from taxi_etl.schema import SourceColumn, SourceType

COLUMNS = (SourceColumn("trip_distance", SourceType.DOUBLE),)


def footer(table: pa.Table, **options: Any) -> bytes:
    """Return the footer of a Parquet file: metadata, length and magic."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    content = sink.getvalue()
    (length,) = struct.unpack("<I", content[-8:-4])
    return content[-8 - length :]


def varint(rows: int) -> bytes:
    """Return a number of rows as a footer spells it: zigzag, 7 bits a byte."""
    value, found = rows * 2, bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def codes(facts: FooterFacts, footer_start: int = 10**9) -> list[str]:
    return [str(failure.code) for failure in check_footer(facts, footer_start)]


def test_a_valid_footer_has_no_failures() -> None:
    facts = read_footer(footer(pa.table({"trip_distance": [1.5] * 300}), row_group_size=100))
    assert (facts.columns, facts.contradiction, codes(facts)) == (COLUMNS, "", [])
    assert not facts.needs_row_decoder


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_common_codecs_are_accepted(codec: str) -> None:
    facts = read_footer(footer(pa.table({"trip_distance": [1.5] * 300}), compression=codec))
    assert codes(facts) == []


@pytest.mark.parametrize("codec", ["BROTLI", "LZO"])
def test_an_unsupported_codec_is_rejected_by_name(codec: str) -> None:
    facts = FooterFacts(COLUMNS, codecs={"SNAPPY": "vendor_id", codec: "trip_distance"})
    (failure,) = check_footer(facts, 100)
    assert failure.code == "unsupported_codec"
    assert failure.message == (
        f"column 'trip_distance' is compressed with {codec}, which Spark cannot read; "
        "save the file with snappy, gzip or zstd"
    )


def test_one_column_of_an_unsupported_codec_is_found() -> None:
    table = pa.table({"trip_distance": [1.5] * 300, "note": ["x"] * 300})
    facts = read_footer(footer(table, compression={"trip_distance": "snappy", "note": "brotli"}))
    assert facts.codecs == {"SNAPPY": "trip_distance", "BROTLI": "note"}
    assert codes(facts) == ["unsupported_codec"]


@pytest.mark.parametrize(
    ("encoding", "row_decoder"),
    [("PLAIN", False), ("DELTA_BINARY_PACKED", False), ("BYTE_STREAM_SPLIT", True)],
)
def test_an_encoding_that_the_vectorized_decoder_cannot_read_needs_the_row_decoder(
    encoding: str, *, row_decoder: bool
) -> None:
    table = pa.table({"x": [1] * 300, "y": ["a"] * 300})
    facts = read_footer(footer(table, use_dictionary=["y"], column_encoding={"x": encoding}))
    assert facts.needs_row_decoder is row_decoder
    assert codes(facts) == []


@pytest.mark.parametrize("claimed", [77_877, 77_677])
@pytest.mark.parametrize("row_groups", [1, 3])
def test_a_row_count_that_the_columns_contradict_is_damage(claimed: int, row_groups: int) -> None:
    rows = 77_777
    table = pa.table({"trip_distance": [1.5] * rows, "fare_amount": [9.0] * rows})
    group_size = -(-rows // row_groups)
    in_last_group = rows - group_size * (row_groups - 1)
    valid = footer(table, row_group_size=group_size)
    # A file's row count precedes its row groups; a row group's row count follows its columns.
    promised = valid.replace(varint(rows), varint(claimed), 1)
    start, _, end = promised.rpartition(varint(in_last_group))
    damaged = start + varint(in_last_group + claimed - rows) + end

    facts = read_footer(damaged)

    (failure,) = check_footer(facts, 10**9)
    assert failure.code == "not_parquet"
    assert f"row group {row_groups} declares {in_last_group + claimed - rows:,} rows" in failure.message
    assert f"'trip_distance' {in_last_group:,} values" in failure.message


def test_a_file_count_that_the_row_groups_contradict_is_damage() -> None:
    valid = footer(pa.table({"trip_distance": [1.5] * 77_777}))
    facts = read_footer(valid.replace(varint(77_777), varint(77_877), 1))
    assert facts.contradiction == "it declares 77,877 rows, but its row groups 77,777"
    assert codes(facts) == ["not_parquet"]


def test_nested_columns_may_have_more_values_than_rows() -> None:
    table = pa.table({"x": [1, 2], "path": [[1, 2, 3], []], "place": [{"lat": 1.0}, {"lat": 2.0}]})
    assert codes(read_footer(footer(table))) == []


def test_facts_survive_the_way_between_processes() -> None:
    table = pa.table({"x": [1] * 300, "path": [[1]] * 300})
    facts = read_footer(footer(table, use_dictionary=False, column_encoding={"x": "BYTE_STREAM_SPLIT"}))
    assert FooterFacts.from_json(facts.to_json()) == facts


@pytest.mark.parametrize("columns", [1, 13, 14, 15, 200, 1_023])
def test_columns_are_counted_before_the_footer_is_read(columns: int) -> None:
    found = footer(pa.table({f"c{place}": [1] for place in range(columns)}))
    assert schema_elements(found) == columns + 1
    assert check_schema_size(found) == []


def test_too_many_columns_are_rejected_before_the_footer_is_read() -> None:
    (failure,) = check_schema_size(footer(pa.table({f"c{place}": [1] for place in range(1_024)})))
    assert failure.code == "unreadable_header"
    assert failure.message == "the file has 1,024 columns; the limit is 256"


@pytest.mark.parametrize(
    "content", [b"", b"\x15", b"\x15\x04", b"\x15\x04\x19", b"\x19\xfc", b"\x15\x04\x19\xf5"]
)
def test_another_beginning_is_left_to_the_reader(content: bytes) -> None:
    assert schema_elements(content) is None
    assert check_schema_size(content) == []


def test_column_chunks_that_begin_at_the_same_byte_contradict_each_other() -> None:
    content = footer(pa.table({"trip_distance": [1.5] * 40}), row_group_size=20, use_dictionary=False)
    with pq.ParquetFile(pa.BufferReader(b"PAR1" + content)) as file:
        first, second = (file.metadata.row_group(group).column(0).data_page_offset for group in (0, 1))
    spelled = b"\x26" + varint(second)
    assert (first, len(spelled)) == (4, 3), "the first offset is spelled with as many bytes"

    facts = read_footer(content.replace(spelled, b"\x26\x88\x00"))

    assert facts.contradiction == "two of its column chunks begin at byte 4"


def test_a_type_that_nobody_reads_is_not_called_damage() -> None:
    failure = damaged("ArrowNotImplementedError: Integers with more than 64 bits not implemented")
    assert failure.message == (
        "a column has a type that Spark cannot read (Integers with more than 64 bits not implemented); "
        "save it with another type"
    )


def test_an_arrow_schema_with_an_unknown_type_hides_no_column() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"trip_distance": [1.5], "id": pl.Series([5], dtype=pl.Int128)}).write_parquet(sink)
    content = sink.getvalue()
    (length,) = struct.unpack("<I", content[-8:-4])
    facts = read_footer(content[-8 - length :])
    assert [(column.name, column.type) for column in facts.columns] == [
        ("trip_distance", SourceType.DOUBLE),
        ("id", SourceType.BYTES),
    ]
