"""Split file versions into batches that fit one execution."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from taxi_etl.engines import EngineChoice
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import EXECUTION_MAX_FILES, INPUT_MAX_BYTES, ExecutionInput, Trigger


@dataclass(frozen=True)
class BatchLimits:
    """The most files of one execution, and the most bytes of all its files."""

    execution_max_files: int
    execution_max_bytes: int

    def __post_init__(self) -> None:
        """Raise ValueError for limits that no claim can meet."""
        if not 1 <= self.execution_max_files <= EXECUTION_MAX_FILES:
            raise ValueError(
                f"an execution takes 1 to {EXECUTION_MAX_FILES} files, not {self.execution_max_files}"
            )
        if self.execution_max_bytes < 1:
            raise ValueError(f"an execution takes at least 1 byte, not {self.execution_max_bytes}")


def batches(
    versions: Iterable[FileVersion],
    limits: BatchLimits,
    trigger: Trigger,
    engine: EngineChoice | None = None,
) -> list[tuple[FileVersion, ...]]:
    """Group versions so that each group fits one execution; each version is in one group.

    The files of a group share a bucket. The order of the versions does not matter: two deliveries of the same
    events give the same groups, and so start the same executions. A file larger than `execution_max_bytes`
    gets a separate group, because only validation rejects files. `engine` is that of the executions' inputs.
    """
    groups: list[tuple[FileVersion, ...]] = []
    group: list[FileVersion] = []
    group_bytes = input_bytes = 0
    for version in sorted(
        {each.identity: each for each in versions}.values(), key=lambda each: each.identity
    ):
        entry_bytes = _entry_bytes(version)
        full = bool(group) and (
            group[0].bucket != version.bucket
            or len(group) == limits.execution_max_files
            or group_bytes + version.size > limits.execution_max_bytes
            or input_bytes + entry_bytes >= INPUT_MAX_BYTES
        )
        if full:
            groups.append(tuple(group))
            group = []
        if not group:
            group_bytes = 0
            # Minus one: entries are counted with a comma, and the first has none.
            input_bytes = len(ExecutionInput(version.bucket, (), trigger, engine).dumps().encode()) - 1
        group.append(version)
        group_bytes += version.size
        input_bytes += entry_bytes
    return [*groups, tuple(group)] if group else groups


def _entry_bytes(version: FileVersion) -> int:
    """The bytes that a file adds to the text of an input, including its comma."""
    return len(json.dumps(version.to_json(), ensure_ascii=False, separators=(",", ":")).encode()) + 1
