"""Tests that random CSV rows are read as Python reads them, or declined."""

import csv
import io

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duckdb_engine.messages import DOTTED_I

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)
HEADER = ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "foo", "bar"]
DECLINED = {"a value contains a quote": '"', "a value contains a capital i with a dot": DOTTED_I}
"""The character that makes a file declined, by the reason."""
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

    answer = files.ask([path])

    if answer.declined:
        character = DECLINED[answer.declined]
        assert any(character in text for row in rows for text in row)
        return
    kept = pq.read_table(answer.outcomes[0].trips.path)["extra_columns"].to_pylist()
    found = sorted((dict(row).get("foo", ""), dict(row).get("bar", "")) for row in kept)
    assert found == sorted(rows)
