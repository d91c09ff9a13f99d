"""The child process in which DuckDB writes data files: tasks on standard input, answers on standard output.

Each is a line of JSON (`messages.py`). The process has limits on memory and CPU time. A damaged file can
only fail in this process or end it; the caller goes on.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import duckdb

from duckdb_engine.file_writer import write_files
from duckdb_engine.limits import Limits
from duckdb_engine.messages import Answer, NotLoadable, Task
from duckdb_engine.parquet_source import first_values
from duckdb_engine.printed_values import refuse_unlike_types
from duckdb_engine.sql import connect

ERRORS = (NotLoadable, duckdb.Error, OSError, ValueError, RuntimeError, MemoryError)
"""The errors that a file can cause. Other errors end the process, which also declines the file."""
ERROR_CHARACTERS_MAX = 500


def main(arguments: list[str]) -> None:
    """Answer tasks until the input ends. The arguments are the limits as JSON and the folder of the files."""
    limits, folder = Limits.from_json(json.loads(arguments[0])), Path(arguments[1])
    apply_limits(limits)
    database = open_database(limits, folder)
    for line in sys.stdin:
        print(json.dumps(answer(database, json.loads(line)).to_json()), flush=True)


def apply_limits(limits: Limits) -> None:
    """Limit this process; a crash leaves no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
    if sys.platform == "linux":  # macOS does not limit address spaces
        resource.setrlimit(resource.RLIMIT_AS, (limits.address_space_bytes, limits.address_space_bytes))


def open_database(limits: Limits, folder: Path) -> duckdb.DuckDBPyConnection:
    """A database that sees only this folder, uses no extensions from elsewhere, and keeps these settings."""
    database = connect(
        threads=limits.threads,
        memory_limit=f"{limits.duckdb_bytes}B",
        temp_directory=str(folder / "spill"),
        preserve_insertion_order="false",
        autoinstall_known_extensions="false",
        autoload_known_extensions="false",
    )
    for setting in (
        "TimeZone = 'UTC'",
        f"allowed_directories = ['{folder}']",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        database.execute(f"SET {setting}").fetchall()
    return database


def answer(database: duckdb.DuckDBPyConnection, message: dict[str, Any]) -> Answer:
    """The answer to one task."""
    task = Task.from_json(message)
    try:
        if task.first_values:
            [file] = task.files
            return Answer(first_values=first_values(database, file.path, file.entry, task.first_values))
        refuse_unlike_types(task)
        return write_files(database, task)
    except ERRORS as error:
        kind = "" if isinstance(error, NotLoadable) else f"{type(error).__name__}: "
        text = " ".join(str(error).split())[:ERROR_CHARACTERS_MAX]
        return Answer(declined=f"{kind}{text}")


if __name__ == "__main__":
    os.environ.pop("PYTHONWARNINGS", None)
    main(sys.argv[1:])
