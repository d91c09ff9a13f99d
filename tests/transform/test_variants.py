"""Tests that every published layout loads alike on both engines, from generated files with known damage.

The generator determines a column's content by its own list of names, independent of `taxi_etl.datasets`. The
tests compare the loaded columns and the quarantine reasons with what the generator wrote.
"""

import gzip
from collections import Counter

import pytest

from sample_data import VARIANTS, generate

ROWS = 120
MONTHS = [(variant.id, str(month)) for variant in VARIANTS.values() for month in variant.months]
"""Months in which a layout has other column types, or an additional column."""

# What the generator calls a column's content, and the table's column for it.
STREET_HAIL = {
    "vendor": "vendor_id",
    "vendor_code": "vendor_id",
    "pickup": "pickup_datetime",
    "dropoff": "dropoff_datetime",
    "passengers": "passenger_count",
    "distance": "trip_distance",
    "pickup_longitude": "pickup_longitude",
    "pickup_latitude": "pickup_latitude",
    "dropoff_longitude": "dropoff_longitude",
    "dropoff_latitude": "dropoff_latitude",
    "rate": "rate_code_id",
    "flag": "store_and_fwd_flag",
    "flag_digit": "store_and_fwd_flag",
    "pickup_zone": "pickup_location_id",
    "dropoff_zone": "dropoff_location_id",
    "payment": "payment_type",
    "payment_code": "payment_type",
    "payment_word": "payment_type",
    "fare": "fare_amount",
    "extra": "extra",
    "mta_tax": "mta_tax",
    "tip": "tip_amount",
    "tolls": "tolls_amount",
    "improvement": "improvement_surcharge",
    "congestion": "congestion_surcharge",
    "airport": "airport_fee",
    "cbd": "cbd_congestion_fee",
    "total": "total_amount",
    "trip_type": "trip_type",
}
FOR_HIRE = {
    "pickup": "pickup_datetime",
    "dropoff": "dropoff_datetime",
    "pickup_zone": "pickup_location_id",
    "dropoff_zone": "dropoff_location_id",
    "shared_ride": "sr_flag",
    "license": "hvfhs_license_num",
    "requested": "request_datetime",
    "on_scene": "on_scene_datetime",
    "distance": "trip_miles",
    "duration": "trip_time",
    "fare": "base_passenger_fare",
    "tolls": "tolls",
    "black_car_fund": "bcf",
    "sales_tax": "sales_tax",
    "congestion": "congestion_surcharge",
    "airport": "airport_fee",
    "cbd": "cbd_congestion_fee",
    "tip": "tips",
    "driver_pay": "driver_pay",
}
# In for-hire files these contents occur in several columns, which the tables call as the files do.
NAMED_ALIKE = {"base", "no"}
# Kept in extra_columns: columns that no dataset types.
UNTYPED = {"row_number", "file_year", "file_month"}
TABLE_SERVICE = {"extra_columns", "source_id", "source_file", "source_version", "ingested_at", "run_id"}


def home_of(dataset: str, column) -> str:
    """The table's column for one of a file's."""
    if column.content in NAMED_ALIKE:
        return {"dispatching_base_number": "dispatching_base_num"}.get(
            column.name.lower(), column.name.lower()
        )
    return (STREET_HAIL if dataset in ("yellow", "green") else FOR_HIRE)[column.content]


def check(engines, tmp_path, variant: str, month: str) -> None:
    sample = generate(tmp_path, variant=variant, month=month, rows=ROWS, dirty_share=0.1, seed=7)
    layout = VARIANTS[variant]

    found = engines.transform(sample.path)

    assert found.dataset == layout.dataset
    reasons = found.quarantined["reasons"].to_pylist()
    assert Counter(reason for row in reasons for reason in row) == Counter(sample.dirty)
    assert found.rows == (sample.clean_rows, sample.dirty_rows)

    columns = layout.columns_of(next(m for m in (layout.first, *layout.months) if str(m) == sample.month))
    # by place: a header split by ", " gives names that begin with a space
    names = engines.duck.sql(f"SELECT * FROM {found.view}").columns[: len(columns)]
    counts = ", ".join(f"""count(nullif(trim("{name}"::varchar), ''))""" for name in names)
    (filled,) = engines.duck.execute(f"SELECT {counts} FROM {found.view}").fetchall()
    held = [column for column, count in zip(columns, filled, strict=True) if count]
    arrived = {name for name in found.trips.column_names if found.trips[name].null_count < len(found.trips)}
    assert arrived - TABLE_SERVICE == {
        home_of(found.dataset, column) for column in held if column.content not in UNTYPED
    }
    extra = {name for row in found.trips["extra_columns"].to_pylist() for name, _ in row}
    # vendor DDS, who never got a code, is kept in extra_columns, and the code is null
    extra -= {column.name for column in held if column.content == "vendor_code"}
    assert extra == {column.name for column in held if column.content in UNTYPED}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_loads_whole(engines, interpreted, tmp_path, variant):
    check(engines, tmp_path, variant, str(VARIANTS[variant].first))


@pytest.mark.parametrize(("variant", "month"), MONTHS)
def test_a_month_with_different_types_loads_completely(engines, interpreted, tmp_path, variant, month):
    check(engines, tmp_path, variant, month)


DRESSES = {
    "byte-order mark": {"encoding": "utf-8-bom"},
    "UTF-16": {"encoding": "utf-16"},
    "line feeds": {"csv_style": {"line_end": "\n"}},
    "everything quoted": {"csv_style": {"quote": "all"}},
    "blank line 2": {"csv_style": {"blank_line": True}},
    "two fields too many": {"csv_style": {"spare_fields": 2}},
    "some rows eight fields too wide": {"csv_style": {"stray_fields": 8}},
    "all at once": {
        "encoding": "utf-16",
        "csv_style": {"quote": "all", "blank_line": True, "spare_fields": 2, "line_end": "\n"},
    },
}


@pytest.mark.parametrize("dress", DRESSES)
def test_how_the_bytes_are_written_makes_no_difference(engines, interpreted, tmp_path, dress):
    plain, dressed = tmp_path / "plain", tmp_path / "dressed"
    plain.mkdir()
    dressed.mkdir()
    expected = engines.transform(generate(plain, variant="Y8", rows=ROWS, dirty_share=0.1).path)

    sample = generate(dressed, variant="Y8", rows=ROWS, dirty_share=0.1, **DRESSES[dress])
    found = engines.transform(sample.path)

    assert rows_of(found.trips) == rows_of(expected.trips)
    assert rows_of(found.quarantined) == rows_of(expected.quarantined)


def test_a_gzip_of_several_members_is_read_to_its_end(engines, interpreted, tmp_path):
    whole = generate(tmp_path / "yellow_tripdata_2019-01.csv", variant="Y8", rows=ROWS, dirty_share=0.1)
    expected = engines.transform(whole.path)
    content = whole.path.read_bytes()
    members = tmp_path / "yellow_tripdata_2019-01.csv.gz"
    # the cuts are in the middle of lines
    parts = content[:1000], content[1000:2001], content[2001:]
    members.write_bytes(b"".join(gzip.compress(part) for part in parts))

    found = engines.transform(members, name=whole.path.name)

    assert rows_of(found.trips) == rows_of(expected.trips)
    assert rows_of(found.quarantined) == rows_of(expected.quarantined)


def rows_of(table) -> list[str]:
    return sorted(repr(row) for row in table.to_pylist())
