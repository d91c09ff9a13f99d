"""Tests of the rows of sample files: counts, damage, determinism, and valid oddities."""

from datetime import datetime
from itertools import pairwise

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sample_data import VARIANTS, generate

WRONG = {
    "unparseable": "try_cast(fare as double) is null",
    "missing_datetime": "pickup is null",
    "negative_duration": "dropoff < pickup",
    "pickup_out_of_range": "abs(date_diff('day', date '2017-01-15', pickup)) > 400",
    "implausible_distance": "not coalesce(try_cast(distance as double) between 0 and 1000, true)",
    "unknown_location": "pu not between 1 and 265 or do_ not between 1 and 265",
}
"""The condition by which a reader recognizes each kind of damage, independent of the generator."""
TIMES = ("missing_datetime", "negative_duration", "pickup_out_of_range")
NAMES = (
    *("vendor", "pickup", "dropoff", "passengers", "distance", "rate", "flag", "pu", "do_", "payment"),
    *("fare", "extra", "mta", "tip", "tolls", "improvement", "total"),
)


def rows_of_y7(path):
    """The rows of a file of 2017 with typed times and zones; everything else is text."""
    header, blank, *lines = path.read_bytes().split(b"\n")
    assert (header[:8], blank) == (b"VendorID", b"\r")
    plain = path.with_suffix(".plain")
    plain.write_bytes(b"\n".join(lines).replace(b"\r", b""))
    columns = ", ".join(f"'{name}': 'varchar'" for name in NAMES)
    typed = "pickup::timestamp as pickup, dropoff::timestamp as dropoff, pu::int as pu, do_::int as do_"
    return duckdb.sql(
        f"select * replace ({typed}) from read_csv('{plain}', header=false, auto_detect=false, "
        f"columns={{{columns}}}, nullstr='')"
    )


def count(rows, condition="true"):
    return rows.filter(condition).aggregate("count(*)").fetchall()[0][0]


def test_reported_damage_counts_match_the_file(tmp_path):
    sample = generate(tmp_path, variant="Y7", rows=5000, dirty_share=0.02)
    assert sample.rows == 5000
    assert sample.dirty == {
        "unparseable": 17,
        "missing_datetime": 17,
        "negative_duration": 17,
        "pickup_out_of_range": 17,
        "implausible_distance": 16,
        "unknown_location": 16,
    }
    assert (sample.clean_rows, sample.dirty_rows) == (4900, 100)
    rows = rows_of_y7(sample.path)
    assert count(rows) == 5000
    found = {reason: count(rows, wrong) for reason, wrong in WRONG.items()}
    assert found == sample.dirty
    any_wrong = " or ".join(f"coalesce({wrong}, false)" for wrong in WRONG.values())
    assert count(rows, any_wrong) == 100


def test_a_file_without_damage_has_no_damaged_rows(tmp_path):
    rows = rows_of_y7(generate(tmp_path, variant="Y7", rows=5000).path)
    for reason, wrong in WRONG.items():
        assert count(rows, wrong) == 0, reason


def test_damage_can_be_limited_to_one_kind(tmp_path):
    sample = generate(tmp_path, variant="Y7", rows=90, dirty_share=0.1, reasons=["negative_duration"])
    assert sample.dirty == {"negative_duration": 9}
    assert count(rows_of_y7(sample.path), "dropoff < pickup") == 9


def test_every_row_can_be_damaged(tmp_path):
    sample = generate(tmp_path, variant="P-Y2", rows=7, dirty_share=1.0)
    assert sample.clean_rows == 0
    assert sum(sample.dirty.values()) == 7


@pytest.mark.parametrize(
    ("variant", "reasons"),
    [
        ("Y1", {*TIMES, "unparseable", "implausible_distance"}),
        ("F1", {"unparseable", "missing_datetime", "pickup_out_of_range", "unknown_location"}),
        (
            "H1",
            {
                "unparseable",
                "missing_datetime",
                "negative_duration",
                "pickup_out_of_range",
                "unknown_location",
            },
        ),
        # all columns have the types of the table, so no value is unparseable
        ("P-F2", {"missing_datetime", "negative_duration", "pickup_out_of_range", "unknown_location"}),
    ],
)
def test_the_columns_limit_the_kinds_of_damage(variant, reasons, tmp_path):
    assert set(generate(tmp_path, variant=variant, rows=60, dirty_share=0.5).dirty) == reasons


def test_a_double_column_can_have_fractions_as_damage(tmp_path):
    sample = generate(tmp_path, variant="P-G1", rows=100, dirty_share=0.1, reasons=["unparseable"])
    counts = pq.read_table(sample.path)["passenger_count"]
    assert pc.sum(pc.equal(counts, 1.5)).as_py() == 10


def test_string_timestamps_are_text(tmp_path):
    table = pq.read_table(generate(tmp_path, variant="P-G0", rows=3).path)
    assert table["lpep_pickup_datetime"][0].as_py().startswith("2020-04-")
    assert len(table["lpep_pickup_datetime"][0].as_py()) == len("2020-04-01 00:00:00")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(variant, tmp_path):
    kind = VARIANTS[variant].format
    one, same, other = (
        generate(
            tmp_path / f"{name}.{kind}", variant=variant, rows=200, dirty_share=0.1, seed=seed
        ).path.read_bytes()
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert one == same
    assert one != other


def test_large_files_are_written_in_portions_without_gap_or_overlap(tmp_path, monkeypatch):
    whole = generate(tmp_path / "whole.csv", variant="Y7", rows=1000, dirty_share=0.1).path.read_bytes()
    monkeypatch.setattr("sample_data.files.CSV_PORTION", 300)
    assert (
        generate(tmp_path / "portions.csv", variant="Y7", rows=1000, dirty_share=0.1).path.read_bytes()
        == whole
    )
    monkeypatch.setattr("sample_data.files.PARQUET_PORTION", 300)
    sample = generate(tmp_path / "p.parquet", variant="P-Y2", rows=1000)
    metadata = pq.ParquetFile(sample.path).metadata
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [
        300,
        300,
        300,
        100,
    ]


def test_an_empty_file_has_a_header_and_no_rows(tmp_path):
    assert generate(tmp_path / "a.csv", variant="F1", rows=0).path.read_bytes() == (
        b"Dispatching_base_num,Pickup_date,locationID\r\n"
    )
    assert pq.read_table(generate(tmp_path / "a.parquet", variant="P-G1", rows=0).path).num_rows == 0


def test_trips_have_the_valid_oddities_of_real_files(tmp_path):
    table = pq.read_table(generate(tmp_path, dataset="green", month="2022-01", rows=20_000).path)

    def share(condition):
        return pc.mean(condition.cast("double")).as_py()

    fares = table["fare_amount"]
    assert 0.001 < share(pc.less(fares, 0)) < 0.006
    assert 0.25 < share(pc.is_null(table["passenger_count"])) < 0.35
    assert pc.all(pc.equal(pc.is_null(table["passenger_count"]), pc.is_null(table["RatecodeID"]))).as_py(), (
        "values are null together"
    )
    assert {264, 265} <= set(table["PULocationID"].to_pylist())
    assert 99 in table["RatecodeID"].to_pylist()
    assert pc.any(pc.equal(table["trip_distance"], 0)).as_py()
    early = pc.less(table["lpep_pickup_datetime"], datetime(2022, 1, 1))
    assert 0 < share(early) < 0.002
    assert pc.min(table["lpep_pickup_datetime"]).as_py() > datetime(2021, 11, 30)


def test_fhv_files_repeat_some_rows_exactly(tmp_path):
    rows = pq.read_table(generate(tmp_path, variant="P-F1", rows=2000).path).to_pylist()
    twins = sum(one == next_ for one, next_ in pairwise(rows))
    assert 50 < twins < 160


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "give a variant, or a dataset and a month"),
        ({"variant": "Y99"}, "variant 'Y99' is unknown"),
        ({"dataset": "green", "month": "January"}, "write it as 2024-01"),
        ({"dataset": "blue", "month": "2024-01"}, "datasets are yellow, green, fhv, fhvhv"),
        ({"dataset": "green", "month": "2013-01", "format": "parquet"}, "2014-01 to 2026-05"),
        ({"variant": "Y7", "format": "parquet"}, "variant Y7 is csv, not parquet"),
        ({"variant": "Y7", "dataset": "green"}, "of dataset yellow, not green"),
        ({"variant": "Y7", "format": "xlsx"}, "choose one of parquet, csv, csv.gz"),
        ({"variant": "Y7", "encoding": "ebcdic"}, "encoding 'ebcdic' is unknown"),
        ({"variant": "Y7", "rows": -1}, "must not be negative"),
        ({"variant": "Y7", "dirty_share": 1.5}, "between 0 and 1"),
        ({"variant": "Y1", "reasons": ["unknown_location"]}, "cannot have unknown_location"),
    ],
)
def test_invalid_arguments_raise_an_error_that_names_the_allowed_values(arguments, expected, tmp_path):
    with pytest.raises(ValueError) as raised:
        generate(tmp_path, **arguments)
    assert expected in str(raised.value)
