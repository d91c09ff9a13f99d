WITH present AS (
  SELECT
    `VendorID` AS read_vendor_id,
    `tpep_pickup_datetime` AS read_pickup_datetime,
    `tpep_dropoff_datetime` AS read_dropoff_datetime,
    nullif(`passenger_count`, CAST('NaN' AS double)) AS read_passenger_count,
    nullif(`trip_distance`, CAST('NaN' AS double)) AS read_trip_distance,
    nullif(`RatecodeID`, CAST('NaN' AS double)) AS read_rate_code_id,
    nullif(CASE WHEN `store_and_fwd_flag` LIKE ' %' OR `store_and_fwd_flag` LIKE '% ' THEN trim(BOTH ' ' FROM `store_and_fwd_flag`) ELSE `store_and_fwd_flag` END, '') AS read_store_and_fwd_flag,
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
    `VendorID` AS raw_1,
    `tpep_pickup_datetime` AS raw_2,
    `tpep_dropoff_datetime` AS raw_3,
    `passenger_count` AS raw_4,
    `trip_distance` AS raw_5,
    `RatecodeID` AS raw_6,
    `store_and_fwd_flag` AS raw_7,
    `PULocationID` AS raw_8,
    `DOLocationID` AS raw_9,
    `payment_type` AS raw_10,
    `fare_amount` AS raw_11,
    `extra` AS raw_12,
    `mta_tax` AS raw_13,
    `tip_amount` AS raw_14,
    `tolls_amount` AS raw_15,
    `improvement_surcharge` AS raw_16,
    `total_amount` AS raw_17,
    `congestion_surcharge` AS raw_18,
    `airport_fee` AS raw_19,
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
), judged AS (
  SELECT
    *,
    CASE WHEN read_passenger_count IS NOT NULL AND passenger_count IS NULL
    OR read_rate_code_id IS NOT NULL AND rate_code_id IS NULL
    OR read_pickup_location_id IS NOT NULL AND pickup_location_id IS NULL
    OR read_dropoff_location_id IS NOT NULL AND dropoff_location_id IS NULL
    OR read_payment_type IS NOT NULL AND payment_type IS NULL THEN 1 ELSE 0 END
    + CASE WHEN read_pickup_datetime IS NULL
    OR read_dropoff_datetime IS NULL THEN 2 ELSE 0 END
    + CASE WHEN dropoff_datetime < pickup_datetime THEN 4 ELSE 0 END
    + CASE WHEN pickup_datetime < _pickup_from OR pickup_datetime >= _pickup_until THEN 8 ELSE 0 END
    + CASE WHEN trip_distance < 0 OR trip_distance > 1000 THEN 16 ELSE 0 END
    + CASE WHEN pickup_location_id NOT BETWEEN 1 AND 265
    OR dropoff_location_id NOT BETWEEN 1 AND 265 THEN 32 ELSE 0 END AS reason_bits
  FROM typed
), packed AS (
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
    read_vendor_id,
    _source_id,
    _source_file,
    _source_version,
    _ingested_at,
    _run_id,
    _position,
    reason_bits,
    CASE WHEN reason_bits <> 0 THEN struct(raw_1 AS raw_1, raw_2 AS raw_2, raw_3 AS raw_3, raw_4 AS raw_4, raw_5 AS raw_5, raw_6 AS raw_6, raw_7 AS raw_7, raw_8 AS raw_8, raw_9 AS raw_9, raw_10 AS raw_10, raw_11 AS raw_11, raw_12 AS raw_12, raw_13 AS raw_13, raw_14 AS raw_14, raw_15 AS raw_15, raw_16 AS raw_16, raw_17 AS raw_17, raw_18 AS raw_18, raw_19 AS raw_19) END AS _row
  FROM judged
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
  _run_id AS run_id,
  CASE WHEN reason_bits <> 0 THEN map_from_entries(filter(array(
    struct('VendorID' AS key, CAST(_row.raw_1 AS string) AS value),
    struct('tpep_pickup_datetime' AS key, CAST(_row.raw_2 AS string) AS value),
    struct('tpep_dropoff_datetime' AS key, CAST(_row.raw_3 AS string) AS value),
    struct('passenger_count' AS key, CASE WHEN isnan(_row.raw_4) THEN 'NaN' WHEN _row.raw_4 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_4 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_4) < 9007199254740992D AND _row.raw_4 = floor(_row.raw_4) THEN concat(CAST(CAST(_row.raw_4 AS bigint) AS string), '.0') ELSE CAST(_row.raw_4 AS string) END AS value),
    struct('trip_distance' AS key, CASE WHEN isnan(_row.raw_5) THEN 'NaN' WHEN _row.raw_5 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_5 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_5) < 9007199254740992D AND _row.raw_5 = floor(_row.raw_5) THEN concat(CAST(CAST(_row.raw_5 AS bigint) AS string), '.0') ELSE CAST(_row.raw_5 AS string) END AS value),
    struct('RatecodeID' AS key, CASE WHEN isnan(_row.raw_6) THEN 'NaN' WHEN _row.raw_6 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_6 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_6) < 9007199254740992D AND _row.raw_6 = floor(_row.raw_6) THEN concat(CAST(CAST(_row.raw_6 AS bigint) AS string), '.0') ELSE CAST(_row.raw_6 AS string) END AS value),
    struct('store_and_fwd_flag' AS key, nullif(_row.raw_7, '') AS value),
    struct('PULocationID' AS key, CAST(_row.raw_8 AS string) AS value),
    struct('DOLocationID' AS key, CAST(_row.raw_9 AS string) AS value),
    struct('payment_type' AS key, CAST(_row.raw_10 AS string) AS value),
    struct('fare_amount' AS key, CASE WHEN isnan(_row.raw_11) THEN 'NaN' WHEN _row.raw_11 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_11 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_11) < 9007199254740992D AND _row.raw_11 = floor(_row.raw_11) THEN concat(CAST(CAST(_row.raw_11 AS bigint) AS string), '.0') ELSE CAST(_row.raw_11 AS string) END AS value),
    struct('extra' AS key, CASE WHEN isnan(_row.raw_12) THEN 'NaN' WHEN _row.raw_12 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_12 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_12) < 9007199254740992D AND _row.raw_12 = floor(_row.raw_12) THEN concat(CAST(CAST(_row.raw_12 AS bigint) AS string), '.0') ELSE CAST(_row.raw_12 AS string) END AS value),
    struct('mta_tax' AS key, CASE WHEN isnan(_row.raw_13) THEN 'NaN' WHEN _row.raw_13 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_13 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_13) < 9007199254740992D AND _row.raw_13 = floor(_row.raw_13) THEN concat(CAST(CAST(_row.raw_13 AS bigint) AS string), '.0') ELSE CAST(_row.raw_13 AS string) END AS value),
    struct('tip_amount' AS key, CASE WHEN isnan(_row.raw_14) THEN 'NaN' WHEN _row.raw_14 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_14 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_14) < 9007199254740992D AND _row.raw_14 = floor(_row.raw_14) THEN concat(CAST(CAST(_row.raw_14 AS bigint) AS string), '.0') ELSE CAST(_row.raw_14 AS string) END AS value),
    struct('tolls_amount' AS key, CASE WHEN isnan(_row.raw_15) THEN 'NaN' WHEN _row.raw_15 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_15 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_15) < 9007199254740992D AND _row.raw_15 = floor(_row.raw_15) THEN concat(CAST(CAST(_row.raw_15 AS bigint) AS string), '.0') ELSE CAST(_row.raw_15 AS string) END AS value),
    struct('improvement_surcharge' AS key, CASE WHEN isnan(_row.raw_16) THEN 'NaN' WHEN _row.raw_16 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_16 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_16) < 9007199254740992D AND _row.raw_16 = floor(_row.raw_16) THEN concat(CAST(CAST(_row.raw_16 AS bigint) AS string), '.0') ELSE CAST(_row.raw_16 AS string) END AS value),
    struct('total_amount' AS key, CASE WHEN isnan(_row.raw_17) THEN 'NaN' WHEN _row.raw_17 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_17 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_17) < 9007199254740992D AND _row.raw_17 = floor(_row.raw_17) THEN concat(CAST(CAST(_row.raw_17 AS bigint) AS string), '.0') ELSE CAST(_row.raw_17 AS string) END AS value),
    struct('congestion_surcharge' AS key, CASE WHEN isnan(_row.raw_18) THEN 'NaN' WHEN _row.raw_18 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_18 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_18) < 9007199254740992D AND _row.raw_18 = floor(_row.raw_18) THEN concat(CAST(CAST(_row.raw_18 AS bigint) AS string), '.0') ELSE CAST(_row.raw_18 AS string) END AS value),
    struct('airport_fee' AS key, CASE WHEN isnan(_row.raw_19) THEN 'NaN' WHEN _row.raw_19 > 1.7976931348623157E308D THEN 'Infinity' WHEN _row.raw_19 < -1.7976931348623157E308D THEN '-Infinity' WHEN abs(_row.raw_19) < 9007199254740992D AND _row.raw_19 = floor(_row.raw_19) THEN concat(CAST(CAST(_row.raw_19 AS bigint) AS string), '.0') ELSE CAST(_row.raw_19 AS string) END AS value)
  ), entry -> entry.value IS NOT NULL)) END AS row_as_read,
  _position AS position,
  reason_bits
FROM packed
