"""The CSV layouts of TLC files, by period, with the published bytes of their headers."""

from dataclasses import replace

from sample_data.column_contents import columns_from_header
from sample_data.variants import CsvStyle, Month, Variant

PLAIN = CsvStyle()
BLANK = CsvStyle(blank_line=True)
EXACT_BINARY = CsvStyle(blank_line=True, doubles="seventeen_digits", distances="seventeen_digits")
"""Before 2015 decimals were written with every digit of the double: 2.6299999999999999."""
QUOTED = CsvStyle(quote="all")

_YELLOW_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,"
    "rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,surcharge,mta_tax,"
    "tip_amount,tolls_amount,total_amount"
)
_YELLOW_2015 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,pickup_longitude,"
    "pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,"
    "extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount"
)
_YELLOW_ZONES = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount"
)
_GREEN_2015 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,"
    "Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,"
    "Tip_amount,Tolls_amount,Ehail_fee,improvement_surcharge,Total_amount,Payment_type,Trip_type "
)
_GREEN_ZONES = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,"
    "improvement_surcharge,total_amount,payment_type,trip_type"
)


def _csv(
    variant: str,
    dataset: str,
    period: str,
    header: str,
    style: CsvStyle = PLAIN,
    *,
    contents: dict[str, str] | None = None,
    nulls: dict[str, float] | None = None,
    csv_months: dict[str, CsvStyle] | None = None,
    official: bool = True,
) -> Variant:
    first, last = (Month.parse(month) for month in period.split(".."))
    return Variant(
        id=variant,
        dataset=dataset,
        format="csv",
        first=first,
        last=last,
        columns=columns_from_header(header, style.separator, contents or {}),
        nulls=nulls or {},
        csv=style,
        csv_months={Month.parse(month): other for month, other in (csv_months or {}).items()},
        official=official,
    )


_WORDS_2010 = {"vendor_id": "vendor_code", "payment_type": "payment_code"}

CSV_VARIANTS = (
    _csv(
        "Y1",
        "yellow",
        "2009-01..2009-12",
        "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,Start_Lon,Start_Lat,"
        "Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,"
        "Total_Amt",
        EXACT_BINARY,
        contents={
            "Rate_Code": "nothing",
            "store_and_forward": "nothing",
            "Payment_Type": "payment_word",
            "mta_tax": "nothing",
        },
    ),
    _csv(
        "Y2",
        "yellow",
        "2010-01..2013-12",
        _YELLOW_2010,
        EXACT_BINARY,
        contents={**_WORDS_2010, "store_and_fwd_flag": "flag_digit"},
        csv_months=dict.fromkeys(("2010-02", "2010-03"), replace(EXACT_BINARY, stray_fields=8)),
    ),
    _csv(
        "Y3",
        "yellow",
        "2014-01..2014-12",
        _YELLOW_2010.replace(",", ", "),
        replace(EXACT_BINARY, separator=", "),
        contents=_WORDS_2010,
    ),
    _csv("Y4", "yellow", "2015-01..2015-06", _YELLOW_2015),
    _csv("Y5", "yellow", "2015-07..2016-06", _YELLOW_2015.replace("RateCodeID", "RatecodeID")),
    _csv("Y6", "yellow", "2016-07..2016-12", _YELLOW_ZONES, CsvStyle(spare_fields=2)),
    _csv("Y7", "yellow", "2017-01..2018-12", _YELLOW_ZONES, BLANK),
    _csv(
        "Y8",
        "yellow",
        "2019-01..2020-06",
        f"{_YELLOW_ZONES},congestion_surcharge",
        nulls={"block": 0.005, "late": 0.02},
    ),
    _csv(
        "G1",
        "green",
        "2013-08..2014-12",
        _GREEN_2015.replace("improvement_surcharge,", ""),
        CsvStyle(blank_line=True, spare_fields=2),
        contents={"Trip_type ": "nothing"},
    ),
    _csv("G2", "green", "2015-01..2015-06", _GREEN_2015, CsvStyle(spare_fields=2)),
    _csv(
        "G3",
        "green",
        "2015-07..2016-06",
        _GREEN_2015,
        csv_months={f"2016-{month:02d}": BLANK for month in range(1, 7)},
    ),
    _csv("G4", "green", "2016-07..2016-12", _GREEN_ZONES, CsvStyle(blank_line=True, spare_fields=2)),
    _csv("G5", "green", "2017-01..2018-12", _GREEN_ZONES, BLANK),
    _csv(
        "G6",
        "green",
        "2019-01..2020-12",
        f"{_GREEN_ZONES},congestion_surcharge",
        nulls={"block": 0.2},
    ),
    _csv(
        "F1",
        "fhv",
        "2015-01..2016-12",
        "Dispatching_base_num,Pickup_date,locationID",
        nulls={"zones": 0.4},
    ),
    _csv(
        "F2",
        "fhv",
        "2017-01..2017-06",
        "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID",
        nulls={"zones": 0.4, "dropoff": 0.5},
    ),
    _csv(
        "F3",
        "fhv",
        "2017-07..2017-12",
        "Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag",
        QUOTED,
        nulls={"zones": 0.1},
    ),
    _csv(
        "F4",
        "fhv",
        "2018-01..2018-12",
        "Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Dispatching_base_number,"
        "Dispatching_base_num",
        QUOTED,
        contents={"Dispatching_base_num": "nothing"},
        nulls={"zones": 0.1},
    ),
    _csv(
        "F5",
        "fhv",
        "2019-01..2020-06",
        "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag",
        nulls={"zones": 0.4},
    ),
    _csv(
        "H1",
        "fhvhv",
        "2019-02..2020-05",
        "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag",
    ),
    # The rows of the Parquet file of 2020-04 as people export them: access_a_ride_flag is one space.
    _csv(
        "H2",
        "fhvhv",
        "2020-06..2020-06",
        "hvfhs_license_num,dispatching_base_num,originating_base_num,request_datetime,on_scene_datetime,"
        "pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,trip_miles,trip_time,base_passenger_fare,tolls,"
        "bcf,sales_tax,congestion_surcharge,airport_fee,tips,driver_pay,shared_request_flag,shared_match_flag,"
        "access_a_ride_flag,wav_request_flag,wav_match_flag",
        CsvStyle(quote="strings", line_end="\n", distances="plain", times="microseconds"),
        contents={"airport_fee": "nothing", "access_a_ride_flag": "space"},
    ),
    # Not published by the TLC: layouts that others publish under their own names.
    _csv(
        "X1",
        "yellow",
        "2018-01..2020-12",
        "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code_id,store_and_fwd_flag,"
        "pickup_location_id,dropoff_location_id,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
        "improvement_surcharge,total_amount,congestion_surcharge",
        CsvStyle(doubles="python", distances="python"),
        nulls={"late": 0.3},
        official=False,
    ),
    _csv(
        "X2",
        "yellow",
        "2022-01..2022-12",
        "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,rate_code,store_and_fwd_flag,"
        "payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,imp_surcharge,airport_fee,total_amount,"
        "pickup_location_id,dropoff_location_id,data_file_year,data_file_month",
        CsvStyle(line_end="\n", doubles="numeric", distances="numeric", times="utc"),
        nulls={"block": 0.03},
        official=False,
    ),
)
