"""Tests of the child process that writes data files: what it writes, what it declines, and how it may end."""

from dataclasses import replace
from datetime import date, time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duckdb_engine.messages import Outcome, Task, TaskFile
from duckdb_engine.writer import Writer
from sample_data import VARIANTS, generate
from tests.duckdb_engine.conftest import LIMITS, RUN, Files, yellow

ROWS = 120


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_written_whole(files, tmp_path, variant):
    sample = generate(tmp_path, variant=variant, rows=ROWS, dirty_share=0.1, seed=7)

    answer = files.write(sample.path)

    assert (answer.trips.rows, answer.quarantine.rows) == (sample.clean_rows, sample.dirty_rows)
    assert dict(answer.reasons) == sample.dirty
    assert answer.read == ROWS


def test_data_files_have_the_field_ids_and_the_rows_of_their_table(files, tmp_path):
    answer = files.write(yellow(tmp_path / "yellow_tripdata_2024-01.parquet"))

    schema = pq.read_schema(answer.trips.path)
    ids = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in schema}
    assert (ids["vendor_id"], ids["pickup_datetime"]) == (1, 2)
    row = pq.read_table(answer.trips.path).to_pylist()[0]
    assert (row["vendor_id"], row["trip_distance"], row["run_id"]) == (2, 1.5, "jr_1")
    assert row["source_file"] == "s3://lake/raw/taxi/yellow_tripdata_2024-01.parquet"
    assert answer.quarantine is None
    assert answer.trips.row_groups == (4,)


def test_a_file_without_rows_has_no_data_files(files, tmp_path):
    answer = files.write(yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=0))

    assert answer == Outcome(read=0)


def test_trips_outside_the_month_of_the_name_are_counted(files, tmp_path):
    answer = files.write(yellow(tmp_path / "yellow_tripdata_2024-02.parquet", rows=3))

    assert (answer.trips.rows, answer.other_months) == (3, 3)


def test_one_child_process_writes_several_files(files, tmp_path):
    first = files.write(yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=1))
    second = files.write(yellow(tmp_path / "yellow_tripdata_2024-02.parquet", rows=2))

    assert (first.trips.rows, second.trips.rows) == (1, 2)
    assert first.trips.path != second.trips.path


DECLINED = {
    "page checksums": (
        lambda path: pq.write_table(pq.read_table(path), path, write_page_checksum=True),
        "its pages have checksums",
    ),
    "decimals that doubles do not keep": (
        lambda path: yellow(path, note=pa.array([1] * 3, pa.decimal128(20, 2))),
        "a column has decimals of more than 15 digits",
    ),
    "a printed double": (
        lambda path: yellow(path, note=pa.array([1.5, None, 0.00012])),
        "the engines may print '0.00012' of column 'note' differently",
    ),
    "a printed float": (
        lambda path: yellow(path, note=pa.array([0.1, None, 2.0], pa.float32())),
        "the engines may print '0.10000000149011612' of column 'note' differently",
    ),
    "a printed year": (
        lambda path: yellow(path, note=pa.array([400_000_000_000_000_000, None, 0], pa.timestamp("us"))),
        "the engines may print '14645-06-30 15:06:40' of column 'note' differently",
    ),
    "a printed double beyond exact whole numbers": (
        lambda path: yellow(path, note=pa.array([1.0, None, 9.5e15])),
        "the engines may print '9500000000000000.0' of column 'note' differently",
    ),
    "a date before year 1": (
        lambda path: yellow(path, note=pa.array([-800_000, None, 0], pa.int32()).view(pa.date32())),
        "the engines may print '0222-09-04 (BC)' of column 'note' differently",
    ),
    "a time before year 1": (
        lambda path: yellow(path, note=pa.array([-62_135_683_200_000_000, None, 0], pa.timestamp("us"))),
        "the engines may print '0001-12-31 (BC) 00:00:00' of column 'note' differently",
    ),
    "a date of the Julian calendar": (
        lambda path: yellow(path, note=pa.array([date(1501, 10, 27), None, date(1900, 1, 1)])),
        "the engines may print '1501-10-27' of column 'note' differently",
    ),
    "a time of day at the end of the day": (
        lambda path: yellow(path, note=pa.array([86_400_000_000, None, 0], pa.int64()).view(pa.time64("us"))),
        "the engines may print '24:00:00' of column 'note' differently",
    ),
    "a time of day in UTC": (
        lambda path: pq.write_table(
            pa.table(pq.read_table(path).to_pydict() | {"note": pa.array([time(12)] * 3, pa.time64("us"))}),
            path,
            write_time_adjusted_to_utc=True,
        ),
        "the engines may print '12:00:00+00' of column 'note' differently",
    ),
    "a capital i with a dot": (
        lambda path: yellow(path, store_and_fwd_flag=pa.array(["N", None, "N\u0130L"])),
        "a value contains a capital i with a dot",
    ),
    "a flag with fractions": (
        lambda path: yellow(path, store_and_fwd_flag=pa.array([1.0, 1e-7, None])),
        "the engines may print '1e-07' of column 'store_and_fwd_flag' differently",
    ),
}


@pytest.mark.parametrize("case", DECLINED)
def test_what_may_differ_from_spark_is_declined(files, tmp_path, case):
    change, reason = DECLINED[case]
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet")
    change(path)

    assert files.declined(path) == reason


def test_numbers_that_both_engines_print_alike_are_kept(files, tmp_path):
    path = tmp_path / "yellow_tripdata_2024-01.parquet"
    values = [0.001, 9_999_999.5, -0.5, 12.25, 1e15, float("nan"), float("inf")]
    answer = files.write(yellow(path, rows=7, note=pa.array(values)))

    kept = [dict(row) for row in pq.read_table(answer.trips.path)["extra_columns"].to_pylist()]
    assert sorted(row["note"] for row in kept) == [
        "-0.5",
        "0.001",
        "1000000000000000.0",
        "12.25",
        "9999999.5",
        "Infinity",
        "NaN",
    ]


def test_json_columns_are_kept_as_texts(files, tmp_path):
    notes = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None, "[]"]))
    answer = files.write(yellow(tmp_path / "yellow_tripdata_2024-01.parquet", note=notes))

    kept = [dict(row) for row in pq.read_table(answer.trips.path)["extra_columns"].to_pylist()]
    assert kept == [{"note": '{"a": 1}'}, {}, {"note": "[]"}]


def test_times_that_both_engines_print_alike_are_kept(files, tmp_path):
    path = tmp_path / "yellow_tripdata_2024-01.parquet"
    days = pa.array([date(1900, 1, 1), date(9999, 12, 31)])
    clock = pa.array([time(0), time(23, 59, 59, 500_000)], pa.time64("us"))
    answer = files.write(yellow(path, rows=2, day=days, clock=clock))

    kept = [dict(row) for row in pq.read_table(answer.trips.path)["extra_columns"].to_pylist()]
    assert sorted((row["day"], row["clock"]) for row in kept) == [
        ("1900-01-01", "00:00:00"),
        ("9999-12-31", "23:59:59.5"),
    ]


def test_damaged_pages_are_declined(files, tmp_path):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=1000)
    file = files.accept(path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 400 + content[404:])

    assert files.declined(path, file)


def test_a_process_that_aborts_declines_its_file(slow_files, tmp_path):
    files = slow_files(
        "import os, sys\nsys.stdin.readline()\nprint('assertion', file=sys.stderr)\nos.abort()"
    )
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet")

    assert files.declined(path) == "reading it crashed the process (exit code -6: assertion)"
    assert files.declined(path) == "reading it crashed the process (exit code -6: assertion)"


def test_a_process_that_hangs_is_ended_and_declines_its_file(slow_files, tmp_path):
    files = slow_files("import time\ntime.sleep(600)", 0.5)

    declined = files.declined(yellow(tmp_path / "yellow_tripdata_2024-01.parquet"))

    assert declined == "reading it took more than 0.5 seconds"


def test_a_process_that_answers_something_else_declines_its_file(slow_files, tmp_path):
    files = slow_files("print('{}', flush=True)")

    assert files.declined(yellow(tmp_path / "yellow_tripdata_2024-01.parquet"))


def test_an_absurd_allocation_fails_in_the_process(slow_files, tmp_path):
    program = (
        "import json, sys\n"
        "from duckdb_engine.limits import Limits\n"
        "from duckdb_engine.writer_process import apply_limits\n"
        "apply_limits(Limits.from_json(json.loads(sys.argv[1])))\n"
        "sys.stdin.readline()\n"
        "bytearray(8 * 1024**3)\n"
    )
    files = slow_files(program)

    declined = files.declined(yellow(tmp_path / "yellow_tripdata_2024-01.parquet"))

    assert declined == "reading it crashed the process (exit code 1: MemoryError)"


def test_memory_beyond_the_limit_declines_the_file(tmp_path):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=50_000)
    folder = tmp_path / "work"
    folder.mkdir()
    with Writer(folder, replace(LIMITS, duckdb_bytes=1024**2)) as writer:
        assert Files(folder, writer).declined(path).startswith("OutOfMemoryException")


def test_the_process_sees_no_credentials_and_no_other_files(slow_files, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    program = (
        "import os, sys\nsys.stdin.readline()\nsys.exit(os.environ.get('AWS_SECRET_ACCESS_KEY', 'none'))"
    )

    declined = slow_files(program).declined(yellow(tmp_path / "yellow_tripdata_2024-01.parquet"))

    assert declined == "reading it crashed the process (exit code 1: none)"


def test_a_task_outside_the_folder_is_declined(files, tmp_path):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet")
    file = files.accept(path)
    folder = files.folder / "task"
    folder.mkdir()

    answer = files.writer.write(Task((TaskFile(file, path, None),), folder, RUN))

    assert answer.declined.startswith("PermissionException")
