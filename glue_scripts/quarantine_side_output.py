"""How do rows for quarantine leave the one scan of their files? Beside the trips, in files of their own.

A Spark write has one table. So rows that cannot be true are written as rows of the trips table whose owner
is no file: Iceberg puts them into data files of their own, which are never committed. They are few, and are
read again from there into the quarantine table; the input is not.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from taxi_etl.transform.expressions import literal
from taxi_etl.transform.statements import reasons_of

_OWNER = "held-"
_SEPARATOR = "\n"
"""Neither in a version id nor in what else travels beside it."""
_COLUMNS = "source_id string, source_file string, source_version string, ingested_at timestamp"


def owner(source_id: str) -> str:
    """The partition of the trips table in which a file's rows for quarantine are staged."""
    return _OWNER + source_id


def beside(judged: DataFrame) -> DataFrame:
    """Rows of `statements.judged` as rows of the trips table.

    One for quarantine has another owner, and beside its version its reasons, itself as read and its
    position. All as text: a map with entries now and then slows Iceberg's writer down for every row.
    """
    instead = {
        "source_id": f"CASE WHEN reason_bits = 0 THEN source_id ELSE concat('{_OWNER}', source_id) END",
        "source_version": (
            "CASE WHEN reason_bits = 0 THEN source_version ELSE concat_ws("
            f"'{_SEPARATOR}', source_version, reason_bits, {_packed('row_as_read')}, position) END"
        ),
    }
    leave = {"reason_bits", "row_as_read", "position"}
    return judged.selectExpr(
        *(f"{instead.get(name, name)} AS {name}" for name in judged.columns if name not in leave)
    )


def rows(spark: SparkSession, locations: Sequence[str], dataset: str, run_id: str) -> DataFrame:
    """The rows of data files that hold what `beside` put aside, in the columns of the quarantine table."""
    carried = f"split(source_version, '{_SEPARATOR}')"
    return (
        spark.read.schema(_COLUMNS)
        .parquet(*locations)
        .selectExpr(
            f"{literal(dataset)} AS dataset",
            f"{reasons_of(f'CAST({carried}[1] AS int)')} AS reasons",
            f"{_unpacked(f'{carried}[2]')} AS row_as_read",
            f"CAST(get({carried}, 3) AS bigint) AS position",
            f"substring(source_id, {len(_OWNER) + 1}) AS source_id",
            "source_file",
            f"{carried}[0] AS source_version",
            "ingested_at",
            f"{literal(run_id)} AS run_id",
        )
    )


def _packed(texts: str) -> str:
    """A map of texts as one text: `KEY=VALUE KEY=VALUE` in hexadecimal digits, whatever bytes they hold."""
    pair = "concat(hex(entry.key), '=', hex(entry.value))"
    return f"array_join(transform(map_entries({texts}), entry -> {pair}), ' ')"


def _unpacked(packed: str) -> str:
    """The map that was `_packed`."""
    key, value = (f"CAST(unhex(split(pair, '=')[{place}]) AS string)" for place in (0, 1))
    pairs = f"filter(split({packed}, ' '), pair -> pair <> '')"
    return f"map_from_entries(transform({pairs}, pair -> struct({key}, {value})))"
