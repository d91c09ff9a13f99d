WITH cleaned AS (
  SELECT
    nullif(
      CASE
        WHEN `LocationID` LIKE ' %' OR `LocationID` LIKE '% ' THEN trim(BOTH ' ' FROM `LocationID`)
        ELSE `LocationID`
      END,
      ''
    ) AS read_location_id,
    nullif(
      CASE WHEN `Borough` LIKE ' %' OR `Borough` LIKE '% ' THEN trim(BOTH ' ' FROM `Borough`) ELSE `Borough` END,
      ''
    ) AS read_borough,
    nullif(
      CASE WHEN `Zone` LIKE ' %' OR `Zone` LIKE '% ' THEN trim(BOTH ' ' FROM `Zone`) ELSE `Zone` END,
      ''
    ) AS read_zone,
    nullif(
      CASE
        WHEN `service_zone` LIKE ' %' OR `service_zone` LIKE '% ' THEN trim(BOTH ' ' FROM `service_zone`)
        ELSE `service_zone`
      END,
      ''
    ) AS read_service_zone,
    `LocationID` AS raw_locationid,
    `Borough` AS raw_borough,
    `Zone` AS raw_zone,
    `service_zone` AS raw_service_zone,
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
    CASE
      WHEN read_location_id RLIKE r'^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\z'
      THEN try_cast(read_location_id AS double)
    END AS number_location_id
  FROM cleaned
), typed AS (
  SELECT
    *,
    CASE
      WHEN number_location_id BETWEEN -2147483648D AND 2147483647D AND number_location_id = floor(number_location_id)
      THEN CAST(number_location_id AS int)
    END AS location_id,
    read_borough AS borough,
    read_zone AS zone,
    read_service_zone AS service_zone
  FROM numbers
), checked AS (
  SELECT
    *,
    CASE
      WHEN _row_text IS NOT NULL THEN 128
      ELSE CASE
             WHEN (read_location_id IS NOT NULL AND location_id IS NULL)
                  AND size(
                        filter(
                          array(CASE WHEN location_id IS NULL THEN read_location_id END),
                          value -> NOT (
                            value IN ('-', '(null)', '(NULL)', '[null]', '[NULL]', '<null>', '<NULL>')
                            OR length(value) BETWEEN 2 AND 4
                               AND lower(value) IN (
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
                        )
                      ) > 0
             THEN 1
             ELSE 0
           END
    END AS reason_bits
  FROM typed
), output AS (
  SELECT
    location_id,
    borough,
    zone,
    service_zone,
    _source_id,
    _source_file,
    _source_version,
    _ingested_at,
    _run_id,
    _position,
    reason_bits,
    CASE
      WHEN reason_bits <> 0
      THEN struct(
             raw_locationid AS raw_locationid,
             raw_borough AS raw_borough,
             raw_zone AS raw_zone,
             raw_service_zone AS raw_service_zone,
             _row_text AS _row_text
           )
    END AS _row
  FROM checked
)
SELECT
  location_id,
  borough,
  zone,
  service_zone,
  map_from_entries(CAST(array() AS array<struct<key: string, value: string>>)) AS extra_columns,
  _source_id AS source_id,
  _source_file AS source_file,
  _source_version AS source_version,
  _ingested_at AS ingested_at,
  _run_id AS run_id,
  CASE
    WHEN _row._row_text IS NOT NULL
    THEN map_from_entries(
           filter(array(struct('line' AS key, _row._row_text AS value)), entry -> entry.value IS NOT NULL)
         )
    WHEN reason_bits <> 0
    THEN map_from_entries(
           filter(
             array(
               struct('LocationID' AS key, nullif(_row.raw_locationid, '') AS value),
               struct('Borough' AS key, nullif(_row.raw_borough, '') AS value),
               struct('Zone' AS key, nullif(_row.raw_zone, '') AS value),
               struct('service_zone' AS key, nullif(_row.raw_service_zone, '') AS value)
             ),
             entry -> entry.value IS NOT NULL
           )
         )
  END AS row_as_read,
  _position AS position,
  reason_bits
FROM output
