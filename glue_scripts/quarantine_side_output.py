"""Side output for quarantined rows: the single scan of the files writes them into separate data files.

A Spark write has one target table. A quarantined row is therefore staged as a row of the trips table, under a
`source_id` that no file has. The table is partitioned by `source_id`, so these rows get separate data files.
Those are never committed: the job reads them into the quarantine table and deletes them.

What quarantine needs beyond the lineage travels in `source_version`, as lines of text:

    source_id       quarantine-3f2ac1…               prefix and the file's source_id
    source_version  4kYh9Bq…                         line 0: the file's version ID
                    2                                line 1: reason_bits
                    66617265=31322E35 746970=2D31    line 2: row_as_read, as hex(name)=hex(value) entries
                    17                               line 3: position, missing if the reader has none

The entries are text because a rarely filled map column slows Iceberg's writer for every row.
They are hexadecimal because quarantine keeps every byte, and Spark's `to_json` replaces invalid UTF-8
(findings/spark-functions-merge-different-strings.sh).
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from taxi_etl.transform.expressions import literal
from taxi_etl.transform.statements import reasons_of

_PREFIX = "quarantine-"
_SEPARATOR = "\n"
"""Not part of any version ID, number or hexadecimal text."""
_SCHEMA = "source_id string, source_file string, source_version string, ingested_at timestamp"


def staging_id(source_id: str) -> str:
    """The `source_id` under which a file's quarantined rows are staged in the trips table."""
    return _PREFIX + source_id


def flatten_quarantined(rows: DataFrame) -> DataFrame:
    """Rows of `statements.transform_sql` as rows of the trips table, quarantined ones in the form above."""
    flattened = {
        "source_id": f"concat('{_PREFIX}', source_id)",
        "source_version": (
            f"concat_ws('{_SEPARATOR}', source_version, reason_bits, {_hex_entries('row_as_read')}, position)"
        ),
    }
    quarantine_only = {"reason_bits", "row_as_read", "position"}
    return rows.selectExpr(
        *(
            f"CASE WHEN reason_bits = 0 THEN {name} ELSE {flattened[name]} END AS {name}"
            if name in flattened
            else name
            for name in rows.columns
            if name not in quarantine_only
        )
    )


def unpack_quarantined(spark: SparkSession, locations: Sequence[str], dataset: str, run_id: str) -> DataFrame:
    """Rows of the quarantine table, from data files that hold rows of `flatten_quarantined`."""
    lines = f"split(source_version, '{_SEPARATOR}')"
    return (
        spark.read.schema(_SCHEMA)
        .parquet(*locations)
        .selectExpr(
            f"{literal(dataset)} AS dataset",
            f"{reasons_of(f'CAST({lines}[1] AS int)')} AS reasons",
            f"{_map_from_hex(f'{lines}[2]')} AS row_as_read",
            f"CAST(get({lines}, 3) AS bigint) AS position",
            f"substring(source_id, {len(_PREFIX) + 1}) AS source_id",
            "source_file",
            f"{lines}[0] AS source_version",
            "ingested_at",
            f"{literal(run_id)} AS run_id",
        )
    )


def _hex_entries(texts: str) -> str:
    """A map of texts as one text that keeps every byte of names and values."""
    entry = "concat(hex(entry.key), '=', hex(entry.value))"
    return f"array_join(transform(map_entries({texts}), entry -> {entry}), ' ')"


def _map_from_hex(entries: str) -> str:
    """The map whose text `_hex_entries` made."""
    key, value = (f"CAST(unhex(split(entry, '=')[{place}]) AS string)" for place in (0, 1))
    present = f"filter(split({entries}, ' '), entry -> entry <> '')"
    return f"map_from_entries(transform({present}, entry -> struct({key}, {value})))"
