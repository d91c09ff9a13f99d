WITH cleaned AS (
  SELECT
    struct(
      `Pickup_DateTime` AS raw_pickup_datetime,
      `DropOff_datetime` AS raw_dropoff_datetime,
      `PUlocationID` AS raw_pulocationid,
      `DOlocationID` AS raw_dolocationid,
      `SR_Flag` AS raw_sr_flag,
      `Dispatching_base_number` AS raw_dispatching_base_number,
      `Dispatching_base_num` AS raw_dispatching_base_num
    ) AS _row,
    coalesce(
      CASE
        WHEN NOT (
               CASE
                 WHEN `Dispatching_base_number` LIKE ' %' OR `Dispatching_base_number` LIKE '% '
                 THEN nullif(trim(BOTH ' ' FROM `Dispatching_base_number`), '')
                 WHEN `Dispatching_base_number` <> '' THEN `Dispatching_base_number`
               END IN ('-', '(null)', '(NULL)', '[null]', '[NULL]', '<null>', '<NULL>')
               OR length(
                    CASE
                      WHEN `Dispatching_base_number` LIKE ' %' OR `Dispatching_base_number` LIKE '% '
                      THEN nullif(trim(BOTH ' ' FROM `Dispatching_base_number`), '')
                      WHEN `Dispatching_base_number` <> '' THEN `Dispatching_base_number`
                    END
                  ) BETWEEN 2 AND 4
                  AND lower(
                        CASE
                          WHEN `Dispatching_base_number` LIKE ' %' OR `Dispatching_base_number` LIKE '% '
                          THEN nullif(trim(BOTH ' ' FROM `Dispatching_base_number`), '')
                          WHEN `Dispatching_base_number` <> '' THEN `Dispatching_base_number`
                        END
                      ) IN (
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
        THEN CASE
               WHEN `Dispatching_base_number` LIKE ' %' OR `Dispatching_base_number` LIKE '% '
               THEN nullif(trim(BOTH ' ' FROM `Dispatching_base_number`), '')
               WHEN `Dispatching_base_number` <> '' THEN `Dispatching_base_number`
             END
      END,
      CASE
        WHEN `Dispatching_base_num` LIKE ' %' OR `Dispatching_base_num` LIKE '% '
        THEN nullif(trim(BOTH ' ' FROM `Dispatching_base_num`), '')
        WHEN `Dispatching_base_num` <> '' THEN `Dispatching_base_num`
      END
    ) AS read_dispatching_base_num,
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
      WHEN CAST(try_cast(_row.raw_pulocationid AS int) AS string) = _row.raw_pulocationid
      THEN CAST(try_cast(_row.raw_pulocationid AS int) AS double)
      ELSE CASE
             WHEN _row.raw_pulocationid RLIKE r'^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *\z'
             THEN try_cast(_row.raw_pulocationid AS double)
           END
    END AS number_pickup_location_id,
    CASE
      WHEN CAST(try_cast(_row.raw_dolocationid AS int) AS string) = _row.raw_dolocationid
      THEN CAST(try_cast(_row.raw_dolocationid AS int) AS double)
      ELSE CASE
             WHEN _row.raw_dolocationid RLIKE r'^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *\z'
             THEN try_cast(_row.raw_dolocationid AS double)
           END
    END AS number_dropoff_location_id,
    CASE
      WHEN CAST(try_cast(_row.raw_sr_flag AS int) AS string) = _row.raw_sr_flag
      THEN CAST(try_cast(_row.raw_sr_flag AS int) AS double)
      ELSE CASE
             WHEN _row.raw_sr_flag RLIKE r'^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *\z'
             THEN try_cast(_row.raw_sr_flag AS double)
           END
    END AS number_sr_flag
  FROM cleaned
), typed AS (
  SELECT
    *,
    CASE
      WHEN NOT (
             read_dispatching_base_num IN ('-', '(null)', '(NULL)', '[null]', '[NULL]', '<null>', '<NULL>')
             OR length(read_dispatching_base_num) BETWEEN 2 AND 4
                AND lower(read_dispatching_base_num) IN (
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
      THEN read_dispatching_base_num
    END AS dispatching_base_num,
    CASE
      WHEN _row.raw_pickup_datetime
           RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?\z'
      THEN try_cast(substring(replace(_row.raw_pickup_datetime, '+00:00', ''), 1, 26) AS timestamp_ntz)
      WHEN _row.raw_pickup_datetime
           RLIKE r'^ *[0-9]{4}(-[0-9]{1,2}-|/[0-9]{1,2}/|[.][0-9]{1,2}[.])[0-9]{1,2}(T|t|,? +)(([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?|(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?[  ]?[AaPp]([Mm]|[.] ?[Mm][.]))( ?[+]00(:?00)?)?( ?(Z|z|UTC|utc|GMT|Etc/UTC)(\[UTC\])?)? *\z'
      THEN try_cast(
             concat(
               translate(regexp_extract(_row.raw_pickup_datetime, r'[0-9./-]+', 0), '/.', '--'),
               ' ',
               CASE
                 WHEN _row.raw_pickup_datetime RLIKE r'[Tt ]12:.*[AaPp]([.] ?)?[Mm]'
                 THEN concat(
                        '0',
                        substring(
                          regexp_extract(_row.raw_pickup_datetime, r'[0-9]+:[0-9]+(:[0-9]+([.][0-9]{1,6})?)?', 0),
                          3
                        )
                      )
                 ELSE regexp_extract(_row.raw_pickup_datetime, r'[0-9]+:[0-9]+(:[0-9]+([.][0-9]{1,6})?)?', 0)
               END
             ) AS timestamp_ntz
           )
           + CASE
               WHEN _row.raw_pickup_datetime RLIKE r'[Pp]([.] ?)?[Mm]' THEN INTERVAL 12 HOURS
               ELSE INTERVAL 0 HOURS
             END
    END AS pickup_datetime,
    CASE
      WHEN _row.raw_dropoff_datetime
           RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([+]00:00)?\z'
      THEN try_cast(substring(replace(_row.raw_dropoff_datetime, '+00:00', ''), 1, 26) AS timestamp_ntz)
      WHEN _row.raw_dropoff_datetime
           RLIKE r'^ *[0-9]{4}(-[0-9]{1,2}-|/[0-9]{1,2}/|[.][0-9]{1,2}[.])[0-9]{1,2}(T|t|,? +)(([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?|(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?[  ]?[AaPp]([Mm]|[.] ?[Mm][.]))( ?[+]00(:?00)?)?( ?(Z|z|UTC|utc|GMT|Etc/UTC)(\[UTC\])?)? *\z'
      THEN try_cast(
             concat(
               translate(regexp_extract(_row.raw_dropoff_datetime, r'[0-9./-]+', 0), '/.', '--'),
               ' ',
               CASE
                 WHEN _row.raw_dropoff_datetime RLIKE r'[Tt ]12:.*[AaPp]([.] ?)?[Mm]'
                 THEN concat(
                        '0',
                        substring(
                          regexp_extract(_row.raw_dropoff_datetime, r'[0-9]+:[0-9]+(:[0-9]+([.][0-9]{1,6})?)?', 0),
                          3
                        )
                      )
                 ELSE regexp_extract(_row.raw_dropoff_datetime, r'[0-9]+:[0-9]+(:[0-9]+([.][0-9]{1,6})?)?', 0)
               END
             ) AS timestamp_ntz
           )
           + CASE
               WHEN _row.raw_dropoff_datetime RLIKE r'[Pp]([.] ?)?[Mm]' THEN INTERVAL 12 HOURS
               ELSE INTERVAL 0 HOURS
             END
    END AS dropoff_datetime,
    CASE
      WHEN number_pickup_location_id BETWEEN -2147483648D AND 2147483647D
           AND number_pickup_location_id = floor(number_pickup_location_id)
      THEN CAST(number_pickup_location_id AS int)
    END AS pickup_location_id,
    CASE
      WHEN number_dropoff_location_id BETWEEN -2147483648D AND 2147483647D
           AND number_dropoff_location_id = floor(number_dropoff_location_id)
      THEN CAST(number_dropoff_location_id AS int)
    END AS dropoff_location_id,
    CASE
      WHEN number_sr_flag BETWEEN -2147483648D AND 2147483647D AND number_sr_flag = floor(number_sr_flag)
      THEN CAST(number_sr_flag AS int)
    END AS sr_flag,
    CAST(NULL AS string) AS affiliated_base_number
  FROM numbers
), checked AS (
  SELECT
    *,
    CASE
      WHEN _row_text IS NOT NULL THEN 128
      ELSE CASE
             WHEN (
                    _row.raw_pickup_datetime IS NOT NULL AND pickup_datetime IS NULL
                    OR _row.raw_dropoff_datetime IS NOT NULL AND dropoff_datetime IS NULL
                    OR _row.raw_pulocationid IS NOT NULL AND pickup_location_id IS NULL
                    OR _row.raw_dolocationid IS NOT NULL AND dropoff_location_id IS NULL
                    OR _row.raw_sr_flag IS NOT NULL AND sr_flag IS NULL
                  )
                  AND size(
                        filter(
                          array(
                            CASE WHEN pickup_datetime IS NULL THEN trim(BOTH ' ' FROM _row.raw_pickup_datetime) END,
                            CASE WHEN dropoff_datetime IS NULL THEN trim(BOTH ' ' FROM _row.raw_dropoff_datetime) END,
                            CASE WHEN pickup_location_id IS NULL THEN trim(BOTH ' ' FROM _row.raw_pulocationid) END,
                            CASE WHEN dropoff_location_id IS NULL THEN trim(BOTH ' ' FROM _row.raw_dolocationid) END,
                            CASE WHEN sr_flag IS NULL THEN trim(BOTH ' ' FROM _row.raw_sr_flag) END
                          ),
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
           + CASE
               WHEN _row.raw_pickup_datetime IS NULL
                    OR pickup_datetime IS NULL
                       AND (
                             trim(BOTH ' ' FROM _row.raw_pickup_datetime) IN (
                               '',
                               '-',
                               '(null)',
                               '(NULL)',
                               '[null]',
                               '[NULL]',
                               '<null>',
                               '<NULL>'
                             )
                             OR length(trim(BOTH ' ' FROM _row.raw_pickup_datetime)) BETWEEN 2 AND 4
                                AND lower(trim(BOTH ' ' FROM _row.raw_pickup_datetime)) IN (
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
               THEN 2
               ELSE 0
             END
           + CASE WHEN dropoff_datetime < pickup_datetime THEN 4 ELSE 0 END
           + CASE WHEN pickup_datetime < _pickup_from OR pickup_datetime >= _pickup_until THEN 8 ELSE 0 END
           + CASE WHEN dropoff_datetime >= _pickup_until AND pickup_datetime < _pickup_until THEN 16 ELSE 0 END
           + CASE
               WHEN pickup_location_id NOT BETWEEN 1 AND 265 OR dropoff_location_id NOT BETWEEN 1 AND 265 THEN 64
               ELSE 0
             END
    END AS reason_bits
  FROM typed
)
SELECT
  dispatching_base_num,
  pickup_datetime,
  dropoff_datetime,
  pickup_location_id,
  dropoff_location_id,
  sr_flag,
  affiliated_base_number,
  CASE
    WHEN coalesce(nullif(_row.raw_dispatching_base_num, '')) IS NULL
    THEN map_from_entries(CAST(array() AS array<struct<key: string, value: string>>))
    ELSE map_from_entries(
           filter(
             array(struct('Dispatching_base_num' AS key, nullif(_row.raw_dispatching_base_num, '') AS value)),
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
    WHEN _row_text IS NOT NULL
    THEN map_from_entries(filter(array(struct('line' AS key, _row_text AS value)), entry -> entry.value IS NOT NULL))
    WHEN reason_bits <> 0
    THEN map_from_entries(
           filter(
             array(
               struct('Pickup_DateTime' AS key, nullif(_row.raw_pickup_datetime, '') AS value),
               struct('DropOff_datetime' AS key, nullif(_row.raw_dropoff_datetime, '') AS value),
               struct('PUlocationID' AS key, nullif(_row.raw_pulocationid, '') AS value),
               struct('DOlocationID' AS key, nullif(_row.raw_dolocationid, '') AS value),
               struct('SR_Flag' AS key, nullif(_row.raw_sr_flag, '') AS value),
               struct('Dispatching_base_number' AS key, nullif(_row.raw_dispatching_base_number, '') AS value),
               struct('Dispatching_base_num' AS key, nullif(_row.raw_dispatching_base_num, '') AS value)
             ),
             entry -> entry.value IS NOT NULL
           )
         )
  END AS row_as_read,
  _position AS position,
  reason_bits
FROM checked
