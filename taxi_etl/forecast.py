"""Forecast of a backfill's executions, time and cost on Glue.

The rates are those of `make bench` (docs/performance.md), rounded down. The forecast may be wrong by a factor
of two: the rates depend on the files' columns, and the time that Glue needs to start is not measured.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taxi_etl.batches import BatchLimits, batches
from taxi_etl.billing import COST_DIGITS, GLUE_MINIMUM_SECONDS, GLUE_USD_PER_DPU_HOUR
from taxi_etl.file_rules import file_format, is_gzipped
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import Trigger

MIB = 1024 * 1024
START_SECONDS = 60
"""Seconds of a job run before it reads rows: Glue's workers, Spark and the first query plan."""
CORE_BYTES_PER_SECOND = {"parquet": 4 * MIB, "csv": 5 * MIB, "csv.gz": MIB}
"""Bytes of objects that one core loads in a second. A `.csv.gz` file is read by one core, because gzip data
cannot be split."""
WORKER_DPUS = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}
"""The DPUs of a worker of each type that the job may have."""
DPU_CORES = 4


@dataclass(frozen=True)
class Capacity:
    """The capacity of the Glue job: workers per job run, including the driver, and job runs at a time."""

    worker_type: str
    workers: int
    concurrent_runs: int

    @property
    def cores(self) -> int:
        """The cores of a job run that read files; the driver reads none if there are other workers."""
        return DPU_CORES * WORKER_DPUS[self.worker_type] * max(1, self.workers - 1)

    @property
    def dpus(self) -> int:
        """The DPUs that a job run is billed for, with all workers."""
        return WORKER_DPUS[self.worker_type] * self.workers


@dataclass(frozen=True)
class Forecast:
    """The forecast of a backfill: executions, hours until the last one ends, DPU-hours, and US dollars."""

    executions: int
    hours: float
    dpu_hours: float
    usd: float

    def to_json(self) -> dict[str, Any]:
        """The forecast as `taxi-etl backfill --json` prints it."""
        return {
            "executions": self.executions,
            "hours": round(self.hours, 2),
            "dpuHours": round(self.dpu_hours, 2),
            "usd": round(self.usd, COST_DIGITS),
        }


def forecast(versions: Sequence[FileVersion], limits: BatchLimits, capacity: Capacity) -> Forecast:
    """The forecast for loading these files with the Glue job. Without files, all values are 0."""
    seconds = [_run_seconds(batch, capacity) for batch in batches(versions, limits, Trigger.BACKFILL)]
    billed = sum(max(each, GLUE_MINIMUM_SECONDS) for each in seconds)
    dpu_hours = billed * capacity.dpus / 3600
    hours = _span_seconds(seconds, capacity.concurrent_runs) / 3600
    return Forecast(len(seconds), hours, dpu_hours, dpu_hours * GLUE_USD_PER_DPU_HOUR)


def _run_seconds(versions: Sequence[FileVersion], capacity: Capacity) -> float:
    """The duration of one job run: all cores are busy, and one core reads its largest `.csv.gz` file."""
    work = {version: version.size / CORE_BYTES_PER_SECOND[_rate(version)] for version in versions}
    alone = max((work[version] for version in versions if is_gzipped(version.key)), default=0)
    return START_SECONDS + max(sum(work.values()) / capacity.cores, alone)


def _rate(version: FileVersion) -> str:
    """The key of a file's rate. Files of unknown formats are rejected, so their rate hardly matters."""
    return "csv.gz" if is_gzipped(version.key) else file_format(version.key) or "parquet"


def _span_seconds(seconds: Sequence[float], concurrent: int) -> float:
    """The time until the last job run ends, if a waiting one starts whenever another one ends."""
    ends = [0.0] * max(1, concurrent)
    for each in seconds:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)
