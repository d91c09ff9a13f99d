"""Datasets: their columns, the names of these columns in files, and required columns.

Columns follow the TLC's data dictionaries in snake case. The pickup and dropoff times have one name in all
tables (not tpep_… and lpep_…), so that queries fit each of them. Source: TLC trip record user guide and data
dictionaries; older names from the published files of 2009 to 2025.
"""

from collections.abc import Mapping

from taxi_etl.schema import Column, ColumnType, Dataset


def _codes(labels: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    """The codes by label, each label also with underscores or nothing in place of its spaces."""
    return {
        spelled: code
        for code, texts in labels.items()
        for text in texts
        for spelled in (text, text.replace(" ", "_"), text.replace(" ", ""))
    }


PAYMENT_CODES: Mapping[str, int] = _codes(
    {
        0: ("flex fare", "flex fare trip"),
        1: ("credit card", "credit", "card", "crd", "cre"),
        2: ("cash", "csh", "cas"),
        3: ("no charge", "noc", "no"),
        4: ("dispute", "dis"),
        5: ("unknown", "unk"),
        6: ("voided trip", "voided", "void"),
    }
)
"""The data dictionary's labels of payments, and the names of 2009 to 2014, with their codes."""
PAYMENTS_OF_2010 = {"NA ": "unknown"}
"""Files of 2010 pad and shorten names of payments to three characters; without the space it means null."""

RATE_CODES: Mapping[str, int] = _codes(
    {
        1: ("standard rate", "standard"),
        2: ("jfk",),
        3: ("newark",),
        4: ("nassau or westchester", "nassau/westchester"),
        5: ("negotiated fare", "negotiated"),
        6: ("group ride",),
        99: ("null/unknown", "unknown"),
    }
)
"""The data dictionary's labels of rates and their codes."""


def _companies(names: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    """The codes by company name, each name also with its legal form."""
    forms = ("", " llc", ", llc", " inc", " inc.", ", inc.", ", inc")
    return {f"{name}{form}": code for code, texts in names.items() for name in texts for form in forms}


VENDOR_CODES: Mapping[str, int] = _companies(
    {
        1: ("cmt", "creative mobile", "creative mobile technologies"),
        2: ("vts", "verifone", "curb", "curb mobility"),
        6: ("myle", "myle technologies"),
        7: ("helix",),
    }
)
"""The data dictionary's labels of vendors, and the names of 2009 to 2014, with their codes."""

TRIP_TYPES: Mapping[str, int] = _codes({1: ("street-hail", "street hail"), 2: ("dispatch",)})
"""The data dictionary's labels of green trips and their codes."""


def _text(name: str, doc: str, *aliases: str, synonyms: tuple[str, ...] = ()) -> Column:
    return Column(name, ColumnType.STRING, doc, aliases, synonyms=synonyms)


def _number(name: str, doc: str, *aliases: str, synonyms: tuple[str, ...] = ()) -> Column:
    return Column(name, ColumnType.INTEGER, doc, aliases, synonyms=synonyms)


def _amount(name: str, doc: str, *aliases: str, synonyms: tuple[str, ...] = ()) -> Column:
    return Column(name, ColumnType.DOUBLE, doc, aliases, synonyms=synonyms)


def _time(name: str, doc: str, *aliases: str, synonyms: tuple[str, ...] = ()) -> Column:
    return Column(name, ColumnType.TIMESTAMP, doc, aliases, synonyms=synonyms)


PICKUP = "pickup_datetime"
DROPOFF = "dropoff_datetime"

_VENDOR = Column(
    "vendor_id",
    ColumnType.INTEGER,
    "Provider of the record: 1 Creative Mobile, 2 Curb (VeriFone), 6 Myle, 7 Helix",
    ("VendorID", "vendor_name"),
    VENDOR_CODES,
    synonyms=("vendor",),
    lenient="vendor DDS of 2009 and 2010 never got a code",
)
_PICKUP_ZONES = ("pickup_zone_id", "pu_zone_id", "pu_zone", "pickup_loc_id", "pu_loc_id", "pu_loc")
_DROPOFF_ZONES = ("dropoff_zone_id", "do_zone_id", "do_zone", "dropoff_loc_id", "do_loc_id", "do_loc")
_PICKUP_ZONE = _number(
    "pickup_location_id", "TLC taxi zone of the pickup", "PULocationID", synonyms=_PICKUP_ZONES
)
_DROPOFF_ZONE = _number(
    "dropoff_location_id", "TLC taxi zone of the dropoff", "DOLocationID", synonyms=_DROPOFF_ZONES
)
_CONGESTION = _amount("congestion_surcharge", "State congestion surcharge, USD", synonyms=("congestion_fee",))
_CBD_FEE = _amount("cbd_congestion_fee", "MTA congestion relief zone charge since 2025, USD")
_AIRPORT_FEE = _amount("airport_fee", "Airport pickup fee, USD", synonyms=("airport_surcharge",))
_SHARED_RIDE = _number(
    "sr_flag", "1 if the trip is part of a shared ride chain", "SR_Flag", synonyms=("shared_ride_flag",)
)


def _street_hail(*extra_aliases: str) -> tuple[Column, ...]:
    """The columns that yellow and green trips share; `extra_aliases` are other names of `extra`."""
    return (
        _number(
            "passenger_count",
            "Passengers, as the driver entered them",
            synonyms=("passengers", "num_passengers"),
        ),
        _amount("trip_distance", "Distance by the taximeter, miles", synonyms=("distance",)),
        Column(
            "rate_code_id",
            ColumnType.INTEGER,
            "Rate at the end of the trip: 1 standard, 2 JFK … 99 unknown",
            ("RatecodeID", "rate_code"),
            RATE_CODES,
        ),
        _text(
            "store_and_fwd_flag",
            "Y if the vehicle stored the record before sending it",
            "store_and_forward",
            synonyms=("store_and_fwd", "store_and_forward_flag"),
        ),
        _PICKUP_ZONE,
        _DROPOFF_ZONE,
        _amount(
            "pickup_longitude",
            "Degrees, until 2016",
            "Start_Lon",
            synonyms=("pickup_lon", "pickup_long", "pickup_lng"),
        ),
        _amount("pickup_latitude", "Degrees, until 2016", "Start_Lat", synonyms=("pickup_lat",)),
        _amount(
            "dropoff_longitude",
            "Degrees, until 2016",
            "End_Lon",
            synonyms=("dropoff_lon", "dropoff_long", "dropoff_lng"),
        ),
        _amount("dropoff_latitude", "Degrees, until 2016", "End_Lat", synonyms=("dropoff_lat",)),
        Column(
            "payment_type",
            ColumnType.INTEGER,
            "0 flex fare, 1 card, 2 cash, 3 no charge, 4 dispute, 5 unknown, 6 voided",
            codes=PAYMENT_CODES,
            padded=PAYMENTS_OF_2010,
            synonyms=("payment", "payment_method"),
        ),
        _amount(
            "fare_amount",
            "Fare by the meter, USD; negative for refunds and voids",
            "Fare_Amt",
            synonyms=("fare", "meter_fare", "metered_fare"),
        ),
        _amount("extra", "Rush hour and overnight surcharges, USD", *extra_aliases),
        _amount("mta_tax", "MTA tax, USD"),
        _amount("tip_amount", "Tip paid by card, USD", "Tip_Amt", synonyms=("tip",)),
        _amount("tolls_amount", "Tolls, USD", "Tolls_Amt", synonyms=("tolls",)),
        _amount("improvement_surcharge", "Improvement surcharge since 2015, USD", "imp_surcharge"),
        _amount(
            "total_amount",
            "Total charge without cash tips, USD",
            "Total_Amt",
            synonyms=("total", "total_fare", "grand_total"),
        ),
        _CONGESTION,
        _CBD_FEE,
    )


# These names are in the copies of DuckDB, Ursa Labs and seaborn.
_PICKUPS = ("pickup_at", "pickup_time", "pickup")
_DROPOFFS = ("dropoff_at", "dropoff_time", "dropoff")
_YELLOW_TIMES: tuple[Column, ...] = (
    _time(
        PICKUP,
        "Meter engaged, New York wall clock",
        "tpep_pickup_datetime",
        "Trip_Pickup_DateTime",
        synonyms=_PICKUPS,
    ),
    _time(
        DROPOFF,
        "Meter disengaged, New York wall clock",
        "tpep_dropoff_datetime",
        "Trip_Dropoff_DateTime",
        synonyms=_DROPOFFS,
    ),
)
_GREEN_TIMES: tuple[Column, ...] = (
    _time(PICKUP, "Meter engaged, New York wall clock", "lpep_pickup_datetime", synonyms=_PICKUPS),
    _time(DROPOFF, "Meter disengaged, New York wall clock", "lpep_dropoff_datetime", synonyms=_DROPOFFS),
)

YELLOW = Dataset(
    name="yellow",
    title="Yellow taxi trips",
    columns=(_VENDOR, *_YELLOW_TIMES, *_street_hail("surcharge"), _AIRPORT_FEE),
    required=(PICKUP, DROPOFF),
    distances=("trip_distance",),
    fares=("fare_amount",),
)

GREEN = Dataset(
    name="green",
    title="Green (boro) taxi trips",
    columns=(
        _VENDOR,
        *_GREEN_TIMES,
        *_street_hail(),
        _amount("ehail_fee", "E-hail fee, USD; never used"),
        Column("trip_type", ColumnType.INTEGER, "1 street hail, 2 dispatch", codes=TRIP_TYPES),
    ),
    required=(PICKUP, DROPOFF),
    distances=("trip_distance",),
    fares=("fare_amount",),
)

FHV = Dataset(
    name="fhv",
    title="For-hire vehicle trips",
    columns=(
        # In files of 2018 with both base numbers, the column with the longer name has the values.
        _text(
            "dispatching_base_num",
            "TLC license of the base that sent the car",
            "Dispatching_base_number",
            synonyms=("dispatch_base_num",),
        ),
        # Copies have the date beside the time, so that the date comes second.
        _time(PICKUP, "Pickup, New York wall clock", PICKUP, "Pickup_date", synonyms=_PICKUPS),
        _time(DROPOFF, "Dropoff, New York wall clock", synonyms=_DROPOFFS),
        _number(
            "pickup_location_id",
            "TLC taxi zone of the pickup",
            "PULocationID",
            "locationID",
            synonyms=_PICKUP_ZONES,
        ),
        _DROPOFF_ZONE,
        _SHARED_RIDE,
        _text(
            "affiliated_base_number",
            "TLC license of the base the car belongs to",
            synonyms=("affiliated_base_num",),
        ),
    ),
    required=("dispatching_base_num", PICKUP),
    dropoff_required=False,
)

FHVHV = Dataset(
    name="fhvhv",
    title="High-volume for-hire vehicle trips",
    columns=(
        _text(
            "hvfhs_license_num",
            "TLC license of the service: HV0003 Uber, HV0005 Lyft, …",
            synonyms=("hvfhs_license_number",),
        ),
        _text(
            "dispatching_base_num",
            "TLC license of the base that sent the car",
            synonyms=("dispatching_base_number", "dispatch_base_num"),
        ),
        _text(
            "originating_base_num",
            "TLC license of the base that got the request",
            synonyms=("originating_base_number", "origin_base_num"),
        ),
        _time(
            "request_datetime",
            "Ride requested, New York wall clock",
            synonyms=("request_time", "requested_at"),
        ),
        _time(
            "on_scene_datetime",
            "Driver arrived (accessible vehicles), New York wall clock",
            synonyms=("on_scene_time",),
        ),
        _time(PICKUP, "Pickup, New York wall clock", synonyms=_PICKUPS),
        _time(DROPOFF, "Dropoff, New York wall clock", synonyms=_DROPOFFS),
        _PICKUP_ZONE,
        _DROPOFF_ZONE,
        _amount("trip_miles", "Distance, miles"),
        _number("trip_time", "Duration, seconds"),
        _amount(
            "base_passenger_fare", "Fare before tolls, tips, taxes and fees, USD", synonyms=("fare_amount",)
        ),
        _amount("tolls", "Tolls, USD"),
        _amount("bcf", "Black Car Fund, USD", synonyms=("black_car_fund",)),
        _amount("sales_tax", "State sales tax, USD"),
        _CONGESTION,
        _AIRPORT_FEE,
        _CBD_FEE,
        _amount("tips", "Tips, USD"),
        _amount("driver_pay", "Driver's pay without tolls and tips, USD"),
        _text(
            "shared_request_flag", "Y if the passenger agreed to share the ride", synonyms=("shared_request",)
        ),
        _text("shared_match_flag", "Y if the ride was shared", synonyms=("shared_match",)),
        _text("access_a_ride_flag", "Y for trips on behalf of the MTA", synonyms=("access_a_ride",)),
        _text("wav_request_flag", "Y if an accessible vehicle was requested", synonyms=("wav_request",)),
        _text("wav_match_flag", "Y if the vehicle was accessible", synonyms=("wav_match",)),
        _SHARED_RIDE,
    ),
    required=("hvfhs_license_num", PICKUP, DROPOFF),
    distances=("trip_miles",),
    fares=("base_passenger_fare",),
)


def _name(name: str, doc: str, *aliases: str) -> Column:
    """A column of names; for zones without a name, files have `N/A` or `NA`."""
    return Column(name, ColumnType.STRING, doc, aliases, keeps_null_tokens=True)


ZONES = Dataset(
    name="zones",
    title="Taxi zones",
    columns=(
        _number("location_id", "TLC taxi zone, as in the trips", "LocationID"),
        _name("borough", "Borough; EWR for Newark Airport"),
        _name("zone", "Name of the zone; some zones share one"),
        _name("service_zone", "Yellow Zone, Boro Zone, Airports or EWR"),
    ),
    required=("location_id", "borough", "zone"),
    zones=(),
    has_trips=False,
)

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in (YELLOW, GREEN, FHV, FHVHV, ZONES)}
