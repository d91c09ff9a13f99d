"""Limits of the child process, from the machine that it runs on."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

MEMORY_VARIABLE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""The variable in which Lambda states the function's memory in MiB."""
SECONDS_PER_TASK = 600.0
MIB = 1024 * 1024
OVERHEAD_BYTES = 1024 * MIB
"""Address space of an idle process: code, the stacks and arenas of its threads. Measured: 0.6 GiB."""


@dataclass(frozen=True)
class Limits:
    """What the child process may use: bytes of address space and of DuckDB's buffers, threads, and seconds.

    `seconds_per_task` is the time limit after which the engine kills the process.
    """

    address_space_bytes: int
    duckdb_bytes: int
    threads: int
    cpu_seconds: int
    seconds_per_task: float = SECONDS_PER_TASK

    @classmethod
    def of_machine(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The limits for this machine, or for the Lambda function that the environment describes.

        DuckDB gets half of the memory, because it allocates some memory outside its limit.
        """
        stated = environment.get(MEMORY_VARIABLE)
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = int(stated) * MIB if stated else physical
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(
            address_space_bytes=memory + OVERHEAD_BYTES,
            duckdb_bytes=memory // 2,
            threads=threads,
            cpu_seconds=int(SECONDS_PER_TASK * threads),
        )

    def to_json(self) -> dict[str, Any]:
        """The argument of the child process."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The limits that `to_json` wrote."""
        return cls(**entry)
