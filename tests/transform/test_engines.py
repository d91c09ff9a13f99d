"""Do Spark and DuckDB agree on whole files: every published layout, and one made to be hostile?"""

import csv
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_etl.recognition import recognise
from taxi_etl.schema import kind_of_arrow
from taxi_etl.transform.sources import source_columns
from taxi_etl.transform.statements import quarantined, trips

CUT_BYTES = 1024
"""The size of samples that are a file's first bytes: their last line is cut."""
# rows of trips and of the quarantine, counted by plain DuckDB queries; small samples line by line
LAYOUTS = {
    "csv/yellow_tripdata_2009-01.csv": (98, 0),
    "csv/yellow_tripdata_2010-02.csv": (98, 0),
    "csv/yellow_tripdata_2014-01.csv": (98, 0),
    "csv/yellow_tripdata_2015-07.csv": (99, 0),
    "csv/yellow_tripdata_2016-07.csv": (99, 0),
    "csv/yellow_tripdata_2017-01.csv": (98, 0),
    "csv/yellow_tripdata_sample_2019-01.csv": (10000, 0),
    "csv/green_tripdata_2013-08.csv": (98, 0),
    "csv/green_tripdata_2015-01.csv": (99, 0),
    "csv/green_tripdata_2016-07.csv": (98, 0),
    "csv/fhv_tripdata_2015-01.csv": (33, 0),
    "csv/fhv_tripdata_2017-07.csv": (13, 0),
    "csv/fhv_tripdata_2018-01.csv": (12, 0),
    "csv/fhv_tripdata_2020-04_sample.csv": (1000, 0),
    "csv/fhvhv_tripdata_2019-02.csv": (14, 0),
    "csv/fhvhv_tripdata_2020-04_sample.csv": (1000, 0),
    "parquet/green_tripdata_2020-04_string_timestamps.parquet": (35601, 11),
}


def columns_of(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The format of a file, and its columns as (name, kind)."""
    if path.suffix == ".parquet":
        return "parquet", [
            (field.name, str(kind_of_arrow(str(field.type)))) for field in pq.read_schema(path)
        ]
    with path.open() as text:
        return "csv", [(name, "text") for name in next(csv.reader(text))]


def both_statements(engines, path: Path) -> tuple[list, list]:
    """The rows of trips and of the quarantine, the same on both engines."""
    file_format, columns = columns_of(path)
    dataset = recognise(columns, path.name).dataset
    view = engines.offer(path, dataset, file_format, columns)
    offered = source_columns(file_format, columns)
    return engines.same(trips(dataset, offered, view)), engines.same(quarantined(dataset, offered, view))


@pytest.mark.parametrize(("name", "rows"), LAYOUTS.items())
def test_both_engines_agree_on_every_row_of_a_published_layout(engines, shared_data, tmp_path, name, rows):
    path = shared_data / "tlc" / name
    if path.stat().st_size == CUT_BYTES:
        whole_lines = path.read_bytes().rsplit(b"\n", 1)[0] + b"\n"
        path = tmp_path / path.name
        path.write_bytes(whole_lines)

    kept, held = both_statements(engines, path)

    assert (len(kept), len(held)) == rows


def test_both_engines_agree_on_the_hostile_file(engines, shared_data, tmp_path):
    # its name gets a month, so that the range of pick-ups does not depend on a clock
    path = tmp_path / "green_tripdata_2024-01.csv"
    path.write_bytes((shared_data / "edge" / "torture.csv").read_bytes())

    kept, held = both_statements(engines, path)

    # by eye: of the first 27 rows, whose values vary, three are whole; of the last 21, eight have both times
    fares = sorted(row[14] for row in kept if row[2] == datetime(2024, 1, 5))
    assert fares == [1.0, 1.0, 5.0]
    times = sorted(str(row[1]) for row in kept if row[1] == row[2])
    assert times == [
        "2024-01-01 00:00:00",
        "2024-01-01 00:00:00",
        "2024-01-01 00:00:00",
        "2024-01-01 00:00:00.123456",
        "2024-01-01 00:00:00.123456",
        "2024-01-01 00:00:00.500000",
        "2024-03-10 02:30:00",
        "2024-03-31 02:30:00",
    ]
    assert len(held) == 37
    assert {row[-6]["foo"] for row in kept} == {"1", "1.0", "5.", 'a "q" b'}
