"""Tests that a footer that crashes or stalls its reader rejects its own file only."""

import io
import struct
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes import footer_process
from fakes.footer_process import ABORT, SLEEP

from lambdas.validate_input.footer_reader import DamagedFooterError, FooterReader
from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.schema import SourceColumn, SourceType


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def footer_of(content: bytes) -> bytes:
    (length,) = struct.unpack("<I", content[-8:-4])
    return content[-8 - length :]


def marked(mark: bytes) -> bytes:
    """Return a valid footer that makes the fake process abort or sleep."""
    return footer_of(parquet(pa.table({"x": [1]}).replace_schema_metadata({"test": mark})))


SOUND = marked(b"nothing special")


@pytest.fixture
def reader() -> Iterator[FooterReader]:
    """A reader whose process aborts or sleeps on demand."""
    reader = FooterReader((sys.executable, footer_process.__file__), timeout_seconds=0.5)
    yield reader
    reader.close()


def test_one_process_reads_many_footers() -> None:
    reader = FooterReader()
    try:
        found = [reader.read(SOUND).columns for _ in range(3)]
        process = reader._process
        assert reader.read(SOUND).columns == found[0] == (SourceColumn("x", SourceType.INTEGER),)
        assert reader._process is process
    finally:
        reader.close()


def test_the_child_process_answers_as_the_module_does() -> None:
    reader = FooterReader()
    try:
        assert reader.read(SOUND) == read_footer(SOUND)
    finally:
        reader.close()


def test_a_footer_that_ends_the_process_is_damaged_and_the_next_one_is_read(reader: FooterReader) -> None:
    reader.read(SOUND)
    with pytest.raises(DamagedFooterError, match=r"reading it crashed the process \(exit code -6\)"):
        reader.read(marked(ABORT))
    assert reader.read(SOUND) == read_footer(SOUND)


def test_a_footer_that_never_ends_is_damaged_and_the_next_one_is_read(reader: FooterReader) -> None:
    reader.read(SOUND)
    with pytest.raises(DamagedFooterError, match=r"did not end within 0\.5 seconds"):
        reader.read(marked(SLEEP))
    assert reader.read(SOUND) == read_footer(SOUND)


def test_an_error_leaves_the_process_running(reader: FooterReader) -> None:
    reader.read(SOUND)
    process = reader._process
    with pytest.raises(DamagedFooterError, match="magic"):
        reader.read(SOUND[:-4] + b"NONE")
    assert reader.read(SOUND) == read_footer(SOUND)
    assert reader._process is process


def test_a_column_name_that_is_not_utf_8_is_damage(reader: FooterReader) -> None:
    footer = footer_of(parquet(pa.table({"trip_distance": [1.5]}), store_schema=False))
    with pytest.raises(DamagedFooterError, match="UnicodeDecodeError"):
        reader.read(footer.replace(b"trip_distance", b"trip_dist\xff\xfece"))


def test_a_process_that_cannot_start_is_no_fault_of_the_file() -> None:
    reader = FooterReader((sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(RuntimeError, match="did not start"):
        reader.read(SOUND)


def test_the_child_process_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    answers = ("'ready'", "input() or {'error': str(dict(os.environ))}")
    script = "; ".join(["import os, json", *(f"print(json.dumps({each}), flush=True)" for each in answers)])
    reader = FooterReader((sys.executable, "-c", script))
    with pytest.raises(DamagedFooterError) as caught:
        reader.read(b"\0" * 9 + b"\n")
    reader.close()
    assert "PYTHONPATH" in str(caught.value)
    assert "AWS_" not in str(caught.value)
