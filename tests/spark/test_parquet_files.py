"""Tests of Parquet files as other tools write them, and of what damaged ones cost their batch."""

import io
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from glue_scripts.iceberg import LakeTable
from taxi_etl.file_status import FileStatus

ROWS = 300


def table(**more: pa.Array) -> pa.Table:
    """300 yellow trips."""
    return pa.table(
        {
            "VendorID": pa.array([2] * ROWS, pa.int64()),
            "tpep_pickup_datetime": pa.array([datetime(2024, 1, 5, 10)] * ROWS, pa.timestamp("us")),
            "tpep_dropoff_datetime": pa.array([datetime(2024, 1, 5, 11)] * ROWS, pa.timestamp("us")),
            "trip_distance": pa.array([row / 10 for row in range(ROWS)]),
            **more,
        }
    )


def parquet(content: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(content, buffer, **options)
    return buffer.getvalue()


def zero_a_page(content: bytes) -> bytes:
    """The same file with 200 zero bytes in the page of its distances."""
    place = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(3).data_page_offset + 100
    return content[:place] + bytes(200) + content[place + 200 :]


def key(number: int) -> str:
    return f"raw/taxi/yellow_tripdata_2024-01_{number}.parquet"


def test_an_encoding_that_the_vectorized_decoder_cannot_read_loads(lake):
    split = {"trip_distance": "BYTE_STREAM_SPLIT", "VendorID": "BYTE_STREAM_SPLIT"}
    usual = {name: "PLAIN" for name in table().column_names if name not in split}
    lake.storage.put(key(1), parquet(table(), use_dictionary=False, column_encoding=split | usual))
    lake.storage.put(key(2), parquet(table()))

    result = lake.load(key(1), key(2))

    assert [(file.status, file.written) for file in result.files] == [(FileStatus.LOADED, ROWS)] * 2
    sums = lake.query("SELECT source_id, sum(trip_distance), min(vendor_id) FROM {yellow} GROUP BY source_id")
    assert [(round(total, 6), vendor) for _, total, vendor in sums] == [(4485.0, 2)] * 2
    assert lake.spark.conf.get("spark.sql.parquet.enableVectorizedReader") == "true"


def test_columns_that_cannot_be_kept_are_named_in_the_result(lake):
    lake.storage.put(key(1), parquet(table(path=pa.array([[1, 2]] * ROWS), note=pa.array(["x"] * ROWS))))
    [result] = lake.load(key(1)).files
    assert (result.status, result.written) == (FileStatus.LOADED, ROWS)
    assert result.columns_left_out == (("path", "list<element: int64>"),)
    assert result.new_columns == ("path", "note")
    assert lake.query("SELECT DISTINCT to_json(extra_columns) FROM {yellow}") == [('{"note":"x"}',)]


def test_names_that_differ_in_case_feed_one_column(lake):
    early, late = [1.25] * 100 + [None] * 200, [None] * 100 + [1.75] * 150 + [None] * 50
    lake.storage.put(key(1), parquet(table(airport_fee=pa.array(early), Airport_fee=pa.array(late))))
    [result] = lake.load(key(1)).files
    assert (result.status, result.written) == (FileStatus.LOADED, ROWS)
    assert lake.query("SELECT airport_fee, count(*) FROM {yellow} GROUP BY 1 ORDER BY 1") == [
        (None, 50),
        (1.25, 100),
        (1.75, 150),
    ]


def test_damaged_files_do_not_cost_another_scan_of_their_batch(lake, monkeypatch):
    scans = []
    stage = LakeTable.stage

    def counted(self, rows):
        scans.append(self.name)
        return stage(self, rows)

    monkeypatch.setattr(LakeTable, "stage", counted)
    sound = parquet(table(), use_dictionary=False, compression="none")
    packed = parquet(table(), use_dictionary=False)
    damaged = {
        2: zero_a_page(packed),
        4: zero_a_page(parquet(table(), use_dictionary=False, compression="none", write_page_checksum=True)),
        6: zero_a_page(parquet(table(), use_dictionary=False, compression="gzip")),
    }
    for number in range(8):
        lake.storage.put(key(number), damaged.get(number, sound))

    result = lake.load(*map(key, range(8)))

    found = dict(enumerate(result.files))
    assert {number: file.status for number, file in found.items()} == {
        number: FileStatus.FAILED if number in damaged else FileStatus.LOADED for number in range(8)
    }
    assert {found[number].failure.code for number in damaged} == {"unreadable"}
    assert all(found[number].written == ROWS for number in found if number not in damaged)
    assert lake.count("yellow") == 5 * ROWS
    assert scans == ["yellow_trips"]


def test_a_damaged_row_group_loads_none_of_its_files_rows(lake):
    content = parquet(table(), use_dictionary=False, row_group_size=100)
    place = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(2).column(3).data_page_offset + 30
    lake.storage.put(key(1), content[:place] + bytes(100) + content[place + 100 :])
    lake.storage.put(key(2), content)

    result = lake.load(key(1), key(2))

    assert [file.status for file in result.files] == [FileStatus.FAILED, FileStatus.LOADED]
    assert (lake.count("yellow", key(1)), lake.count("yellow", key(2))) == (0, ROWS)
