"""Bad rows of failed files: up to 20 per file, for its result and for quarantine.

In quarantine, the column `file_failure` has the file's failure code. The bad rows of each file have their own
partition: they are replaced and removed together, and the rows of the file's last loaded version stay.
"""

from collections.abc import Sequence
from typing import Any

from loading.file_load import FileLoad
from taxi_etl.identity import failed_source_id
from taxi_etl.transform.sources import JobRun

ROWS_MAX = 20
"""Maximum number of bad rows to keep for each failed file."""


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
