WITH cleaned AS (
  SELECT
    struct(
      `VendorID` AS raw_vendorid,
      `tpep_pickup_datetime` AS raw_tpep_pickup_datetime,
      `tpep_dropoff_datetime` AS raw_tpep_dropoff_datetime,
      `passenger_count` AS raw_passenger_count,
      `trip_distance` AS raw_trip_distance,
      `RatecodeID` AS raw_ratecodeid,
      `store_and_fwd_flag` AS raw_store_and_fwd_flag,
      `PULocationID` AS raw_pulocationid,
      `DOLocationID` AS raw_dolocationid,
      `payment_type` AS raw_payment_type,
      `fare_amount` AS raw_fare_amount,
      `extra` AS raw_extra,
      `mta_tax` AS raw_mta_tax,
      `tip_amount` AS raw_tip_amount,
      `tolls_amount` AS raw_tolls_amount,
      `improvement_surcharge` AS raw_improvement_surcharge,
      `total_amount` AS raw_total_amount,
      `congestion_surcharge` AS raw_congestion_surcharge,
      `airport_fee` AS raw_airport_fee
    ) AS _row,
    `VendorID` AS read_vendor_id,
    `tpep_pickup_datetime` AS read_pickup_datetime,
    `tpep_dropoff_datetime` AS read_dropoff_datetime,
    nullif(`passenger_count`, CAST('NaN' AS double)) AS read_passenger_count,
    nullif(`trip_distance`, CAST('NaN' AS double)) AS read_trip_distance,
    nullif(`RatecodeID`, CAST('NaN' AS double)) AS read_rate_code_id,
    CASE
      WHEN `store_and_fwd_flag` LIKE ' %' OR `store_and_fwd_flag` LIKE '% '
      THEN nullif(trim(BOTH ' ' FROM `store_and_fwd_flag`), '')
      WHEN `store_and_fwd_flag` <> '' THEN `store_and_fwd_flag`
    END AS read_store_and_fwd_flag,
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
    _row_text,
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
  FROM cleaned
), typed AS (
  SELECT
    *,
    try_cast(read_vendor_id AS int) AS vendor_id,
    read_pickup_datetime AS pickup_datetime,
    read_dropoff_datetime AS dropoff_datetime,
    CASE
      WHEN number_passenger_count BETWEEN -2147483648D AND 2147483647D
           AND number_passenger_count = floor(number_passenger_count)
      THEN CAST(number_passenger_count AS int)
    END AS passenger_count,
    read_trip_distance + 0.0D AS trip_distance,
    CASE
      WHEN number_rate_code_id BETWEEN -2147483648D AND 2147483647D
           AND number_rate_code_id = floor(number_rate_code_id)
      THEN CAST(number_rate_code_id AS int)
    END AS rate_code_id,
    CASE
      WHEN NOT (
             read_store_and_fwd_flag IN ('-', '(null)', '(NULL)', '[null]', '[NULL]', '<null>', '<NULL>')
             OR length(read_store_and_fwd_flag) BETWEEN 2 AND 4
                AND lower(read_store_and_fwd_flag) IN (
                      'na',
                      'n/a',
                      'n.a.',
                      '#na',
                      '#n/a',
                      '<na>',
                      '\\n',
                      'nil',
                      'null',
                      'none',
                      'nan',
                      '-nan',
                      'nat'
                    )
           )
      THEN read_store_and_fwd_flag
    END AS store_and_fwd_flag,
    try_cast(read_pickup_location_id AS int) AS pickup_location_id,
    try_cast(read_dropoff_location_id AS int) AS dropoff_location_id,
    CAST(NULL AS double) AS pickup_longitude,
    CAST(NULL AS double) AS pickup_latitude,
    CAST(NULL AS double) AS dropoff_longitude,
    CAST(NULL AS double) AS dropoff_latitude,
    try_cast(read_payment_type AS int) AS payment_type,
    read_fare_amount + 0.0D AS fare_amount,
    read_extra + 0.0D AS extra,
    read_mta_tax + 0.0D AS mta_tax,
    read_tip_amount + 0.0D AS tip_amount,
    read_tolls_amount + 0.0D AS tolls_amount,
    read_improvement_surcharge + 0.0D AS improvement_surcharge,
    read_total_amount + 0.0D AS total_amount,
    read_congestion_surcharge + 0.0D AS congestion_surcharge,
    CAST(NULL AS double) AS cbd_congestion_fee,
    read_airport_fee + 0.0D AS airport_fee
  FROM numbers
), checked AS (
  SELECT
    *,
    CASE
      WHEN read_passenger_count IS NOT NULL AND passenger_count IS NULL
           OR read_rate_code_id IS NOT NULL AND rate_code_id IS NULL
           OR read_pickup_location_id IS NOT NULL AND pickup_location_id IS NULL
           OR read_dropoff_location_id IS NOT NULL AND dropoff_location_id IS NULL
           OR read_payment_type IS NOT NULL AND payment_type IS NULL
      THEN 1
      ELSE 0
    END
    + CASE WHEN read_pickup_datetime IS NULL OR read_dropoff_datetime IS NULL THEN 2 ELSE 0 END
    + CASE WHEN dropoff_datetime < pickup_datetime THEN 4 ELSE 0 END
    + CASE WHEN pickup_datetime < _pickup_from OR pickup_datetime >= _pickup_until THEN 8 ELSE 0 END
    + CASE WHEN dropoff_datetime >= _pickup_until AND pickup_datetime < _pickup_until THEN 16 ELSE 0 END
    + CASE WHEN trip_distance < 0 OR trip_distance > 1000 THEN 32 ELSE 0 END
    + CASE
        WHEN pickup_location_id NOT BETWEEN 1 AND 265 OR dropoff_location_id NOT BETWEEN 1 AND 265 THEN 64
        ELSE 0
      END AS reason_bits
  FROM typed
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
  CASE
    WHEN coalesce(CASE WHEN vendor_id IS NULL THEN CAST(read_vendor_id AS string) END) IS NULL
    THEN map_from_entries(CAST(array() AS array<struct<key: string, value: string>>))
    ELSE map_from_entries(
           filter(
             array(
               struct('VendorID' AS key, CASE WHEN vendor_id IS NULL THEN CAST(read_vendor_id AS string) END AS value)
             ),
             entry -> entry.value IS NOT NULL
           )
         )
  END AS extra_columns,
  _source_id AS source_id,
  _source_file AS source_file,
  _source_version AS source_version,
  _ingested_at AS ingested_at,
  _run_id AS run_id,
  CASE
    WHEN reason_bits <> 0
    THEN map_from_entries(
           filter(
             array(
               struct('VendorID' AS key, CAST(_row.raw_vendorid AS string) AS value),
               struct('tpep_pickup_datetime' AS key, CAST(_row.raw_tpep_pickup_datetime AS string) AS value),
               struct('tpep_dropoff_datetime' AS key, CAST(_row.raw_tpep_dropoff_datetime AS string) AS value),
               struct(
                 'passenger_count' AS key,
                 CASE
                   WHEN isnan(_row.raw_passenger_count) THEN 'NaN'
                   WHEN _row.raw_passenger_count > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_passenger_count < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_passenger_count) < 9007199254740992D
                        AND _row.raw_passenger_count = floor(_row.raw_passenger_count)
                   THEN concat(CAST(CAST(_row.raw_passenger_count AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_passenger_count AS string)
                 END AS value
               ),
               struct(
                 'trip_distance' AS key,
                 CASE
                   WHEN isnan(_row.raw_trip_distance) THEN 'NaN'
                   WHEN _row.raw_trip_distance > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_trip_distance < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_trip_distance) < 9007199254740992D
                        AND _row.raw_trip_distance = floor(_row.raw_trip_distance)
                   THEN concat(CAST(CAST(_row.raw_trip_distance AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_trip_distance AS string)
                 END AS value
               ),
               struct(
                 'RatecodeID' AS key,
                 CASE
                   WHEN isnan(_row.raw_ratecodeid) THEN 'NaN'
                   WHEN _row.raw_ratecodeid > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_ratecodeid < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_ratecodeid) < 9007199254740992D
                        AND _row.raw_ratecodeid = floor(_row.raw_ratecodeid)
                   THEN concat(CAST(CAST(_row.raw_ratecodeid AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_ratecodeid AS string)
                 END AS value
               ),
               struct('store_and_fwd_flag' AS key, nullif(_row.raw_store_and_fwd_flag, '') AS value),
               struct('PULocationID' AS key, CAST(_row.raw_pulocationid AS string) AS value),
               struct('DOLocationID' AS key, CAST(_row.raw_dolocationid AS string) AS value),
               struct('payment_type' AS key, CAST(_row.raw_payment_type AS string) AS value),
               struct(
                 'fare_amount' AS key,
                 CASE
                   WHEN isnan(_row.raw_fare_amount) THEN 'NaN'
                   WHEN _row.raw_fare_amount > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_fare_amount < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_fare_amount) < 9007199254740992D
                        AND _row.raw_fare_amount = floor(_row.raw_fare_amount)
                   THEN concat(CAST(CAST(_row.raw_fare_amount AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_fare_amount AS string)
                 END AS value
               ),
               struct(
                 'extra' AS key,
                 CASE
                   WHEN isnan(_row.raw_extra) THEN 'NaN'
                   WHEN _row.raw_extra > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_extra < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_extra) < 9007199254740992D AND _row.raw_extra = floor(_row.raw_extra)
                   THEN concat(CAST(CAST(_row.raw_extra AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_extra AS string)
                 END AS value
               ),
               struct(
                 'mta_tax' AS key,
                 CASE
                   WHEN isnan(_row.raw_mta_tax) THEN 'NaN'
                   WHEN _row.raw_mta_tax > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_mta_tax < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_mta_tax) < 9007199254740992D AND _row.raw_mta_tax = floor(_row.raw_mta_tax)
                   THEN concat(CAST(CAST(_row.raw_mta_tax AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_mta_tax AS string)
                 END AS value
               ),
               struct(
                 'tip_amount' AS key,
                 CASE
                   WHEN isnan(_row.raw_tip_amount) THEN 'NaN'
                   WHEN _row.raw_tip_amount > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_tip_amount < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_tip_amount) < 9007199254740992D
                        AND _row.raw_tip_amount = floor(_row.raw_tip_amount)
                   THEN concat(CAST(CAST(_row.raw_tip_amount AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_tip_amount AS string)
                 END AS value
               ),
               struct(
                 'tolls_amount' AS key,
                 CASE
                   WHEN isnan(_row.raw_tolls_amount) THEN 'NaN'
                   WHEN _row.raw_tolls_amount > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_tolls_amount < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_tolls_amount) < 9007199254740992D
                        AND _row.raw_tolls_amount = floor(_row.raw_tolls_amount)
                   THEN concat(CAST(CAST(_row.raw_tolls_amount AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_tolls_amount AS string)
                 END AS value
               ),
               struct(
                 'improvement_surcharge' AS key,
                 CASE
                   WHEN isnan(_row.raw_improvement_surcharge) THEN 'NaN'
                   WHEN _row.raw_improvement_surcharge > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_improvement_surcharge < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_improvement_surcharge) < 9007199254740992D
                        AND _row.raw_improvement_surcharge = floor(_row.raw_improvement_surcharge)
                   THEN concat(CAST(CAST(_row.raw_improvement_surcharge AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_improvement_surcharge AS string)
                 END AS value
               ),
               struct(
                 'total_amount' AS key,
                 CASE
                   WHEN isnan(_row.raw_total_amount) THEN 'NaN'
                   WHEN _row.raw_total_amount > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_total_amount < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_total_amount) < 9007199254740992D
                        AND _row.raw_total_amount = floor(_row.raw_total_amount)
                   THEN concat(CAST(CAST(_row.raw_total_amount AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_total_amount AS string)
                 END AS value
               ),
               struct(
                 'congestion_surcharge' AS key,
                 CASE
                   WHEN isnan(_row.raw_congestion_surcharge) THEN 'NaN'
                   WHEN _row.raw_congestion_surcharge > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_congestion_surcharge < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_congestion_surcharge) < 9007199254740992D
                        AND _row.raw_congestion_surcharge = floor(_row.raw_congestion_surcharge)
                   THEN concat(CAST(CAST(_row.raw_congestion_surcharge AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_congestion_surcharge AS string)
                 END AS value
               ),
               struct(
                 'airport_fee' AS key,
                 CASE
                   WHEN isnan(_row.raw_airport_fee) THEN 'NaN'
                   WHEN _row.raw_airport_fee > 1.7976931348623157E308D THEN 'Infinity'
                   WHEN _row.raw_airport_fee < -1.7976931348623157E308D THEN '-Infinity'
                   WHEN abs(_row.raw_airport_fee) < 9007199254740992D
                        AND _row.raw_airport_fee = floor(_row.raw_airport_fee)
                   THEN concat(CAST(CAST(_row.raw_airport_fee AS bigint) AS string), '.0')
                   ELSE CAST(_row.raw_airport_fee AS string)
                 END AS value
               )
             ),
             entry -> entry.value IS NOT NULL
           )
         )
  END AS row_as_read,
  _position AS position,
  reason_bits
FROM checked
