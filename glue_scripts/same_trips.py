"""Warns of trips that were probably loaded before, under another object key.

A moved object, or an export with new part names, is a new file: its rows come on top of the earlier ones. The
same dataset and number of rows in two files that begin in one month suggest this, but do not prove it. Two
files of identical bytes have as many rows whatever their names are. If the rule for the month in a name
quarantines the earliest rows of one of them, they still end at the same time.
"""

import shlex
from collections.abc import Sequence

from glue_scripts.file_load import FileLoad
from glue_scripts.iceberg import LakeTable
from glue_scripts.spark_errors import SPARK_ERRORS, one_line
from taxi_etl.datasets import PICKUP
from taxi_etl.failures import FileWarning, WarningCode


def warn_of_same_trips(
    trips: LakeTable, quarantine: LakeTable, files: Sequence[FileLoad], command: str
) -> None:
    """Add a warning to each loaded file that probably has the trips of another file.

    `command` is the command line with its options, such as `taxi-etl --environment dev`. The rows are
    committed already, so an error of this check is printed and does not fail the files.
    """
    by_source = {file.source_id: file for file in files if file.written}
    if not by_source:
        return
    try:
        pairs = trips.sources_with_equal_counts(list(by_source), PICKUP, quarantine)
        names = trips.source_files(sorted({other for _, other, _ in pairs})) if pairs else {}
    except SPARK_ERRORS as error:
        print(f"process_taxi_data: cannot look for the same trips in other files: {one_line(error)}")
        return
    for source_id in sorted({source for source, _, _ in pairs}):
        others = [(names[other], number) for source, other, number in pairs if source == source_id]
        (name, number), more = min(others), len(others) - 1
        which = f"{more + 1} other files" if more else "another file"
        text = (
            f"probably has the same trips as {which} ({number:,} rows of the same dataset and month); "
            f"if so, remove the rows of one of them: `{command} remove {shlex.quote(name)}`"
        )
        file = by_source[source_id]
        file.warnings = (*file.warnings, FileWarning(WarningCode.SAME_TRIPS, text))
