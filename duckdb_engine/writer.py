"""Starts the child process that writes data files, and exchanges messages with it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from duckdb_engine.limits import Limits
from duckdb_engine.messages import Answer, Task

COMMAND = (sys.executable, "-m", "duckdb_engine.writer_process")
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG")
"""Environment variables of the child process, which needs no credentials."""
ERROR_CHARACTERS_MAX = 300


@dataclass
class Writer:
    """Answers one task after another with a child process, which starts on first use at the latest.

    If the child process ends or exceeds the time limit, its task is declined, and the next one gets a new
    process. `folder` is what DuckDB may read and write: local copies, data files, temporary files. Use it as
    a context manager, in one thread at a time. `command` starts a program that answers like `writer_process`.
    """

    folder: Path
    limits: Limits = field(default_factory=Limits.of_machine)
    command: Sequence[str] = COMMAND
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)
    _errors: "IO[str] | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the child process before the first task needs it."""
        self._running()

    def write(self, task: Task) -> Answer:
        """Write the data files of a task, or decline it, for example because the process ended."""
        process = self._running()
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(self.limits.seconds_per_task, end)
        timer.start()
        try:
            line = self._exchange(process, json.dumps(task.to_json()))
            return Answer.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # No answer, or not a valid one: the process has ended or is damaged.
            self.close()
            if is_late.is_set():
                return Answer(declined=f"reading it took more than {self.limits.seconds_per_task:g} seconds")
            return Answer(declined=f"reading it crashed the process ({self._ending(process)})")
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the child process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with suppress(BrokenPipeError):  # of a task that the process did not read
            process.communicate()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
            # Its error output goes to a file, because nothing reads a pipe while it runs.
            self._errors = (self.folder / "writer_errors.txt").open("w+")
            self._process = subprocess.Popen(  # noqa: S603 (the command is a constant)
                [*self.command, json.dumps(self.limits.to_json()), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                cwd=self.folder,
                env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, map(_absolute, sys.path)))},
            )
        return self._process

    @staticmethod
    def _exchange(process: "subprocess.Popen[str]", message: str) -> str:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process that writes data files has no pipes")
        with suppress(BrokenPipeError):
            process.stdin.write(f"{message}\n")
            process.stdin.flush()
        return process.stdout.readline()

    def _ending(self, process: "subprocess.Popen[str]") -> str:
        """How the process ended: its exit code, and the last line of its error output."""
        text = f"exit code {process.returncode}"
        if self._errors is not None:
            self._errors.seek(0)
            lines = self._errors.read().split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "")
            self._errors.close()
            text += f": {last[:ERROR_CHARACTERS_MAX]}" if last else ""
        return text


def _absolute(folder: str) -> str:
    """A folder of the module search path; the empty one is the current directory."""
    return str(Path(folder or ".").resolve())
