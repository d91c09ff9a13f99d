"""Reads Parquet footers in a child process that may crash, hang or run out of memory."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from taxi_etl.parquet_rules import FooterFacts

COMMAND = (sys.executable, "-m", "lambdas.validate_input.footer_process")
TIMEOUT_SECONDS = 10.0
"""How long a footer may take. Measured: the largest one that is read takes 1 second of a full core."""
START_SECONDS = 40.0
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG")
"""Environment variables of the child process, which needs no credentials."""


class DamagedFooterError(Exception):
    """Reading a footer raised an error, ended the child process or did not end in time."""


@dataclass
class FooterReader:
    """Reads one footer after another in a child process, which starts on first use and after each loss.

    It is not for concurrent use. `command` answers as `footer_process` does.
    """

    command: Sequence[str] = COMMAND
    timeout_seconds: float = TIMEOUT_SECONDS
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def read(self, footer: bytes) -> FooterFacts:
        """Return the facts of a footer: metadata, length and magic.

        Raises DamagedFooterError, and RuntimeError if the child process does not start.
        """
        process = self._running()
        answer = self._exchange(process, footer, self.timeout_seconds)
        if answer is None:
            raise DamagedFooterError(self._ending(process))
        if "error" in answer:
            raise DamagedFooterError(answer["error"])
        return FooterFacts.from_json(answer)

    def close(self) -> None:
        """End the child process."""
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError):  # of a request that the process did not read
                self._process.communicate()
            self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
            path = os.pathsep.join(filter(None, sys.path))
            self._process = subprocess.Popen(  # noqa: S603 (the command is a constant)
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**kept, "PYTHONPATH": path},
            )
            if self._exchange(self._process, None, START_SECONDS) is None:
                raise RuntimeError(
                    f"the process that reads footers did not start: {self._ending(self._process)}"
                )
        return self._process

    def _exchange(self, process: "subprocess.Popen[bytes]", footer: bytes | None, seconds: float) -> Any:
        """Send a footer, if any, and return the answer; None if the process ended or had to be ended."""
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process that reads footers has no pipes")
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            if footer is not None:
                with suppress(BrokenPipeError):
                    process.stdin.write(len(footer).to_bytes(4, "little"))
                    process.stdin.write(footer)
                    process.stdin.flush()
            return json.loads(process.stdout.readline())
        except ValueError:
            # No line or half of one: the process is gone.
            return None
        finally:
            timer.cancel()

    def _ending(self, process: "subprocess.Popen[bytes]") -> str:
        """Wait for the process to end, drop it, and return how it ended."""
        process.kill()
        process.wait()
        self.close()
        if process.returncode == -signal.SIGKILL:
            return f"reading it did not end within {self.timeout_seconds:g} seconds"
        return f"reading it crashed the process (exit code {process.returncode})"
