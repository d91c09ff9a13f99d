"""Tests that sample files have the headers, bytes and types of published files."""

import gzip
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sample_data import VARIANTS, generate

YELLOW_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,"
    "rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,surcharge,mta_tax,"
    "tip_amount,tolls_amount,total_amount"
)
YELLOW_2017 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount"
)
GREEN_2015 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,"
    "Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,"
    "Tip_amount,Tolls_amount,Ehail_fee,improvement_surcharge,Total_amount,Payment_type,Trip_type "
)
GREEN_2017 = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,"
    "improvement_surcharge,total_amount,payment_type,trip_type"
)
FIRST_BYTES = {
    "Y1": "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,"
    "Start_Lon,Start_Lat,"
    "Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,"
    "Total_Amt\n\r\n",
    "Y2": f"{YELLOW_2010}\n\r\n",
    "Y3": "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, pickup_longitude, "
    "pickup_latitude, rate_code, store_and_fwd_flag, dropoff_longitude, dropoff_latitude, payment_type, "
    "fare_amount, surcharge, mta_tax, tip_amount, tolls_amount, total_amount\n\r\n",
    "Y4": "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    "pickup_longitude,"
    "pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,"
    "extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount\r\n",
    "Y5": "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    "pickup_longitude,"
    "pickup_latitude,RatecodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,"
    "extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount\r\n",
    "Y6": f"{YELLOW_2017}\r\n",
    "Y7": f"{YELLOW_2017}\n\r\n",
    "Y8": f"{YELLOW_2017},congestion_surcharge\r\n",
    "G1": "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,"
    "Pickup_longitude,"
    "Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,"
    "Tip_amount,Tolls_amount,Ehail_fee,Total_amount,Payment_type,Trip_type \n\r\n",
    "G2": f"{GREEN_2015}\r\n",
    "G3": f"{GREEN_2015}\r\n",
    "G4": f"{GREEN_2017}\n\r\n",
    "G5": f"{GREEN_2017}\n\r\n",
    "G6": f"{GREEN_2017},congestion_surcharge\r\n",
    "F1": "Dispatching_base_num,Pickup_date,locationID\r\n",
    "F2": "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID\r\n",
    "F3": '"Dispatching_base_num","Pickup_DateTime","DropOff_datetime","PUlocationID",'
    '"DOlocationID","SR_Flag"\r\n',
    "F4": '"Pickup_DateTime","DropOff_datetime","PUlocationID","DOlocationID","SR_Flag",'
    '"Dispatching_base_number","Dispatching_base_num"\r\n',
    "F5": "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag\r\n",
    "H1": "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,"
    "SR_Flag\r\n",
    "H2": '"hvfhs_license_num","dispatching_base_num","originating_base_num","request_datetime",'
    '"on_scene_datetime","pickup_datetime","dropoff_datetime","PULocationID","DOLocationID","trip_miles",'
    '"trip_time","base_passenger_fare","tolls","bcf","sales_tax","congestion_surcharge","airport_fee","tips",'
    '"driver_pay","shared_request_flag","shared_match_flag","access_a_ride_flag","wav_request_flag",'
    '"wav_match_flag"\n',
    "X1": "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code_id,"
    "store_and_fwd_flag,pickup_location_id,dropoff_location_id,payment_type,fare_amount,extra,mta_tax,tip_amount,"
    "tolls_amount,improvement_surcharge,total_amount,congestion_surcharge\r\n",
    "X2": "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code,"
    "store_and_fwd_flag,"
    "payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,imp_surcharge,airport_fee,total_amount,"
    "pickup_location_id,dropoff_location_id,data_file_year,data_file_month\n",
}
FIELDS = {
    **{"Y1": 18, "Y2": 18, "Y3": 18, "Y4": 19, "Y5": 19, "Y6": 19, "Y7": 17, "Y8": 18},
    **{"G1": 22, "G2": 23, "G3": 21, "G4": 21, "G5": 19, "G6": 20},
    **{"F1": 3, "F2": 5, "F3": 6, "F4": 7, "F5": 6, "H1": 7, "H2": 24, "X1": 18, "X2": 20},
}
"""Number of fields of a data row; Y6, G1, G2 and G4 have two more than their header."""


def test_every_csv_layout_has_an_expected_header():
    assert {name for name, variant in VARIANTS.items() if variant.format == "csv"} == set(FIRST_BYTES)


@pytest.mark.parametrize("variant", FIRST_BYTES)
def test_a_csv_file_has_the_published_header_and_field_count(variant, tmp_path):
    sample = generate(tmp_path, variant=variant, rows=40, format="csv")
    content = sample.path.read_bytes()
    head = FIRST_BYTES[variant].encode()
    assert content[: len(head)] == head
    end = b"\n" if variant in ("H2", "X2") else b"\r\n"
    lines = content[len(head) :].split(end)
    assert lines.pop() == b""
    assert [line.count(b",") + 1 for line in lines] == [FIELDS[variant]] * 40


def test_green_files_of_2016_have_an_empty_second_line(tmp_path):
    of_2015 = generate(tmp_path / "a.csv", variant="G3", month="2015-12", rows=1)
    of_2016 = generate(tmp_path / "b.csv", variant="G3", month="2016-01", rows=1)
    assert b"Trip_type \r\n2" in of_2015.path.read_bytes() or b"Trip_type \r\n1" in of_2015.path.read_bytes()
    assert b"Trip_type \n\r\n" in of_2016.path.read_bytes()


def test_yellow_files_of_february_2010_have_some_rows_with_extra_fields(tmp_path):
    sample = generate(tmp_path, dataset="yellow", month="2010-02", rows=1500, format="csv")
    lines = sample.path.read_bytes().split(b"\r\n")[1:-1]
    assert sorted({line.count(b",") + 1 for line in lines}) == [18, 26]
    assert sum(line.count(b",") == 25 for line in lines) == 3


@pytest.mark.parametrize(
    ("variant", "pattern"),
    [
        ("Y1", rb",-?\d+\.\d{13,},"),  # all digits of the double
        ("Y4", rb",\.\d\d,-73"),  # no zero before the point
        ("F3", rb'^"B\d+","2017-07-'),
        ("H2", rb'^"HV000[35]","B\d+","B\d+",2020-06-\d\d \d\d:\d\d:\d\d\.000000,'),
        ("H2", rb'," ","N","N"$'),
        ("X1", rb",0\.0,"),
        ("X2", rb"\+00:00,.*,0E-9,"),
    ],
)
def test_values_are_written_as_published(variant, pattern, tmp_path):
    sample = generate(tmp_path, variant=variant, rows=300, format="csv")
    assert re.search(pattern, sample.path.read_bytes(), re.MULTILINE)


@pytest.mark.parametrize(
    ("encoding", "start"),
    [("utf-8", b"VendorID"), ("utf-8-bom", b"\xef\xbb\xbfVendorID"), ("utf-16", b"\xff\xfeV\x00e\x00")],
)
def test_a_csv_file_can_have_another_encoding(encoding, start, tmp_path):
    sample = generate(tmp_path, variant="Y7", rows=3, encoding=encoding)
    content = sample.path.read_bytes()
    assert content.startswith(start)
    decoded = content.decode("utf-8-sig" if encoding.startswith("utf-8") else encoding)
    assert decoded == generate(tmp_path / "plain.csv", variant="Y7", rows=3).path.read_bytes().decode()


def test_csv_formatting_can_be_overridden(tmp_path):
    sample = generate(tmp_path, variant="G5", rows=2, csv_style={"line_end": "\n", "spare_fields": 3})
    assert b"\r" not in sample.path.read_bytes()
    assert sample.path.read_bytes().splitlines()[2].endswith(b",,,")


def test_a_gzipped_file_has_the_same_content(tmp_path):
    zipped = generate(tmp_path, dataset="green", month="2020-04", rows=50, format="csv.gz")
    plain = generate(tmp_path, dataset="green", month="2020-04", rows=50, format="csv")
    assert zipped.path.name == "green_tripdata_2020-04.csv.gz"
    assert gzip.decompress(zipped.path.read_bytes()) == plain.path.read_bytes()


W, L, D, S, T, N, B = "int32", "int64", "double", "string", "timestamp[us]", "null", "large_string"
YELLOW_NAMES = f"{YELLOW_2017},congestion_surcharge".split(",")
GREEN_NAMES = f"{GREEN_2017},congestion_surcharge".split(",")
MONEY = [D] * 7
PARQUET = {
    ("P-Y2009", ""): (None, [S, S, S, L, D, D, D, D, D, D, D, S, D, D, D, D, D, D]),
    ("P-Y2010", ""): (YELLOW_2010.split(","), [S, S, S, L, D, D, D, S, S, D, D, S, *[D] * 6]),
    ("P-Y2010", "2010-02"): (
        [*YELLOW_2010.split(","), "__index_level_0__"],
        [S, S, S, L, D, D, D, L, S, D, D, S, *[D] * 6, L],
    ),
    ("P-Y2011", ""): ([*YELLOW_NAMES, "airport_fee"], [L, T, T, L, D, L, S, L, L, L, *MONEY, D, D]),
    ("P-Y2011", "2012-05"): ([*YELLOW_NAMES, "airport_fee"], [L, T, T, L, D, L, S, L, L, L, *MONEY, N, N]),
    ("P-Y2011", "2014-08"): (None, [L, T, T, L, D, L, S, L, L, L, D, D, D, D, D, N, D, N, N]),
    ("P-Y2018", ""): (None, [L, T, T, D, D, D, S, L, L, L, *MONEY, N, N]),
    ("P-Y2018", "2018-09"): (None, [L, T, T, D, D, D, S, L, L, L, *MONEY, D, N]),
    ("P-Y2019", ""): (None, [L, T, T, D, D, D, S, L, L, L, *MONEY, D, N]),
    ("P-Y2019", "2020-08"): (None, [L, T, T, D, D, D, S, L, L, L, *MONEY, D, D]),
    ("P-Y1", ""): ([*YELLOW_NAMES, "airport_fee"], [L, T, T, D, D, D, S, L, L, L, *MONEY, D, D]),
    ("P-Y2", ""): ([*YELLOW_NAMES, "Airport_fee"], [W, T, T, L, D, L, B, W, W, L, *MONEY, D, D]),
    ("P-Y3", ""): (
        [*YELLOW_NAMES, "Airport_fee", "cbd_congestion_fee"],
        [W, T, T, L, D, L, B, W, W, L, *MONEY, D, D, D],
    ),
    ("P-Y3x", ""): (None, [W, T, T, D, D, D, S, W, W, L, *MONEY, D, D, D]),
    ("P-G2014", ""): (GREEN_NAMES, [L, T, T, S, D, L, L, D, *[D] * 6, N, D, D, D, D, N]),
    ("P-G2019", ""): (GREEN_NAMES, [L, T, T, S, D, L, L, D, *[D] * 6, D, D, D, D, D, D]),
    ("P-G1", ""): (GREEN_NAMES, [L, T, T, S, D, L, L, D, *[D] * 6, N, D, D, D, D, D]),
    ("P-G2", ""): (GREEN_NAMES, [W, T, T, B, L, W, W, L, *[D] * 6, D, D, D, L, L, D]),
    ("P-G3", ""): ([*GREEN_NAMES, "cbd_congestion_fee"], [W, T, T, B, L, W, W, L, *[D] * 9, L, L, D, D]),
    ("P-G3x", ""): ([*GREEN_NAMES, "cbd_congestion_fee"], [W, T, T, B, D, W, W, D, *[D] * 9, D, D, D, D]),
    ("P-G0", ""): (GREEN_NAMES, [D, B, B, B, D, L, L, D, *[D] * 9, D, D, D]),
    ("P-Gsub", ""): (None, [T, T, D, L, L]),
    ("P-F1", ""): (
        [
            *("dispatching_base_num", "pickup_datetime", "dropOff_datetime", "PUlocationID", "DOlocationID"),
            *("SR_Flag", "Affiliated_base_number"),
        ],
        [S, T, T, D, D, N, S],
    ),
    ("P-F1", "2019-01"): (None, [S, T, T, D, D, D, S]),
    ("P-F1", "2019-05"): (None, [S, T, T, L, L, N, S]),
    ("P-F1", "2020-07"): (None, [S, T, T, D, L, N, S]),
    ("P-F2", ""): (None, [B, T, T, L, L, L, B]),
    ("P-H1", ""): (None, [S, S, S, T, T, T, T, L, L, D, L, *[D] * 5, N, D, D, S, S, S, S, N]),
    ("P-H1", "2020-04"): (None, [S, S, S, T, T, T, T, L, L, D, L, *[D] * 5, N, D, D, S, S, S, S, S]),
    ("P-H1", "2021-01"): (None, [S, S, S, T, T, T, T, L, L, D, L, *[D] * 5, D, D, D, S, S, S, S, S]),
    ("P-H2", ""): (None, [B, B, B, T, T, T, T, W, W, D, L, *[D] * 5, D, D, D, B, B, B, B, B]),
    ("P-H3", ""): (None, [B, B, B, T, T, T, T, W, W, D, L, *[D] * 5, D, D, D, B, B, B, B, B, D]),
}
CODECS = {"P-Y1": "SNAPPY", "P-Y2": "ZSTD", "P-G1": "GZIP", "P-G2": "ZSTD", "P-G3x": "SNAPPY"}


def test_every_parquet_layout_has_expected_columns():
    assert {name for name, variant in VARIANTS.items() if variant.format == "parquet"} == {
        variant for variant, _ in PARQUET
    }


@pytest.mark.parametrize(("variant", "month"), PARQUET)
def test_a_parquet_file_has_the_columns_and_types_of_its_period(variant, month, tmp_path):
    names, types = PARQUET[variant, month]
    sample = generate(tmp_path, variant=variant, month=month, rows=20, format="parquet")
    schema = pq.read_schema(sample.path)
    assert [str(field.type) for field in schema] == types
    if names:
        assert schema.names == names
    assert all(field.nullable for field in schema)


def test_a_column_of_type_null_is_stored_as_published(tmp_path):
    sample = generate(tmp_path, variant="P-G1", rows=5)
    column = pq.ParquetFile(sample.path).schema.column(14)
    # the format's definition calls the logical type of all-null columns UNKNOWN
    assert (column.name, column.physical_type, column.logical_type.type) == ("ehail_fee", "INT32", "UNKNOWN")
    assert pq.read_table(sample.path)["ehail_fee"].type == pa.null()


@pytest.mark.parametrize("variant", CODECS)
def test_a_parquet_file_has_the_codec_of_its_period(variant, tmp_path):
    sample = generate(tmp_path, variant=variant, rows=5)
    assert pq.ParquetFile(sample.path).metadata.row_group(0).column(0).compression == CODECS[variant]


@pytest.mark.parametrize(
    ("dataset", "month", "format", "variant"),
    [
        ("yellow", "2009-06", "csv", "Y1"),
        ("yellow", "2015-06", "csv", "Y4"),
        ("yellow", "2015-07", "csv", "Y5"),
        ("yellow", "2024-01", "csv", "Y8"),  # not published as CSV: the last CSV layout is used
        ("green", "2024-01", "parquet", "P-G2"),
        ("green", "2025-01", "parquet", "P-G3"),
        ("yellow", "2018-06", "parquet", "P-Y2011"),
        ("yellow", "2018-07", "parquet", "P-Y2018"),
        ("yellow", "2023-01", "parquet", "P-Y1"),
        ("yellow", "2023-02", "parquet", "P-Y2"),
        ("fhv", "2017-07", "csv", "F3"),
        ("fhvhv", "2021-01", "csv", "H2"),
        ("fhvhv", "2024-12", "parquet", "P-H2"),
    ],
)
def test_the_month_decides_the_layout(dataset, month, format, variant, tmp_path):
    sample = generate(tmp_path, dataset=dataset, month=month, rows=1, format=format)
    assert sample.variant == variant
    assert sample.path.name == f"{dataset}_tripdata_{month}.{format}"
