"""Tests that wall-clock times do not depend on the session's time zone.

The times lie around both clock changes in New York, are saved in several ways, and are read by sessions in
three time zones.
"""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# In 2024 New York's clocks skipped 02:00 to 03:00 on 10 March, and had 01:00 to 02:00 twice on 3 November.
TIMES = [
    datetime(2024, 3, 10, 1, 59, 59),
    datetime(2024, 3, 10, 2, 0),
    datetime(2024, 3, 10, 2, 30, 0, 123_456),
    datetime(2024, 3, 10, 3, 0),
    datetime(2024, 3, 31, 2, 30),  # an hour that Europe's clocks skipped
    datetime(2024, 11, 3, 0, 59, 59),
    datetime(2024, 11, 3, 1, 30),
    datetime(2024, 11, 3, 1, 59, 59, 999_999),
    datetime(2024, 11, 3, 2, 0),
    datetime(2024, 12, 31, 23, 59, 59),
]


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def zone(request, engines) -> Iterator[str]:
    before = engines.spark.conf.get("spark.sql.session.timeZone")
    engines.spark.conf.set("spark.sql.session.timeZone", request.param)
    engines.spark.conf.set("spark.sql.codegen.wholeStage", "false")
    engines.duck.execute(f"SET TimeZone = '{request.param}'")
    yield request.param
    engines.spark.conf.set("spark.sql.session.timeZone", before)
    engines.spark.conf.set("spark.sql.codegen.wholeStage", "true")
    engines.duck.execute("SET TimeZone = 'UTC'")


def as_csv(path, mark: str) -> None:
    lines = [f"{time}{mark},{time}{mark},{distance}" for time in TIMES for distance in ("1.5", "-1")]
    path.write_text("\n".join(["tpep_pickup_datetime,tpep_dropoff_datetime,trip_distance", *lines, ""]))


def as_parquet(path, kind: pa.DataType) -> None:
    twice = [time for time in TIMES for _ in range(2)]
    times = [str(time) for time in twice] if kind == pa.string() else twice
    columns = {
        "tpep_pickup_datetime": pa.array(times, kind),
        "tpep_dropoff_datetime": pa.array(times, kind),
        "trip_distance": pa.array([1.5, -1.0] * len(TIMES)),
    }
    pq.write_table(pa.table(columns), path)


def test_times_do_not_move_with_the_session_time_zone(engines, tmp_path, zone):
    as_csv(tmp_path / "plain_2024-06.csv", "")
    as_csv(tmp_path / "exported_2024-06.csv", "+00:00")
    as_parquet(tmp_path / "micros_2024-06.parquet", pa.timestamp("us"))
    as_parquet(tmp_path / "nanos_2024-06.parquet", pa.timestamp("ns"))
    as_parquet(tmp_path / "texts_2024-06.parquet", pa.string())

    for path in sorted(tmp_path.iterdir()):
        found = engines.transform(path)

        for column in ("pickup_datetime", "dropoff_datetime"):
            assert sorted(found.trips[column].to_pylist()) == TIMES, (path.name, column)
        read = [dict(row)["tpep_pickup_datetime"] for row in found.quarantined["row_as_read"].to_pylist()]
        mark = "+00:00" if path.name.startswith("exported") else ""
        assert sorted(read) == sorted(f"{time}{mark}" for time in TIMES), path.name
