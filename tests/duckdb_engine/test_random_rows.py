"""Tests that random CSV rows are read as Python reads them, or declined."""

import csv
import io

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)
HEADER = ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "foo", "bar"]
TRIP = ["1", "2024-01-05 10:00:00", "2024-01-05 10:10:00"]


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_texts_are_kept_as_they_are(files, tmp_path, rows, line_end, quoting):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=line_end, quoting=quoting)
    writer.writerows([HEADER, *([*TRIP, *row] for row in rows)])
    path = tmp_path / "yellow_tripdata_2024-01.csv"
    path.write_text(buffer.getvalue(), newline="")

    answer = files.write(path)

    if answer.declined:
        assert answer.declined == "a value contains a quote"
        assert any('"' in text for row in rows for text in row)
        return
    kept = pq.read_table(answer.trips.path)["extra_columns"].to_pylist()
    found = sorted((dict(row).get("foo", ""), dict(row).get("bar", "")) for row in kept)
    assert found == sorted(rows)
