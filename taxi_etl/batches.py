"""Which files share an execution? Groups file versions so that a burst shares one job run."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from taxi_etl.identity import FileVersion
from taxi_etl.inputs import EXECUTION_MAX_FILES, INPUT_MAX_BYTES, ExecutionInput, Trigger


@dataclass(frozen=True)
class BatchLimits:
    """How much one execution takes: files, and bytes of them together."""

    max_files: int
    max_bytes: int

    def __post_init__(self) -> None:
        """Refuse limits that no claim could honour."""
        if not 1 <= self.max_files <= EXECUTION_MAX_FILES:
            raise ValueError(f"a batch takes 1 to {EXECUTION_MAX_FILES} files, not {self.max_files}")
        if self.max_bytes < 1:
            raise ValueError(f"a batch takes at least one byte, not {self.max_bytes}")


def batches(
    versions: Iterable[FileVersion], limits: BatchLimits, trigger: Trigger
) -> list[tuple[FileVersion, ...]]:
    """The versions in groups that each fit one execution; each version once, each group of one bucket.

    The order of the versions does not matter: the same set gives the same groups, so that two deliveries of
    the same events ask for the same executions. A file larger than `max_bytes` gets a group of its own:
    whether it is too large is for validation to say.
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
            or len(group) == limits.max_files
            or group_bytes + version.size > limits.max_bytes
            or input_bytes + entry_bytes >= INPUT_MAX_BYTES
        )
        if full:
            groups.append(tuple(group))
            group = []
        if not group:
            group_bytes = 0
            # One less: each entry is counted with a comma, and the first has none.
            input_bytes = len(ExecutionInput(version.bucket, (), trigger).dumps().encode()) - 1
        group.append(version)
        group_bytes += version.size
        input_bytes += entry_bytes
    return [*groups, tuple(group)] if group else groups


def _entry_bytes(version: FileVersion) -> int:
    """What one file adds to an input's text, its comma included."""
    return len(json.dumps(version.to_json(), ensure_ascii=False, separators=(",", ":")).encode()) + 1
