"""How do rows for quarantine leave the one scan of their files? Beside the trips, in files of their own.

A Spark write has one table. So rows that cannot be true are written as rows of the trips table whose owner
is no file: Iceberg puts them into data files of their own, which are never committed. They are few, and are
read again from there into the quarantine table; the input is not.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from taxi_etl.transform.expressions import literal

_OWNER = "held-"
_SEPARATOR = "\n"
"""Neither in a version id nor in a reason."""
_COLUMNS = (
    "source_id string, source_file string, source_version string, ingested_at timestamp, "
    "extra_columns map<string,string>"
)


def owner(source_id: str) -> str:
    """The partition of the trips table in which a file's rows for quarantine are staged."""
    return _OWNER + source_id


def beside(judged: DataFrame) -> DataFrame:
    """Rows of `statements.judged` as rows of the trips table.

    One for quarantine has another owner, the row as read for its extra columns, and beside its version its
    reasons and its position.
    """
    instead = {
        "extra_columns": "coalesce(row_as_read, extra_columns)",
        "source_id": f"CASE WHEN reasons IS NULL THEN source_id ELSE concat('{_OWNER}', source_id) END",
        "source_version": (
            "CASE WHEN reasons IS NULL THEN source_version ELSE "
            f"concat_ws('{_SEPARATOR}', source_version, array_join(reasons, ','), position) END"
        ),
    }
    leave = {"reasons", "row_as_read", "position"}
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
            f"split({carried}[1], ',') AS reasons",
            "extra_columns AS row_as_read",
            f"CAST(get({carried}, 2) AS bigint) AS position",
            f"substring(source_id, {len(_OWNER) + 1}) AS source_id",
            "source_file",
            f"{carried}[0] AS source_version",
            "ingested_at",
            f"{literal(run_id)} AS run_id",
        )
    )
