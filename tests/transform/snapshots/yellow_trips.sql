WITH present AS (
  SELECT
    `VendorID` AS read_vendor_id,
    `tpep_pickup_datetime` AS read_pickup_datetime,
    `tpep_dropoff_datetime` AS read_dropoff_datetime,
    nullif(`passenger_count`, CAST('NaN' AS double)) AS read_passenger_count,
    nullif(`trip_distance`, CAST('NaN' AS double)) AS read_trip_distance,
    nullif(`RatecodeID`, CAST('NaN' AS double)) AS read_rate_code_id,
    nullif(trim(BOTH ' ' FROM `store_and_fwd_flag`), '') AS read_store_and_fwd_flag,
    `PULocationID` AS read_pickup_location_id,
    `DOLocationID` AS read_dropoff_location_id,
    `payment_type` AS read_payment_type,
    nullif(`fare_amount`, CAST('NaN' AS double)) AS read_fare_amount,
    nullif(`extra`, CAST('NaN' AS double)) AS read_extra,
    nullif(`mta_tax`, CAST('NaN' AS double)) AS read_mta_tax,
    nullif(`tip_amount`, CAST('NaN' AS double)) AS read_tip_amount,
    nullif(`tolls_amount`, CAST('NaN' AS double)) AS read_tolls_amount,
    nullif(`improvement_surcharge`, CAST('NaN' AS double)) AS read_improvement_surcharge,
    nullif(`total_amount`, CAST('NaN' AS double)) AS read_total_amount,
    nullif(`congestion_surcharge`, CAST('NaN' AS double)) AS read_congestion_surcharge,
    nullif(`airport_fee`, CAST('NaN' AS double)) AS read_airport_fee,
    _source_id,
    _source_file,
    _source_version,
    _position,
    _pickup_from,
    _pickup_until,
    _run_id,
    _ingested_at
  FROM source
), numbers AS (
  SELECT
    *,
    read_passenger_count AS number_passenger_count,
    read_rate_code_id AS number_rate_code_id
  FROM present
), typed AS (
  SELECT
    *,
    try_cast(read_vendor_id AS int) AS vendor_id,
    read_pickup_datetime AS pickup_datetime,
    read_dropoff_datetime AS dropoff_datetime,
    CASE WHEN number_passenger_count BETWEEN -2147483648D AND 2147483647D AND number_passenger_count = floor(number_passenger_count) THEN CAST(number_passenger_count AS int) END AS passenger_count,
    read_trip_distance AS trip_distance,
    CASE WHEN number_rate_code_id BETWEEN -2147483648D AND 2147483647D AND number_rate_code_id = floor(number_rate_code_id) THEN CAST(number_rate_code_id AS int) END AS rate_code_id,
    read_store_and_fwd_flag AS store_and_fwd_flag,
    try_cast(read_pickup_location_id AS int) AS pickup_location_id,
    try_cast(read_dropoff_location_id AS int) AS dropoff_location_id,
    CAST(NULL AS double) AS pickup_longitude,
    CAST(NULL AS double) AS pickup_latitude,
    CAST(NULL AS double) AS dropoff_longitude,
    CAST(NULL AS double) AS dropoff_latitude,
    try_cast(read_payment_type AS int) AS payment_type,
    read_fare_amount AS fare_amount,
    read_extra AS extra,
    read_mta_tax AS mta_tax,
    read_tip_amount AS tip_amount,
    read_tolls_amount AS tolls_amount,
    read_improvement_surcharge AS improvement_surcharge,
    read_total_amount AS total_amount,
    read_congestion_surcharge AS congestion_surcharge,
    CAST(NULL AS double) AS cbd_congestion_fee,
    read_airport_fee AS airport_fee
  FROM numbers
)
SELECT
  vendor_id,
  pickup_datetime,
  dropoff_datetime,
  passenger_count,
  trip_distance,
  rate_code_id,
  store_and_fwd_flag,
  pickup_location_id,
  dropoff_location_id,
  pickup_longitude,
  pickup_latitude,
  dropoff_longitude,
  dropoff_latitude,
  payment_type,
  fare_amount,
  extra,
  mta_tax,
  tip_amount,
  tolls_amount,
  improvement_surcharge,
  total_amount,
  congestion_surcharge,
  cbd_congestion_fee,
  airport_fee,
  CASE WHEN coalesce(CASE WHEN vendor_id IS NULL THEN CAST(read_vendor_id AS string) END) IS NULL THEN map_from_entries(CAST(array() AS array<struct<key: string, value: string>>)) ELSE map_from_entries(filter(array(
    struct('VendorID' AS key, CASE WHEN vendor_id IS NULL THEN CAST(read_vendor_id AS string) END AS value)
  ), entry -> entry.value IS NOT NULL)) END AS extra_columns,
  _source_id AS source_id,
  _source_file AS source_file,
  _source_version AS source_version,
  _ingested_at AS ingested_at,
  _run_id AS run_id
FROM typed
WHERE NOT coalesce(
  (read_passenger_count IS NOT NULL AND passenger_count IS NULL
  OR read_rate_code_id IS NOT NULL AND rate_code_id IS NULL
  OR read_pickup_location_id IS NOT NULL AND pickup_location_id IS NULL
  OR read_dropoff_location_id IS NOT NULL AND dropoff_location_id IS NULL
  OR read_payment_type IS NOT NULL AND payment_type IS NULL)
  OR (read_pickup_datetime IS NULL
  OR read_dropoff_datetime IS NULL)
  OR (dropoff_datetime < pickup_datetime)
  OR (pickup_datetime < _pickup_from OR pickup_datetime >= _pickup_until)
  OR (isnan(trip_distance) OR trip_distance < 0 OR trip_distance > 1000)
  OR (pickup_location_id NOT BETWEEN 1 AND 265
  OR dropoff_location_id NOT BETWEEN 1 AND 265)
, false)
