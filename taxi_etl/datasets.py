"""Datasets of trips: their columns, the names of these columns in files, and required columns.

Columns follow the TLC's data dictionaries in snake case. The pick-up and drop-off times have one name in all
tables (not tpep_… and lpep_…), so that queries fit each of them. Source: TLC trip record user guide and data
dictionaries; older names from the published files of 2009 to 2025.
"""

from collections.abc import Mapping

from taxi_etl.schema import Column, ColumnType, Dataset

PAYMENT_CODES: Mapping[str, int] = {
    **dict.fromkeys(("credit", "crd", "cre"), 1),
    **dict.fromkeys(("cash", "csh", "cas"), 2),
    **dict.fromkeys(("no charge", "noc", "no"), 3),
    **dict.fromkeys(("dispute", "dis"), 4),
    **dict.fromkeys(("unknown", "unk", "na"), 5),
}
"""Payment names of 2009 to 2014 and the codes that replaced them."""

VENDOR_CODES: Mapping[str, int] = {"cmt": 1, "vts": 2}
"""Vendor names of 2009 to 2014 and the codes that replaced them."""


def _text(name: str, doc: str, *aliases: str) -> Column:
    return Column(name, ColumnType.STRING, doc, aliases)


def _number(name: str, doc: str, *aliases: str) -> Column:
    return Column(name, ColumnType.INTEGER, doc, aliases)


def _amount(name: str, doc: str, *aliases: str) -> Column:
    return Column(name, ColumnType.DOUBLE, doc, aliases)


def _time(name: str, doc: str, *aliases: str) -> Column:
    return Column(name, ColumnType.TIMESTAMP, doc, aliases)


PICKUP = "pickup_datetime"
DROPOFF = "dropoff_datetime"

_VENDOR = Column(
    "vendor_id",
    ColumnType.INTEGER,
    "Provider of the record: 1 Creative Mobile, 2 Curb (VeriFone), 6 Myle, 7 Helix",
    ("VendorID", "vendor_name"),
    VENDOR_CODES,
    lenient="vendor DDS of 2009 and 2010 never got a code",
)
_PICKUP_ZONE = _number("pickup_location_id", "TLC taxi zone of the pick-up", "PULocationID")
_DROPOFF_ZONE = _number("dropoff_location_id", "TLC taxi zone of the drop-off", "DOLocationID")
_CONGESTION = _amount("congestion_surcharge", "State congestion surcharge, USD")
_CBD_FEE = _amount("cbd_congestion_fee", "MTA congestion relief zone charge since 2025, USD")
_AIRPORT_FEE = _amount("airport_fee", "Airport pick-up fee, USD")
_SHARED_RIDE = _number("sr_flag", "1 if the trip is part of a shared ride chain", "SR_Flag")


def _street_hail(*extra_aliases: str) -> tuple[Column, ...]:
    """The columns that yellow and green trips share; `extra_aliases` are other names of `extra`."""
    return (
        _number("passenger_count", "Passengers, as the driver entered them"),
        _amount("trip_distance", "Distance by the taximeter, miles"),
        _number(
            "rate_code_id",
            "Rate at the end of the trip: 1 standard, 2 JFK … 99 unknown",
            "RatecodeID",
            "rate_code",
        ),
        _text(
            "store_and_fwd_flag",
            "Y if the vehicle stored the record before sending it",
            "store_and_forward",
        ),
        _PICKUP_ZONE,
        _DROPOFF_ZONE,
        _amount("pickup_longitude", "Degrees, until 2016", "Start_Lon"),
        _amount("pickup_latitude", "Degrees, until 2016", "Start_Lat"),
        _amount("dropoff_longitude", "Degrees, until 2016", "End_Lon"),
        _amount("dropoff_latitude", "Degrees, until 2016", "End_Lat"),
        Column(
            "payment_type",
            ColumnType.INTEGER,
            "0 flex fare, 1 card, 2 cash, 3 no charge, 4 dispute, 5 unknown, 6 voided",
            codes=PAYMENT_CODES,
        ),
        _amount("fare_amount", "Fare by the meter, USD; negative for refunds and voids", "Fare_Amt"),
        _amount("extra", "Rush hour and overnight surcharges, USD", *extra_aliases),
        _amount("mta_tax", "MTA tax, USD"),
        _amount("tip_amount", "Tip paid by card, USD", "Tip_Amt"),
        _amount("tolls_amount", "Tolls, USD", "Tolls_Amt"),
        _amount("improvement_surcharge", "Improvement surcharge since 2015, USD", "imp_surcharge"),
        _amount("total_amount", "Total charge without cash tips, USD", "Total_Amt"),
        _CONGESTION,
        _CBD_FEE,
    )


_YELLOW_TIMES: tuple[Column, ...] = (
    _time(PICKUP, "Meter engaged, New York wall clock", "tpep_pickup_datetime", "Trip_Pickup_DateTime"),
    _time(DROPOFF, "Meter disengaged, New York wall clock", "tpep_dropoff_datetime", "Trip_Dropoff_DateTime"),
)
_GREEN_TIMES: tuple[Column, ...] = (
    _time(PICKUP, "Meter engaged, New York wall clock", "lpep_pickup_datetime"),
    _time(DROPOFF, "Meter disengaged, New York wall clock", "lpep_dropoff_datetime"),
)

YELLOW = Dataset(
    name="yellow",
    title="Yellow taxi trips",
    columns=(_VENDOR, *_YELLOW_TIMES, *_street_hail("surcharge"), _AIRPORT_FEE),
    required=(PICKUP, DROPOFF),
    distances=("trip_distance",),
)

GREEN = Dataset(
    name="green",
    title="Green (boro) taxi trips",
    columns=(
        _VENDOR,
        *_GREEN_TIMES,
        *_street_hail(),
        _amount("ehail_fee", "E-hail fee, USD; never used"),
        _number("trip_type", "1 street hail, 2 dispatch"),
    ),
    required=(PICKUP, DROPOFF),
    distances=("trip_distance",),
)

FHV = Dataset(
    name="fhv",
    title="For-hire vehicle trips",
    columns=(
        # In files of 2018 with both base numbers, the column with the longer name has the values.
        _text("dispatching_base_num", "TLC license of the base that sent the car", "Dispatching_base_number"),
        _time(PICKUP, "Pick-up, New York wall clock", "Pickup_date"),
        _time(DROPOFF, "Drop-off, New York wall clock"),
        _number("pickup_location_id", "TLC taxi zone of the pick-up", "PULocationID", "locationID"),
        _DROPOFF_ZONE,
        _SHARED_RIDE,
        _text("affiliated_base_number", "TLC license of the base the car belongs to"),
    ),
    required=("dispatching_base_num", PICKUP),
    dropoff_required=False,
)

FHVHV = Dataset(
    name="fhvhv",
    title="High-volume for-hire vehicle trips",
    columns=(
        _text("hvfhs_license_num", "TLC license of the service: HV0003 Uber, HV0005 Lyft, …"),
        _text("dispatching_base_num", "TLC license of the base that sent the car"),
        _text("originating_base_num", "TLC license of the base that got the request"),
        _time("request_datetime", "Ride requested, New York wall clock"),
        _time("on_scene_datetime", "Driver arrived (accessible vehicles), New York wall clock"),
        _time(PICKUP, "Pick-up, New York wall clock"),
        _time(DROPOFF, "Drop-off, New York wall clock"),
        _PICKUP_ZONE,
        _DROPOFF_ZONE,
        _amount("trip_miles", "Distance, miles"),
        _number("trip_time", "Duration, seconds"),
        _amount("base_passenger_fare", "Fare before tolls, tips, taxes and fees, USD"),
        _amount("tolls", "Tolls, USD"),
        _amount("bcf", "Black Car Fund, USD"),
        _amount("sales_tax", "State sales tax, USD"),
        _CONGESTION,
        _AIRPORT_FEE,
        _CBD_FEE,
        _amount("tips", "Tips, USD"),
        _amount("driver_pay", "Driver's pay without tolls and tips, USD"),
        _text("shared_request_flag", "Y if the passenger agreed to share the ride"),
        _text("shared_match_flag", "Y if the ride was shared"),
        _text("access_a_ride_flag", "Y for trips on behalf of the MTA"),
        _text("wav_request_flag", "Y if an accessible vehicle was requested"),
        _text("wav_match_flag", "Y if the vehicle was accessible"),
        _SHARED_RIDE,
    ),
    required=("hvfhs_license_num", PICKUP, DROPOFF),
    distances=("trip_miles",),
)

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in (YELLOW, GREEN, FHV, FHVHV)}
