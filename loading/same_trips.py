"""Warns of trips that were probably loaded before, under another object key.

A moved object, or an export with new part names, is a new file: its rows are added to the earlier ones. The
rule (`taxi_etl.same_trips`) suggests this, but does not prove it.
"""

import shlex
from collections.abc import Sequence

from loading.engine import Engine, TableT
from loading.file_load import FileLoad
from loading.options import Options
from taxi_etl.datasets import PICKUP
from taxi_etl.failures import FileWarning, WarningCode
from taxi_etl.same_trips import same_trips


def warn_of_same_trips(
    engine: Engine[TableT], trips: TableT, quarantine: TableT, files: Sequence[FileLoad], options: Options
) -> None:
    """Add a warning to each loaded file that probably has the trips of another file.

    The rows are committed already, so an error of this check is printed and does not fail the files.
    """
    by_source = {file.source_id: file for file in files if file.written}
    if not by_source:
        return
    try:
        if len(by_source) == 1 and trips.has_only(sum(len(file.trips) for file in files)):
            return
        found = same_trips(trips.data_files(PICKUP, quarantine), by_source)
        names = trips.source_files(sorted({other for others in found.values() for other in others}))
    except engine.errors as error:
        line = engine.error_line(error)
        print(f"{options.program}: cannot look for the same trips in other files: {line}")
        return
    for source_id, others in found.items():
        file = by_source[source_id]
        which = "another file" if len(others) == 1 else f"{len(others)} other files"
        text = (
            f"probably has the same trips as {which} ({file.written + file.quarantined:,} rows of the same "
            f"dataset and month); if so, remove the rows of one of them: "
            f"`{options.command} remove {shlex.quote(min(names[other] for other in others))}`"
        )
        file.warnings = (*file.warnings, FileWarning(WarningCode.SAME_TRIPS, text))
