WITH cleaned AS (
  SELECT
    struct(
      `VendorID` AS raw_vendorid,
      `lpep_pickup_datetime` AS raw_lpep_pickup_datetime,
      `lpep_dropoff_datetime` AS raw_lpep_dropoff_datetime,
      `PULocationID` AS raw_pulocationid,
      `DOLocationID` AS raw_dolocationid,
      `trip_distance` AS raw_trip_distance,
      `request_source` AS raw_request_source
    ) AS _row,
    `VendorID` AS read_vendor_id,
    `lpep_pickup_datetime` AS read_pickup_datetime,
    `lpep_dropoff_datetime` AS read_dropoff_datetime,
    nullif(`trip_distance`, CAST('NaN' AS double)) AS read_trip_distance,
    `PULocationID` AS read_pickup_location_id,
    `DOLocationID` AS read_dropoff_location_id,
    `ehail_fee` AS read_ehail_fee,
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
    *
  FROM cleaned
), typed AS (
  SELECT
    *,
    try_cast(read_vendor_id AS int) AS vendor_id,
    read_pickup_datetime AS pickup_datetime,
    read_dropoff_datetime AS dropoff_datetime,
    CAST(NULL AS int) AS passenger_count,
    read_trip_distance + 0.0D AS trip_distance,
    CAST(NULL AS int) AS rate_code_id,
    CAST(NULL AS string) AS store_and_fwd_flag,
    try_cast(read_pickup_location_id AS int) AS pickup_location_id,
    try_cast(read_dropoff_location_id AS int) AS dropoff_location_id,
    CAST(NULL AS double) AS pickup_longitude,
    CAST(NULL AS double) AS pickup_latitude,
    CAST(NULL AS double) AS dropoff_longitude,
    CAST(NULL AS double) AS dropoff_latitude,
    CAST(NULL AS int) AS payment_type,
    CAST(NULL AS double) AS fare_amount,
    CAST(NULL AS double) AS extra,
    CAST(NULL AS double) AS mta_tax,
    CAST(NULL AS double) AS tip_amount,
    CAST(NULL AS double) AS tolls_amount,
    CAST(NULL AS double) AS improvement_surcharge,
    CAST(NULL AS double) AS total_amount,
    CAST(NULL AS double) AS congestion_surcharge,
    CAST(NULL AS double) AS cbd_congestion_fee,
    CAST(NULL AS double) AS ehail_fee,
    CAST(NULL AS int) AS trip_type
  FROM numbers
), checked AS (
  SELECT
    *,
    CASE
      WHEN read_pickup_location_id IS NOT NULL AND pickup_location_id IS NULL
           OR read_dropoff_location_id IS NOT NULL AND dropoff_location_id IS NULL
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
  ehail_fee,
  trip_type,
  CASE
    WHEN coalesce(
           nullif(_row.raw_request_source, ''),
           CASE WHEN vendor_id IS NULL THEN CAST(read_vendor_id AS string) END
         ) IS NULL
    THEN map_from_entries(CAST(array() AS array<struct<key: string, value: string>>))
    ELSE map_from_entries(
           filter(
             array(
               struct('request_source' AS key, nullif(_row.raw_request_source, '') AS value),
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
               struct('lpep_pickup_datetime' AS key, CAST(_row.raw_lpep_pickup_datetime AS string) AS value),
               struct('lpep_dropoff_datetime' AS key, CAST(_row.raw_lpep_dropoff_datetime AS string) AS value),
               struct('PULocationID' AS key, CAST(_row.raw_pulocationid AS string) AS value),
               struct('DOLocationID' AS key, CAST(_row.raw_dolocationid AS string) AS value),
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
               struct('request_source' AS key, nullif(_row.raw_request_source, '') AS value)
             ),
             entry -> entry.value IS NOT NULL
           )
         )
  END AS row_as_read,
  _position AS position,
  reason_bits
FROM checked
