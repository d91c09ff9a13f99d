"""Saved queries for Athena, and the view of current zones; Athena and DuckDB both run them.

The SQL is in the dialect of Athena's engine version 3 (Trino).
"""

from dataclasses import dataclass

CURRENT_ZONES = """\
SELECT location_id, borough, zone, service_zone
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY location_id ORDER BY ingested_at DESC, source_file, zone, borough
    ) AS place
  FROM taxi_zones
)
WHERE place = 1"""
"""One row per zone, from the file loaded last. A join with `taxi_zones` itself would count a trip twice if
two files, or two rows of one file, have the same zone."""
_WITH_CURRENT_ZONES = f"WITH current_zones AS (\n{CURRENT_ZONES}\n)"


@dataclass(frozen=True)
class SavedQuery:
    """A query with a name and a description for people; tables are named without their database."""

    name: str
    description: str
    sql: str


TRIPS_BY_MONTH = SavedQuery(
    "trips and revenue by month",
    "Trips and what passengers paid, by dataset and month of the pickup. Delete the part of a dataset that "
    "you never loaded: its table does not exist. The files of fhv trips have no amounts.",
    """\
WITH trips AS (
  SELECT 'yellow' AS dataset, pickup_datetime, total_amount AS paid FROM yellow_trips
  UNION ALL
  SELECT 'green', pickup_datetime, total_amount FROM green_trips
  UNION ALL
  SELECT
    'fhvhv',
    pickup_datetime,
    base_passenger_fare + coalesce(tolls, 0) + coalesce(bcf, 0) + coalesce(sales_tax, 0)
      + coalesce(congestion_surcharge, 0) + coalesce(airport_fee, 0) + coalesce(cbd_congestion_fee, 0)
      + coalesce(tips, 0)
  FROM fhvhv_trips
  UNION ALL
  SELECT 'fhv', pickup_datetime, NULL FROM fhv_trips
)
SELECT
  dataset,
  CAST(date_trunc('month', pickup_datetime) AS date) AS month,
  count(*) AS trips,
  round(sum(paid), 2) AS revenue_usd
FROM trips
GROUP BY 1, 2
ORDER BY 2 DESC, 1""",
)

BUSIEST_ZONES = SavedQuery(
    "busiest pickup zones",
    "The 20 zones in which the most yellow trips begin, with their names.",
    _WITH_CURRENT_ZONES
    + """
SELECT
  trips.pickup_location_id,
  zones.borough,
  zones.zone,
  count(*) AS trips,
  round(avg(trips.trip_distance), 2) AS average_miles,
  round(avg(trips.total_amount), 2) AS average_paid_usd
FROM yellow_trips trips
LEFT JOIN current_zones zones ON zones.location_id = trips.pickup_location_id
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1
LIMIT 20""",
)

AIRPORT_TRIPS = SavedQuery(
    "airport trips by month",
    "Yellow trips from and to JFK, LaGuardia and Newark, by month.",
    _WITH_CURRENT_ZONES  # noqa: S608 (own text)
    + """,
airports AS (
  SELECT location_id, zone FROM current_zones WHERE service_zone IN ('Airports', 'EWR')
),
airport_trips AS (
  SELECT airports.zone, 'from' AS direction, trips.*
  FROM yellow_trips trips JOIN airports ON airports.location_id = trips.pickup_location_id
  UNION ALL
  SELECT airports.zone, 'to', trips.*
  FROM yellow_trips trips JOIN airports ON airports.location_id = trips.dropoff_location_id
)
SELECT
  CAST(date_trunc('month', pickup_datetime) AS date) AS month,
  zone AS airport,
  direction,
  count(*) AS trips,
  round(avg(date_diff('second', pickup_datetime, dropoff_datetime)) / 60, 1) AS average_minutes,
  round(avg(total_amount), 2) AS average_paid_usd
FROM airport_trips
GROUP BY 1, 2, 3
ORDER BY 1 DESC, 2, 3""",
)

PAYMENTS_BY_YEAR = SavedQuery(
    "payment types by year",
    "How passengers of yellow and green taxis paid, by year: trips, their share in percent, and tips.",
    """\
WITH trips AS (
  SELECT pickup_datetime, payment_type, tip_amount FROM yellow_trips
  UNION ALL
  SELECT pickup_datetime, payment_type, tip_amount FROM green_trips
),
payments AS (
  SELECT year(pickup_datetime) AS year, payment_type, count(*) AS trips, sum(tip_amount) AS tips
  FROM trips
  GROUP BY 1, 2
)
SELECT
  year,
  CASE payment_type
    WHEN 0 THEN 'flex fare' WHEN 1 THEN 'card' WHEN 2 THEN 'cash' WHEN 3 THEN 'no charge'
    WHEN 4 THEN 'dispute' WHEN 5 THEN 'unknown' WHEN 6 THEN 'voided' ELSE 'not recorded'
  END AS payment,
  trips,
  round(1e2 * trips / sum(trips) OVER (PARTITION BY year), 1) AS percent,
  round(tips, 2) AS tips_usd
FROM payments
ORDER BY 1 DESC, 3 DESC, 2""",
)

QUARANTINE_BY_MONTH = SavedQuery(
    "quarantined rows by reason and month",
    "Rows that failed validation, by the month of their load, dataset and reason, with a file that has some. "
    "A row with two reasons counts under both.",
    """\
SELECT
  CAST(date_trunc('month', ingested_at) AS date) AS month,
  dataset,
  reason,
  count(*) AS "rows",
  count(DISTINCT source_file) AS files,
  max(source_file) AS example_file
FROM quarantined_trips
CROSS JOIN UNNEST(reasons) AS held (reason)
WHERE file_failure IS NULL
GROUP BY 1, 2, 3
ORDER BY 1 DESC, 4 DESC, 2, 3""",
)

SAVED_QUERIES = (TRIPS_BY_MONTH, BUSIEST_ZONES, AIRPORT_TRIPS, PAYMENTS_BY_YEAR, QUARANTINE_BY_MONTH)
