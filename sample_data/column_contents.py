"""The content of each column of a TLC file: one word for all spellings of the column's name.

This mapping does not use the pipeline's own column registry, because the files made here test that registry.
"""

from collections.abc import Mapping

from sample_data.variants import Column

_SPELLINGS = {
    "vendor": "vendorid vendor_id",
    "vendor_code": "vendor_name",
    "pickup": "trip_pickup_datetime pickup_datetime tpep_pickup_datetime lpep_pickup_datetime pickup_date",
    "dropoff": "trip_dropoff_datetime dropoff_datetime tpep_dropoff_datetime lpep_dropoff_datetime",
    "passengers": "passenger_count",
    "distance": "trip_distance trip_miles",
    "pickup_longitude": "start_lon pickup_longitude",
    "pickup_latitude": "start_lat pickup_latitude",
    "dropoff_longitude": "end_lon dropoff_longitude",
    "dropoff_latitude": "end_lat dropoff_latitude",
    "rate": "rate_code ratecodeid rate_code_id",
    "flag": "store_and_forward store_and_fwd_flag",
    "pickup_zone": "pulocationid pickup_location_id locationid",
    "dropoff_zone": "dolocationid dropoff_location_id",
    "payment": "payment_type",
    "fare": "fare_amt fare_amount base_passenger_fare",
    "extra": "surcharge extra",
    "mta_tax": "mta_tax",
    "tip": "tip_amt tip_amount tips",
    "tolls": "tolls_amt tolls_amount tolls",
    "improvement": "improvement_surcharge imp_surcharge",
    "congestion": "congestion_surcharge",
    "airport": "airport_fee",
    "cbd": "cbd_congestion_fee",
    "total": "total_amt total_amount",
    "nothing": "ehail_fee",
    "trip_type": "trip_type",
    "base": "dispatching_base_num dispatching_base_number affiliated_base_number originating_base_num",
    "license": "hvfhs_license_num",
    "shared_ride": "sr_flag",
    "requested": "request_datetime",
    "on_scene": "on_scene_datetime",
    "duration": "trip_time",
    "black_car_fund": "bcf",
    "sales_tax": "sales_tax",
    "driver_pay": "driver_pay",
    "no": "shared_request_flag shared_match_flag wav_request_flag wav_match_flag access_a_ride_flag",
    "file_year": "data_file_year",
    "file_month": "data_file_month",
}
_CONTENT_OF = {
    spelling: content for content, spellings in _SPELLINGS.items() for spelling in spellings.split()
}


def _column(name: str, kind: str, contents: Mapping[str, str]) -> Column:
    return Column(name, contents.get(name) or _CONTENT_OF[name.strip().lower()], kind)


def columns_from_header(header: str, separator: str, contents: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the columns of a CSV header; `contents` overrides the content of columns by published name."""
    return tuple(_column(name, "", contents) for name in header.split(separator))


def columns_from_types(schema: str, contents: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the columns of a schema written as `VendorID int64, tpep_pickup_datetime timestamp[us], …`."""
    pairs = (entry.rsplit(" ", 1) for entry in schema.split(", "))
    return tuple(_column(name, kind, contents) for name, kind in pairs)
