"""Bad rows of failed files: up to 20 per file, for its result and for quarantine.

In quarantine they have the file's failure code in `file_failure`, and a partition of their own for each file:
they are replaced and removed as one, and the rows of the file's last loaded version stay.
"""

from collections.abc import Sequence
from typing import Any

from loading.file_load import FileLoad
from taxi_etl.identity import failed_source_id
from taxi_etl.transform.sources import JobRun

ROWS_MAX = 20
"""How many bad rows of a failed file are kept."""


def quarantine_rows(loads: Sequence[FileLoad], run: JobRun) -> list[tuple[Any, ...]]:
    """The rows of all failed files that have any, with values in the order of `quarantine_columns()`."""
    return [
        (
            load.source.file.dataset,
            list(row.reasons),
            dict(row.as_read),
            row.position,
            failed_source_id(load.source_id),
            load.version.uri,
            load.version.version_id,
            run.started_at,
            run.run_id,
            str(load.failure.code),
        )
        for load in loads
        if load.failure
        for row in load.bad_rows
    ]
