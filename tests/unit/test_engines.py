"""Tests of the choice of an engine, at each limit."""

import pytest

from taxi_etl.documents import AcceptedFile
from taxi_etl.engines import Decision, Engine, EngineChoice, SmallBatchLimits, choose_engine
from taxi_etl.identity import FileVersion
from taxi_etl.schema import text_columns

LIMITS = SmallBatchLimits(parquet_bytes=1000, csv_bytes=500, csv_gz_bytes=100, columns=3)
SMALL = Decision(Engine.DUCKDB)


def file(name: str, size: int, columns: int = 2) -> AcceptedFile:
    """An accepted file of this size with so many columns."""
    return AcceptedFile(
        version=FileVersion("lake", f"raw/taxi/{name}", "v1", size),
        dataset="yellow",
        format="parquet" if name.endswith(".parquet") else "csv",
        columns=text_columns([f"column {number}" for number in range(columns)]),
        compression="gzip" if name.endswith(".gz") else "none",
    )


def chosen(*files: AcceptedFile) -> Decision:
    """The decision of an app with `engine = auto`."""
    return choose_engine(files, EngineChoice.AUTO, LIMITS)


@pytest.mark.parametrize("size", [0, 1000])
def test_a_batch_up_to_the_limit_is_small(size: int) -> None:
    assert chosen(file("a.parquet", size)) == SMALL


@pytest.mark.parametrize(
    ("name", "most", "reason"),
    [
        ("a.parquet", 1000, "1,001 bytes of Parquet (at most 1,000)"),
        ("a.csv", 500, "501 bytes of CSV (at most 500)"),
        ("a.csv.gz", 100, "101 bytes of gzipped CSV (at most 100)"),
    ],
)
def test_each_format_has_its_own_limit(name: str, most: int, reason: str) -> None:
    assert chosen(file(name, most)) == SMALL
    assert chosen(file(name, most + 1)) == Decision(
        Engine.GLUE, f"the batch exceeds the limits of a small batch: {reason}"
    )


def test_the_files_of_a_batch_count_together() -> None:
    assert chosen(file("a.parquet", 600), file("b.parquet", 400)) == SMALL
    assert chosen(file("a.parquet", 600), file("b.parquet", 401)).engine is Engine.GLUE


def test_the_shares_of_several_formats_add_up() -> None:
    half_and_half = (file("a.parquet", 500), file("b.csv", 250))

    assert chosen(*half_and_half) == SMALL
    assert chosen(*half_and_half, file("c.csv.gz", 1)) == Decision(
        Engine.GLUE,
        "the batch exceeds the limits of a small batch: 500 bytes of Parquet (at most 1,000) and "
        "250 bytes of CSV (at most 500) and 1 bytes of gzipped CSV (at most 100)",
    )


def test_one_wide_file_sends_the_batch_to_the_job() -> None:
    assert chosen(file("a.parquet", 1, columns=3), file("b.parquet", 1)) == SMALL
    assert chosen(file("a.parquet", 1, columns=4), file("b.parquet", 1)) == Decision(
        Engine.GLUE, "a file has 4 columns; a small batch has at most 3"
    )


def test_columns_of_the_key_count() -> None:
    assert chosen(file("VendorID=1/a.parquet", 1, columns=3)).engine is Engine.GLUE


def test_an_app_or_an_input_can_choose_the_job_for_all_batches() -> None:
    assert choose_engine([file("a.parquet", 1)], EngineChoice.GLUE, LIMITS) == Decision(
        Engine.GLUE, "the Glue job loads all batches"
    )


def test_a_batch_without_accepted_files_needs_no_engine() -> None:
    assert chosen() == SMALL
