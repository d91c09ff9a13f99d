WITH cleaned AS (
  SELECT
    struct(
      `LocationID` AS raw_locationid,
      `Borough` AS raw_borough,
      `Zone` AS raw_zone,
      `service_zone` AS raw_service_zone
    ) AS _row,
    CASE
      WHEN `Borough` LIKE ' %' OR `Borough` LIKE '% ' THEN nullif(trim(BOTH ' ' FROM `Borough`), '')
      WHEN `Borough` <> '' THEN `Borough`
    END AS read_borough,
    CASE
      WHEN `Zone` LIKE ' %' OR `Zone` LIKE '% ' THEN nullif(trim(BOTH ' ' FROM `Zone`), '')
      WHEN `Zone` <> '' THEN `Zone`
    END AS read_zone,
    CASE
      WHEN `service_zone` LIKE ' %' OR `service_zone` LIKE '% ' THEN nullif(trim(BOTH ' ' FROM `service_zone`), '')
      WHEN `service_zone` <> '' THEN `service_zone`
    END AS read_service_zone,
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
      WHEN CAST(try_cast(_row.raw_locationid AS int) AS string) = _row.raw_locationid
      THEN CAST(try_cast(_row.raw_locationid AS int) AS double)
      ELSE CASE
             WHEN _row.raw_locationid RLIKE r'^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *\z'
             THEN try_cast(_row.raw_locationid AS double)
           END
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
             WHEN (_row.raw_locationid IS NOT NULL AND location_id IS NULL)
                  AND size(
                        filter(
                          array(CASE WHEN location_id IS NULL THEN trim(BOTH ' ' FROM _row.raw_locationid) END),
                          value -> NOT (
                            value IN ('', '-', '(null)', '(NULL)', '[null]', '[NULL]', '<null>', '<NULL>')
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
    WHEN _row_text IS NOT NULL
    THEN map_from_entries(filter(array(struct('line' AS key, _row_text AS value)), entry -> entry.value IS NOT NULL))
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
FROM checked
