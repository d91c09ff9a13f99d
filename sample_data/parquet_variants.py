"""The Parquet layouts of TLC files, by period: columns in order, with their Arrow types.

Source: footers of published files, and public surveys of the footers of all others. Type `null` is Arrow's
null type: the column has no value in any row. `months` lists the months that differ within a period.
"""

from collections.abc import Iterable

from sample_data.column_contents import columns_from_types
from sample_data.variants import Month, Variant

_YELLOW_MONEY = (
    "fare_amount double, extra double, mta_tax double, tip_amount double, tolls_amount double, "
    "improvement_surcharge double, total_amount double"
)
_YELLOW_2010 = (
    "vendor_id string, pickup_datetime string, dropoff_datetime string, passenger_count int64, "
    "trip_distance double, pickup_longitude double, pickup_latitude double, rate_code string, "
    "store_and_fwd_flag string, dropoff_longitude double, dropoff_latitude double, payment_type string, "
    "fare_amount double, surcharge double, mta_tax double, tip_amount double, tolls_amount double, "
    "total_amount double"
)


def _yellow(ids: str, counts: str, text: str, congestion: str, airport: str) -> str:
    """Return yellow's columns since 2011.

    The arguments are the types of vendor and zones, of counts and rate, of text, and of the surcharges.
    """
    vendor, zones = ids.split()
    return (
        f"VendorID {vendor}, tpep_pickup_datetime timestamp[us], tpep_dropoff_datetime timestamp[us], "
        f"passenger_count {counts}, trip_distance double, RatecodeID {counts}, store_and_fwd_flag {text}, "
        f"PULocationID {zones}, DOLocationID {zones}, payment_type int64, {_YELLOW_MONEY}, "
        f"congestion_surcharge {congestion}, {airport}"
    )


def _green(ids: str, counts: str, text: str, ehail: str, congestion: str = "double") -> str:
    """Return green's 20 columns.

    The arguments are the types of vendor and zones, of counts and codes, of text, and of the surcharges.
    """
    vendor, zones = ids.split()
    return (
        f"VendorID {vendor}, lpep_pickup_datetime timestamp[us], lpep_dropoff_datetime timestamp[us], "
        f"store_and_fwd_flag {text}, RatecodeID {counts}, PULocationID {zones}, DOLocationID {zones}, "
        f"passenger_count {counts}, trip_distance double, fare_amount double, extra double, mta_tax double, "
        f"tip_amount double, tolls_amount double, ehail_fee {ehail}, improvement_surcharge double, "
        f"total_amount double, payment_type {counts}, trip_type {counts}, congestion_surcharge {congestion}"
    )


def _fhv(text: str, zones: str, shared: str) -> str:
    return (
        f"dispatching_base_num {text}, pickup_datetime timestamp[us], dropOff_datetime timestamp[us], "
        f"PUlocationID {zones}, DOlocationID {zones}, SR_Flag {shared}, Affiliated_base_number {text}"
    )


def _fhvhv(text: str, zones: str) -> str:
    return (
        f"hvfhs_license_num {text}, dispatching_base_num {text}, originating_base_num {text}, "
        "request_datetime timestamp[us], on_scene_datetime timestamp[us], pickup_datetime timestamp[us], "
        f"dropoff_datetime timestamp[us], PULocationID {zones}, DOLocationID {zones}, trip_miles double, "
        "trip_time int64, base_passenger_fare double, tolls double, bcf double, sales_tax double, "
        "congestion_surcharge double, airport_fee double, tips double, driver_pay double, "
        f"shared_request_flag {text}, shared_match_flag {text}, access_a_ride_flag {text}, "
        f"wav_request_flag {text}, wav_match_flag {text}"
    )


def _parquet(
    variant: str,
    dataset: str,
    period: str,
    schema: str,
    codec: str = "ZSTD",
    *,
    contents: dict[str, str] | None = None,
    nulls: dict[str, float] | None = None,
    months: dict[str, dict[str, str]] | None = None,
    parquet_version: str = "2.6",
    official: bool = True,
) -> Variant:
    first, last = (Month.parse(month) for month in period.split(".."))
    return Variant(
        id=variant,
        dataset=dataset,
        format="parquet",
        first=first,
        last=last,
        columns=columns_from_types(schema, contents or {}),
        nulls=nulls or {},
        months={Month.parse(month): types for month, types in (months or {}).items()},
        codec=codec,
        parquet_version=parquet_version,
        official=official,
    )


def _each(months: Iterable[str], **types: str) -> dict[str, dict[str, str]]:
    return {month: dict(types) for month in months}


_WORDS_2010 = {"vendor_id": "vendor_code", "payment_type": "payment_code", "rate_code": "rate"}
_OLD = "SNAPPY"
_FEW = {"block": 0.05}
_MANY = {"block": 0.3}
_CBD = ", cbd_congestion_fee double"

_YELLOW = (
    _parquet(
        "P-Y2009",
        "yellow",
        "2009-01..2009-12",
        "vendor_name string, Trip_Pickup_DateTime string, Trip_Dropoff_DateTime string, "
        "Passenger_Count int64, Trip_Distance double, Start_Lon double, Start_Lat double, Rate_Code double, "
        "store_and_forward double, End_Lon double, End_Lat double, Payment_Type string, Fare_Amt double, "
        "surcharge double, mta_tax double, Tip_Amt double, Tolls_Amt double, Total_Amt double",
        _OLD,
        contents={
            "Rate_Code": "nothing",
            "store_and_forward": "flag_digit",
            "Payment_Type": "payment_word",
            "mta_tax": "nothing",
        },
    ),
    _parquet(
        "P-Y2010",
        "yellow",
        "2010-01..2010-12",
        _YELLOW_2010,
        _OLD,
        contents={**_WORDS_2010, "store_and_fwd_flag": "flag_digit"},
        months=_each(("2010-02", "2010-03"), rate_code="int64", __index_level_0__="int64"),
    ),
    _parquet(
        "P-Y2011",
        "yellow",
        "2011-01..2018-06",
        _yellow("int64 int64", "int64", "string", "null", "airport_fee null"),
        _OLD,
        months={
            **_each(("2011-03", "2012-12", "2013-05", "2014-01", "2018-06"), congestion_surcharge="double"),
            **_each(("2011-01", "2018-01"), congestion_surcharge="double", airport_fee="double"),
            "2014-08": {"improvement_surcharge": "null"},
        },
    ),
    _parquet(
        "P-Y2018",
        "yellow",
        "2018-07..2018-12",
        _yellow("int64 int64", "double", "string", "null", "airport_fee null"),
        _OLD,
        months=_each(("2018-09", "2018-11"), congestion_surcharge="double"),
    ),
    _parquet(
        "P-Y2019",
        "yellow",
        "2019-01..2020-10",
        _yellow("int64 int64", "double", "string", "double", "airport_fee null"),
        _OLD,
        nulls=_FEW,
        months=_each(("2020-08", "2020-09"), airport_fee="double"),
    ),
    _parquet(
        "P-Y1",
        "yellow",
        "2020-11..2023-01",
        _yellow("int64 int64", "double", "string", "double", "airport_fee double"),
        _OLD,
        nulls=_FEW,
        parquet_version="1.0",
    ),
    _parquet(
        "P-Y2",
        "yellow",
        "2023-02..2024-12",
        _yellow("int32 int32", "int64", "large_string", "double", "Airport_fee double"),
        nulls=_FEW,
    ),
    _parquet(
        "P-Y3",
        "yellow",
        "2025-01..2026-05",
        _yellow("int32 int32", "int64", "large_string", "double", "Airport_fee double") + _CBD,
        nulls=_FEW,
    ),
    # Re-saved with pandas: counts became doubles.
    _parquet(
        "P-Y3x",
        "yellow",
        "2025-02..2025-02",
        _yellow("int32 int32", "double", "string", "double", "Airport_fee double") + _CBD,
        _OLD,
        nulls=_FEW,
        official=False,
    ),
)

_GREEN = (
    # The surveys show congestion_surcharge as null in 2014; it stays null here until it existed, in 2019.
    _parquet(
        "P-G2014",
        "green",
        "2014-01..2018-12",
        _green("int64 int64", "double", "string", "null", "null"),
        "GZIP",
    ),
    _parquet(
        "P-G2019",
        "green",
        "2019-01..2019-08",
        _green("int64 int64", "double", "string", "double"),
        "GZIP",
        nulls=_MANY,
    ),
    _parquet(
        "P-G1",
        "green",
        "2019-09..2023-01",
        _green("int64 int64", "double", "string", "null"),
        "GZIP",
        nulls=_MANY,
    ),
    _parquet(
        "P-G2",
        "green",
        "2023-02..2024-12",
        _green("int32 int32", "int64", "large_string", "double"),
        nulls=_FEW,
    ),
    _parquet(
        "P-G3",
        "green",
        "2025-01..2026-05",
        _green("int32 int32", "int64", "large_string", "double") + _CBD,
        nulls=_FEW,
    ),
    # Re-saved with pandas: counts and codes became doubles.
    _parquet(
        "P-G3x",
        "green",
        "2025-11..2025-11",
        _green("int32 int32", "double", "large_string", "double") + _CBD,
        _OLD,
        nulls=_FEW,
        official=False,
    ),
    # Made from the CSV: timestamps stayed strings.
    _parquet(
        "P-G0",
        "green",
        "2020-04..2020-04",
        _green("double int64", "double", "large_string", "double").replace("timestamp[us]", "large_string"),
        _OLD,
        nulls=_MANY,
        official=False,
    ),
    # A subset of columns that somebody exported.
    _parquet(
        "P-Gsub",
        "green",
        "2022-01..2022-01",
        "lpep_pickup_datetime timestamp[us], lpep_dropoff_datetime timestamp[us], trip_distance double, "
        "PULocationID int64, DOLocationID int64",
        _OLD,
        official=False,
    ),
)

_FHV = (
    _parquet(
        "P-F1",
        "fhv",
        "2015-01..2023-01",
        _fhv("string", "double", "null"),
        _OLD,
        nulls={"zones": 0.5},
        months={
            **_each(("2019-01", "2019-02"), SR_Flag="double"),
            **_each(("2019-05", "2019-06"), PUlocationID="int64", DOlocationID="int64"),
            "2020-07": {"DOlocationID": "int64"},
        },
    ),
    _parquet("P-F2", "fhv", "2023-02..2026-05", _fhv("large_string", "int64", "int64"), nulls={"zones": 0.5}),
)

_AIRPORT_NULL = ("2019-04", "2019-05", "2019-06", "2020-04", "2020-10")
_FHVHV = (
    _parquet(
        "P-H1",
        "fhvhv",
        "2019-02..2023-01",
        _fhvhv("string", "int64"),
        _OLD,
        months={
            **_each(("2019-02", "2019-03"), airport_fee="null", wav_match_flag="null"),
            **_each(_AIRPORT_NULL, airport_fee="null"),
        },
    ),
    _parquet("P-H2", "fhvhv", "2023-02..2024-12", _fhvhv("large_string", "int32")),
    _parquet("P-H3", "fhvhv", "2025-01..2026-05", _fhvhv("large_string", "int32") + _CBD),
)

PARQUET_VARIANTS = (*_YELLOW, *_GREEN, *_FHV, *_FHVHV)
