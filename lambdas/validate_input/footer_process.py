"""Process that reads Parquet footers for `footer_reader`, so that a damaged one cannot end the function.

For each footer on standard input, preceded by its length, it answers with a line of JSON on standard output:
the facts, or an `error`. It ends with its input.
"""

import json
import resource
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from lambdas.validate_input.parquet_footer import read_footer

READY = "ready"
LENGTH = struct.Struct("<I")
MEMORY_BYTES = 128 * 1024 * 1024
"""Memory that a footer may take. Measured: the largest footer that is read takes 90 MB."""

STATM = Path("/proc/self/statm")
"""The process's memory in pages, the address space first."""


def main() -> None:
    """Answer until the input ends."""
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _send(answers, READY)
    while header := requests.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        _send(answers, _answer(requests.read(length)))


def _answer(footer: bytes) -> dict[str, Any]:
    try:
        return read_footer(footer).to_json()
    except Exception as error:  # pyarrow raises errors of many kinds for damaged footers
        return {"error": f"{type(error).__name__}: {error}".strip(": ")}


def _send(answers: BinaryIO, answer: Any) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _limit_memory() -> None:
    """Limit the address space to what the process has now and MEMORY_BYTES; a crash leaves no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if STATM.exists():  # on Linux, so not where a developer runs the tests on macOS
        limit = int(STATM.read_text().split()[0]) * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main()
