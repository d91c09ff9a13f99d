"""The view `source` from which the transform reads: its columns and their names.

A reader offers every column of the file under the names of `source_columns`, with their types, and
the lineage columns: literals of the file and the job run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion, source_id
from taxi_etl.recognition import month_of
from taxi_etl.schema import SourceColumn
from taxi_etl.transform.expressions import literal, name, unique_name
from taxi_etl.transform.predicates import pickup_range

SOURCE = "source"
LINEAGE_COLUMNS = (
    "_source_id",
    "_source_file",
    "_source_version",
    "_position",
    "_row_text",
    "_pickup_from",
    "_pickup_until",
    "_run_id",
    "_ingested_at",
)
"""`_position` is the row's zero-based position in its file, null if the reader does not provide it.
`_row_text` is the line of a CSV row that has another number of fields than the header, blank surplus fields
apart; else null."""


@dataclass(frozen=True)
class JobRun:
    """The job run: its ID, and its start time (with a time zone)."""

    run_id: str
    started_at: datetime


def source_columns(columns: Sequence[SourceColumn]) -> tuple[SourceColumn, ...]:
    """The columns of the view, with names that are unique regardless of case."""
    taken = {name.casefold() for name in LINEAGE_COLUMNS}
    unique: list[SourceColumn] = []
    for place, column in enumerate(columns, start=1):
        shown = column.name if column.name.strip() else f"column_{place}"
        # The matching of columns ignores underscores: both names feed the same column.
        while any(shown.casefold() == other.name.casefold() for other in unique):
            shown += "_"
        unique.append(replace(column, name=unique_name(shown, taken)))
    return tuple(unique)


def constants(file: AcceptedFile, run: JobRun) -> dict[str, str]:
    """The columns that are equal in all rows of a file, as SQL literals: lineage and its key's columns."""
    values = {
        name(column): "CAST(NULL AS string)" if value is None else literal(value)
        for column, value in file.key_values.items()
    }
    return lineage(file.version, run) | values


def lineage(version: FileVersion, run: JobRun) -> dict[str, str]:
    """The lineage columns of a file as SQL literals; `_position` and `_row_text` are the reader's."""
    earliest, latest = pickup_range(month_of(version.key), run.started_at)
    return {
        **{f"_{column}": literal(text) for column, text in lineage_texts(version, run).items()},
        "_pickup_from": f"TIMESTAMP_NTZ '{earliest:%Y-%m-%d %H:%M:%S}'",
        "_pickup_until": f"TIMESTAMP_NTZ '{latest:%Y-%m-%d %H:%M:%S}'",
        "_ingested_at": f"TIMESTAMP '{run.started_at:%Y-%m-%d %H:%M:%S%z}'",
    }


def lineage_texts(version: FileVersion, run: JobRun) -> dict[str, str]:
    """The values of the tables' lineage columns that are texts."""
    return {
        "source_id": source_id(version.bucket, version.key),
        "source_file": version.uri,
        "source_version": version.version_id,
        "run_id": run.run_id,
    }
