"""Tests of the job with files that change, are damaged, switch datasets or have unusual content."""

import gzip
import io
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glue_scripts import quarantine_writer
from glue_scripts.iceberg import LakeTable
from glue_scripts.quarantine_side_output import unpack_quarantined
from glue_scripts.reading import spark_path
from loading.engine import ConflictError
from taxi_etl.file_rules import check_key
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import source_id

A = "raw/taxi/green_tripdata_2024-01.csv"
B = "raw/taxi/green_tripdata_2024-02.csv"
HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
GOOD = "2,2024-01-05 10:00:00,2024-01-05 10:20:00,3.5,74,18.4"
BAD = "2,2024-01-05 10:20:00,2024-01-05 10:00:00,3.5,74,18.4"


def csv(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def parquet(columns: dict, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def yellow_columns(rows: int) -> dict:
    return {
        "VendorID": pa.array([2] * rows, pa.int64()),
        "tpep_pickup_datetime": pa.array([datetime(2024, 1, 5, 10)] * rows, pa.timestamp("us")),
        "tpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, 11)] * rows, pa.timestamp("us")),
        "trip_distance": pa.array([float(row) / 10 for row in range(rows)]),
    }


def test_a_reupload_replaces_only_its_own_rows(lake):
    lake.storage.put(A, csv(GOOD, GOOD, BAD))
    lake.storage.put(B, csv(GOOD, BAD).removesuffix(b"\n"))
    first = lake.load(A, B)
    assert (lake.count("green", A), lake.count("green", B), lake.count("quarantine")) == (2, 1, 2)
    assert [[each.code for each in file.warnings] for file in first.files] == [[], ["no_line_end"]]

    newer = lake.storage.put(A, csv(GOOD, GOOD, GOOD))
    result = lake.load(A)

    assert (lake.count("green", A), lake.count("green", B)) == (3, 1)
    assert (lake.count("quarantine", A), lake.count("quarantine", B)) == (0, 1)
    assert lake.query(
        "SELECT DISTINCT source_version FROM {green} WHERE source_file LIKE '%2024-01.csv'"
    ) == [(newer,)]
    assert not result.schema_changed


def test_an_older_version_does_not_replace_a_newer_one(lake):
    lake.storage.put(A, csv(GOOD))
    older = lake.accept(A)
    lake.storage.put(A, csv(GOOD, GOOD))
    lake.load(A)

    late = lake.load(older)

    assert [file.status for file in late.files] == [FileStatus.SUPERSEDED]
    assert lake.count("green", A) == 2


def test_a_version_replaced_while_it_is_read_is_superseded_and_the_rest_loads(lake):
    lake.storage.put(A, csv(GOOD))
    lake.storage.put(B, csv(GOOD, GOOD))
    files = [lake.accept(A), lake.accept(B)]
    checks = iter(range(100))

    def replace_after_the_first_checks(_: int) -> None:
        if next(checks) == 2:
            lake.storage.put(A, csv(GOOD, GOOD, GOOD))

    lake.storage.before_check = replace_after_the_first_checks
    result = lake.load(*files)

    assert [file.status for file in result.files] == [FileStatus.SUPERSEDED, FileStatus.LOADED]
    assert (lake.count("green", A), lake.count("green", B)) == (0, 2)


def test_a_deleted_object_fails_and_its_older_rows_stay(lake):
    lake.storage.put(A, csv(GOOD))
    file = lake.accept(A)
    lake.load(file)
    lake.storage.delete(A)

    [result] = lake.load(file).files

    assert (result.status, result.failure.code) == (FileStatus.FAILED, "deleted")
    assert lake.count("green", A) == 1


def interfere(monkeypatch, table_name: str, action) -> list[str]:
    """Call `action` right before the next commit to a table; returns the outcomes of later commits."""
    original = LakeTable.replace_rows
    outcomes: list[str] = []
    pending = [action]

    def replace(table, source_ids, files, since, notes):
        if table.name == table_name and pending:
            pending.pop()(lambda ids: original(table, ids, [], since, {}))
            outcomes.clear()
        try:
            original(table, source_ids, files, since, notes)
        except ConflictError:
            outcomes.append(f"{table.name} refused")
            raise
        outcomes.append(f"{table.name} committed")

    monkeypatch.setattr(LakeTable, "replace_rows", replace)
    return outcomes


def test_a_conflicting_commit_is_retried(lake, monkeypatch):
    """Another job run commits rows of the same file between this run's version check and its commit."""
    lake.storage.put(A, csv(GOOD))
    lake.load(A)
    lake.storage.put(A, csv(GOOD, GOOD, GOOD))

    outcomes = interfere(monkeypatch, "green_trips", lambda commit: commit([source_id("lake", A)]))
    [result] = lake.load(A).files

    assert outcomes == ["green_trips refused", "green_trips committed"]
    assert (result.status, lake.count("green", A)) == (FileStatus.LOADED, 3)


def test_runs_of_different_files_do_not_conflict(lake, monkeypatch):
    lake.storage.put(A, csv(GOOD))
    lake.storage.put(B, csv(GOOD, GOOD))
    files = [lake.accept(A), lake.accept(B)]
    lake.load(*files)

    outcomes = interfere(monkeypatch, "green_trips", lambda commit: commit([source_id("lake", B)]))
    lake.load(files[0])

    assert outcomes == ["green_trips committed"]
    assert (lake.count("green", A), lake.count("green", B)) == (1, 0)


@pytest.mark.parametrize("conflict_in", ["quarantined_trips", "green_trips"])
def test_a_superseded_run_leaves_no_rows(lake, monkeypatch, conflict_in):
    lake.storage.put(A, csv(GOOD, BAD))
    older = lake.accept(A)

    def a_newer_version_loads(_) -> None:
        lake.storage.put(A, csv(GOOD, GOOD, GOOD))
        assert lake.load(A).files[0].status is FileStatus.LOADED

    outcomes = interfere(monkeypatch, conflict_in, a_newer_version_loads)
    [result] = lake.load(older).files

    assert outcomes[-1] == "green_trips refused"
    assert result.status is FileStatus.SUPERSEDED
    assert (lake.count("green", A), lake.count("quarantine", A)) == (3, 0)


def test_a_damaged_file_fails_alone_with_its_error(lake):
    whole = "raw/taxi/green_tripdata_2024-01.csv.gz"
    broken = "raw/taxi/green_tripdata_2024-02.csv.gz"
    packed = gzip.compress(csv(*[GOOD] * 2000, BAD))
    lake.storage.put(whole, packed)
    lake.storage.put(broken, packed)
    file = lake.accept(broken)
    path = lake.storage.root / broken
    path.write_bytes(packed[: len(packed) // 2])

    result = lake.load(whole, file)

    assert [file.status for file in result.files] == [FileStatus.LOADED, FileStatus.FAILED]
    assert result.files[1].failure.code == "truncated"
    assert "\n" not in result.files[1].failure.message
    assert "the file was cut off" in result.files[1].failure.message
    assert (lake.count("green", whole), lake.count("green", broken)) == (2000, 0)
    assert result.files[0].reasons == {"negative_duration": 1}


def test_a_wrong_parquet_page_checksum_fails_the_file(lake):
    key = "raw/taxi/yellow_tripdata_2024-01.parquet"
    content = bytearray(
        parquet(yellow_columns(500), compression="none", use_dictionary=False, write_page_checksum=True)
    )
    lake.storage.put(key, bytes(content))
    assert lake.load(key).files[0].written == 500
    content[content.index(b"\x9a\x99\x99\x99\x99\x99\xb9\x3f")] ^= (
        1  # the 0.1 among the distances: still a number
    )
    lake.storage.put(key, bytes(content))

    [result] = lake.load(key).files

    assert (result.status, result.failure.code) == (FileStatus.FAILED, "unreadable")
    assert "checksum" in result.failure.message.lower() or "CRC" in result.failure.message
    assert lake.count("yellow", key) == 500, "the older rows stay"


def test_a_file_with_too_many_invalid_rows_is_not_loaded(lake):
    lake.storage.put(A, csv(GOOD))
    lake.load(A)
    lake.storage.put(A, csv(GOOD, BAD, BAD))
    lake.storage.put(B, csv(GOOD, BAD))

    result = lake.load(A, B)

    assert [file.status for file in result.files] == [FileStatus.FAILED, FileStatus.LOADED]
    assert result.files[0].failure.code == "too_many_quarantined"
    assert "2 of 3 rows" in result.files[0].failure.message
    assert (lake.count("green", A), lake.count("quarantine", A)) == (1, 0)
    assert (lake.count("green", B), lake.count("quarantine", B)) == (1, 1), "a share of one half is allowed"
    assert lake.load(A, arguments=["--max-quarantine-share", "0.7"]).files[0].quarantined == 2


def test_a_file_that_changes_its_dataset_leaves_its_old_table(lake):
    key = "raw/taxi/trips_2024-01.csv"
    lake.storage.put(key, csv(GOOD, BAD))
    lake.load(key)
    assert (lake.count("green"), lake.count("quarantine")) == (1, 1)

    lake.storage.put(key, csv(GOOD, GOOD, header=HEADER.replace("lpep", "tpep")))
    result = lake.load(key)

    assert [file.dataset for file in result.files] == ["yellow"]
    assert (lake.count("green"), lake.count("yellow"), lake.count("quarantine")) == (0, 2, 0)


def test_rows_with_blank_fields_beyond_the_header_do_not_shift(lake):
    lake.storage.put(A, csv("", GOOD + ",,", GOOD + ', ,"",', GOOD).replace(b"\n", b"\r\n"))

    [result] = lake.load(A).files

    assert (result.read, result.written) == (3, 3)
    rows = lake.query("SELECT vendor_id, fare_amount, extra_columns FROM {green}")
    assert rows == [(2, 18.4, {})] * 3


WRONG_LINES = (
    GOOD + ",x",
    GOOD + ",,x",
    GOOD + "," * 40 + "x",
    GOOD.replace("18.4", "1,018.40"),
    GOOD.rpartition(",")[0],
    "2",
    GOOD.replace("3.5", '"3.5'),
    GOOD + '"',
)


@pytest.mark.parametrize("width", [0, 2])
def test_a_row_with_a_wrong_number_of_fields_is_quarantined_with_its_text(lake, width):
    usual = GOOD + "," * width
    keys = [f"raw/taxi/green_tripdata_2024-01_{place}.csv" for place in range(len(WRONG_LINES))]
    for key, line in zip(keys, WRONG_LINES, strict=True):
        lake.storage.put(key, csv(*[usual] * 20, line, usual))

    results = lake.load(*keys).files

    assert [(file.written, file.quarantined, file.reasons) for file in results] == [
        (21, 1, {"wrong_field_count": 1})
    ] * len(keys)
    kept = lake.query("SELECT source_file, reasons, row_as_read FROM {quarantine} ORDER BY source_file")
    assert kept == [
        (f"s3://lake/{key}", ["wrong_field_count"], {"line": line})
        for key, line in zip(keys, WRONG_LINES, strict=True)
    ]
    assert lake.query("SELECT DISTINCT vendor_id, fare_amount FROM {green}") == [(2, 18.4)]


def test_no_half_of_a_record_with_a_line_end_inside_quotes_becomes_a_trip(lake):
    header = f"note,{HEADER},zone"
    record = f'a,{GOOD},"Upper\nEast Side",{GOOD},b'
    lake.storage.put(A, csv(f"a,{GOOD},c", f'a,{GOOD},"Upper', f'East",{GOOD},b', header=header))
    lake.storage.put(B, csv(f"a,{GOOD},c", record, header=header))

    results = lake.load(A, B, arguments=["--max-quarantine-share", "0.9"]).files

    assert [(file.written, file.quarantined) for file in results] == [(1, 2), (1, 2)]
    assert {reason for file in results for reason in file.reasons} == {"wrong_field_count"}


def test_a_file_with_quotes_in_balance_is_read_as_it_is_quoted(lake):
    lake.storage.put(A, csv(f'"say ""hi"", ok",{GOOD}', f"plain,{GOOD}", header=f"note,{HEADER}"))

    [result] = lake.load(A).files

    assert result.written == 2
    assert lake.query("SELECT extra_columns['note'] FROM {green} ORDER BY 1") == [
        ("plain",),
        ('say "hi", ok',),
    ]


def test_files_with_other_delimiters_and_the_separator_line_of_excel_load(lake):
    commas = csv(GOOD, GOOD).decode()
    contents = {
        "semicolons": commas.replace(",", ";"),
        "tabs": commas.replace(",", "\t"),
        "bars": commas.replace(",", "|"),
        "excel": "sep=,\r\n" + commas.replace("\n", "\r\n"),
        "excel_semicolons": "sep=;\n" + commas.replace(",", ";"),
    }
    keys = [f"raw/taxi/green_{name}_2024-01.csv" for name in contents]
    for key, content in zip(keys, contents.values(), strict=True):
        lake.storage.put(key, content.encode())

    results = lake.load(*keys).files

    assert [(file.read, file.written) for file in results] == [(2, 2)] * len(keys)


@pytest.mark.parametrize("before", ["", "sep=,\n"], ids=["", "behind a line with the delimiter"])
def test_an_index_column_without_a_name_is_kept(lake, before):
    lake.storage.put(A, csv("0," + GOOD, "1," + GOOD, header=f"{before},{HEADER}"))

    [result] = lake.load(A).files

    assert result.written == 2
    assert lake.query("SELECT extra_columns FROM {green} ORDER BY extra_columns['column_1']") == [
        ({"column_1": "0"},),
        ({"column_1": "1"},),
    ]


def test_trailing_commas_in_the_header_and_the_rows_name_no_columns(lake):
    lake.storage.put(A, csv(GOOD + ",,", GOOD + ",,", header=HEADER + ",,"))

    [result] = lake.load(A).files

    assert (result.written, result.new_columns) == (2, ())


def test_unknown_columns_are_kept_and_reported_once(lake):
    lake.storage.put(A, csv(GOOD + ",app", header=HEADER + ",request_source"))

    first = lake.load(A)
    again = lake.load(A)

    assert first.files[0].new_columns == ("request_source",)
    assert "tip_amount" in first.files[0].missing_columns
    assert lake.query("SELECT extra_columns['request_source'] FROM {green}") == [("app",)]
    lake.storage.put(B, csv(GOOD + ",1", header=HEADER + ",another"))
    assert (first.schema_changed, again.schema_changed, lake.load(B).schema_changed) == (True, False, True)


def test_only_parquet_files_in_the_folder_of_their_dataset_need_a_crawl(lake):
    trips = {
        "lpep_pickup_datetime": pa.array(["2024-01-05 10:00:00"]),
        "lpep_dropoff_datetime": pa.array(["2024-01-05 10:20:00"]),
        "trip_distance": pa.array([1.5]),
    }
    flat, first, second, wider = (
        f"raw/taxi/{name}.parquet"
        for name in ("january", "green_parquet/january", "green_parquet/february", "green_parquet/march")
    )
    for key in (flat, first, second):
        lake.storage.put(key, parquet(trips))
    lake.storage.put(wider, parquet({**trips, "app": pa.array(["x"])}))

    needed = {key: lake.load(key).crawl_needed for key in (flat, first, second, wider)}

    assert needed == {flat: False, first: True, second: False, wider: True}


def test_a_missing_column_is_added_to_the_table(lake):
    lake.storage.put(A, csv(GOOD))
    lake.load(A)
    lake.spark.sql(f"ALTER TABLE lake.{lake.database}.green_trips DROP COLUMN cbd_congestion_fee")
    lake.storage.put(B, csv(GOOD + ",0.75", header=HEADER + ",cbd_congestion_fee"))

    lake.load(B)

    assert lake.query("SELECT cbd_congestion_fee FROM {green} ORDER BY 1 NULLS FIRST") == [(None,), (0.75,)]


@pytest.mark.parametrize(
    "name",
    ["green [1] {a,b}*?_2024-01.csv", "grün é 100%25+x#y_2024-01.csv", "a b.csv.2024-01.csv"],
)
def test_special_characters_in_keys_are_not_patterns(lake, name):
    key = f"raw/taxi/year=2024/{name}"
    lake.storage.put(key, csv(GOOD))
    lake.storage.put(A, csv(GOOD, GOOD))

    files = lake.load(key, A).files

    assert [(file.status, file.failure) for file in files] == [(FileStatus.LOADED, None)] * 2
    assert (lake.count("green", key), lake.count("green", A)) == (1, 2)


def test_files_that_spark_reads_twice_are_loaded_once(lake, monkeypatch):
    # Without its own plan, such a key makes Spark read the other file of the batch once more.
    monkeypatch.setattr("glue_scripts.spark_engine.must_be_read_alone", lambda file: False)
    key = "raw/taxi/{b}.csv"
    lake.storage.put(key, csv(GOOD))
    lake.storage.put(A, csv(GOOD, GOOD))

    files = lake.load(key, A).files

    assert [(file.status, file.read, file.written) for file in files] == [
        (FileStatus.LOADED, 1, 1),
        (FileStatus.LOADED, 2, 2),
    ]


@pytest.mark.parametrize("key", ["raw/taxi//b.csv", "raw/taxi/./b.csv", "raw/taxi/x/../b.csv"])
def test_keys_that_spark_would_normalize_to_another_object_are_rejected(lake, key):
    assert spark_path(lake.spark, f"s3://lake/{key}") == "s3://lake/raw/taxi/b.csv"
    assert [str(reason.code) for reason in check_key(key)] == ["wrong_prefix"]


def test_a_name_that_spark_treats_as_hidden_fails_the_file(lake):
    hidden = "raw/taxi/_green_2024-01.csv"
    lake.storage.put(hidden, csv(GOOD))
    lake.storage.put(A, csv(GOOD))

    result = lake.load(hidden, A)

    assert [file.status for file in result.files] == [FileStatus.FAILED, FileStatus.LOADED]
    assert "begins with a dot or underscore" in result.files[0].failure.message


def test_utf16_byte_order_marks_and_gzip_members_are_read(lake):
    utf16, marked = "raw/taxi/green_tripdata_2024-03.csv", "raw/taxi/green_tripdata_2024-04.csv"
    members = "raw/taxi/green_tripdata_2024-05.csv.gz"
    lake.storage.put(utf16, csv(GOOD, GOOD).decode().encode("utf-16"))
    lake.storage.put(marked, b"\xef\xbb\xbf" + csv(GOOD))
    lake.storage.put(members, gzip.compress(csv(GOOD)) + gzip.compress(f"{GOOD}\n{GOOD}\n".encode()))

    result = lake.load(utf16, marked, members)

    assert [(file.status, file.written) for file in result.files] == [
        (FileStatus.LOADED, 2),
        (FileStatus.LOADED, 1),
        (FileStatus.LOADED, 3),
    ]
    assert lake.query("SELECT DISTINCT vendor_id FROM {green}") == [(2,)]


def test_parquet_columns_of_nulls_and_mixed_widths_load(lake):
    one, two = "raw/taxi/yellow_tripdata_2024-01.parquet", "raw/taxi/yellow_tripdata_2024-02.parquet"
    nulls = {"airport_fee": pa.nulls(3), "passenger_count": pa.array([1.0, None, 2.5])}
    lake.storage.put(one, parquet(yellow_columns(3) | nulls))
    narrow = {"VendorID": pa.array([1] * 3, pa.int32()), "trip_distance": pa.array([0.5] * 3, pa.float32())}
    lake.storage.put(two, parquet(yellow_columns(3) | nulls | narrow))

    result = lake.load(one, two)

    assert [(file.written, file.quarantined, file.reasons) for file in result.files] == [
        (2, 1, {"unparseable": 1}),
        (2, 1, {"unparseable": 1}),
    ]
    assert len({file.variant for file in result.files}) == 1, "one plan reads both"
    assert lake.query("SELECT DISTINCT vendor_id, airport_fee FROM {yellow} ORDER BY 1") == [
        (1, None),
        (2, None),
    ]
    quarantined = lake.query("SELECT position, row_as_read FROM {quarantine}")
    assert [position for position, _ in quarantined] == [2, 2]
    assert quarantined[0][1]["passenger_count"] == "2.5"


def test_an_empty_batch_and_an_empty_file_load(lake):
    assert lake.load().counts()["files"] == 0
    lake.storage.put(A, csv())
    [result] = lake.load(A).files
    assert (result.status, result.read, result.written) == (FileStatus.LOADED, 0, 0)


def test_an_empty_table_saved_by_pandas_loads(lake):
    key = "raw/taxi/yellow_tripdata_2024-01.parquet"
    lake.storage.put(key, parquet({name: pa.nulls(0) for name in yellow_columns(0)}))
    [result] = lake.load(key).files
    assert (result.status, result.read, result.written) == (FileStatus.LOADED, 0, 0)


def test_a_file_is_read_once_though_some_of_its_rows_go_to_quarantine(lake):
    key = "raw/taxi/yellow_tripdata_2024-01.parquet"
    backwards = pa.array([datetime(2024, 1, 5, 9)] * 2 + [datetime(2024, 1, 5, 11)] * 498, pa.timestamp("us"))
    lake.storage.put(key, parquet(yellow_columns(500) | {"tpep_dropoff_datetime": backwards}))
    before = newest_job(lake.spark)

    [file] = lake.load(key).files

    assert (file.written, file.quarantined) == (498, 2)
    # All rows from the input, and the two quarantined ones twice: from the side output, and their reasons
    # from quarantine. With one data file in the table, the same trips are not looked for in other files.
    assert records_read(lake.spark, before) == 500 + 2 * 2


def test_a_file_fails_if_its_quarantined_rows_do_not_all_arrive_in_quarantine(lake, monkeypatch):
    lake.storage.put(A, csv(GOOD, GOOD, GOOD, BAD, BAD))
    lake.storage.put(B, csv(GOOD, GOOD, BAD))
    loses_one = "row_number() OVER (PARTITION BY source_id ORDER BY position) = 1"
    monkeypatch.setattr(
        quarantine_writer,
        "unpack_quarantined",
        lambda *arguments: (
            unpack_quarantined(*arguments).selectExpr("*", f"{loses_one} AS kept").where("kept")
        ),
    )

    lost, whole = lake.load(A, B).files

    assert (lost.failure.code, whole.failure) == ("rows_lost", None)
    assert "2 rows failed validation, but 1 are in quarantine" in lost.failure.message
    assert (lake.count("green", A), lake.count("green", B)) == (0, 2)
    assert lake.query("SELECT count(*) FROM {quarantine}") == [(1,)]


def test_a_file_fails_if_none_of_its_quarantined_rows_arrives_in_quarantine(lake, monkeypatch):
    lake.storage.put(A, csv(GOOD, GOOD, BAD))
    monkeypatch.setattr(
        quarantine_writer,
        "unpack_quarantined",
        lambda *arguments: unpack_quarantined(*arguments).where("false"),
    )

    [lost] = lake.load(A).files

    assert lost.failure.message == "1 rows failed validation, but 0 are in quarantine"
    assert lake.count("green", A) == 0


def test_the_reasons_of_files_in_one_batch_are_counted_apart(lake):
    unread = "2,2024-01-05 10:00:00,2024-01-05 10:20:00,x,74,18.4"
    both = "2,2024-01-05 10:20:00,2024-01-05 10:00:00,x,74,18.4"
    lake.storage.put(A, csv(GOOD, GOOD, GOOD, BAD, both))
    lake.storage.put(B, csv(GOOD, GOOD, unread))

    first, second = lake.load(A, B).files

    assert first.reasons == {"unparseable": 1, "negative_duration": 2}
    assert second.reasons == {"unparseable": 1}


def test_no_data_files_of_the_side_output_remain(lake):
    lake.storage.put(A, csv(GOOD, GOOD, BAD))
    lake.storage.put(B, csv(GOOD, BAD))

    lake.load(A, B)

    listed = {path for (path,) in lake.query("SELECT file_path FROM {green}.files")}
    folder = next(iter(listed)).partition("/data/")[0].removeprefix("file:")
    found = {f"{path}" for path in Path(folder, "data").rglob("*.parquet")}
    assert found == {path.removeprefix("file:") for path in listed}
    assert len(found) == 2, "one for each file, none of the side output"


def test_a_quarantined_row_keeps_every_character_of_its_names_and_values(lake):
    key = "raw/taxi/yellow_tripdata_2024-01.parquet"
    hostile = {
        "a=b c\n'\"": "=",
        "newline": "one\ntwo\r\n",
        "blanks": "  x = y  ",
        "other": 'ü€🚕\\,"\x00\x1f',
    }
    texts = {name: pa.array([value]) for name, value in hostile.items()}
    backwards = {"tpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, 9, 0, 0, 7)], pa.timestamp("us"))}
    lake.storage.put(key, parquet(yellow_columns(1) | backwards | texts))

    lake.load(key, arguments=["--max-quarantine-share", "1"])

    [(read, reasons, position)] = lake.query("SELECT row_as_read, reasons, position FROM {quarantine}")
    assert read == {
        "VendorID": "2",
        "tpep_pickup_datetime": "2024-01-05 10:00:00",
        "tpep_dropoff_datetime": "2024-01-05 09:00:00.000007",
        "trip_distance": "0.0",
        **hostile,
    }
    assert (reasons, position) == (["negative_duration"], 0)


@pytest.mark.parametrize("typed", [True, False])
def test_a_quarantined_row_without_values_is_kept(lake, typed):
    key = "raw/taxi/yellow_tripdata_2024-01.parquet"
    columns = yellow_columns(1).items()
    nothing = {name: pa.nulls(1, values.type if typed else pa.null()) for name, values in columns}
    lake.storage.put(key, parquet(nothing))

    [result] = lake.load(key, arguments=["--max-quarantine-share", "1"]).files

    assert (result.failure, result.quarantined) == (None, 1)
    assert lake.query("SELECT row_as_read, reasons, position FROM {quarantine}") == [
        ({}, ["missing_datetime"], 0)
    ]


def newest_job(spark) -> int:
    """The ID of the newest Spark job; -1 before the first one."""
    jobs = spark.sparkContext._jsc.sc().statusStore().jobsList(None).iterator()
    newest = -1
    while jobs.hasNext():
        newest = max(newest, jobs.next().jobId())
    return newest


def records_read(spark, after_job: int) -> int:
    """The records that Spark jobs after this one have read from files."""
    store = spark.sparkContext._jsc.sc().statusStore()
    jobs, stages = store.jobsList(None).iterator(), set()
    while jobs.hasNext():
        job = jobs.next()
        if job.jobId() > after_job:
            of_job = job.stageIds().iterator()
            while of_job.hasNext():
                stages.add(of_job.next())
    return sum(int(store.lastStageAttempt(stage).inputRecords()) for stage in stages)
