"""What if Spark reads on and on? Notices that no task makes any headway, and ends what they work on.

One bit of a Parquet file can do it. Where a page's definition levels end before its values do, Spark's
vectorized decoder asks for the next run of levels again and again (`readBatch` of `VectorizedRleValuesReader`
and `VectorizedColumnReader`, Spark 4.1): no run comes, no row is read, and nothing is raised. Decoding row
by row, parquet-java raises there.

Such a thread cannot be interrupted. On a cluster Spark's task reaper ends its executor, and another one
takes over (`spark.task.reaper` in the job's configuration); in a local Spark it keeps one processor busy
until the run ends, and only its place among the tasks can be given to others.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from glue_scripts.reading import jvm
from glue_scripts.spark_errors import SPARK_ERRORS
from taxi_etl.stall_timeout import STALLS_MAX

QUICK_DECODER = "spark.sql.parquet.enableVectorizedReader"
LOOK_SECONDS = 2.0
END_SECONDS = 5.0
"""How long a task that is told to end may take for it."""
MEASURES = (
    "numCompleteTasks",
    "inputBytes",
    "inputRecords",
    "outputBytes",
    "outputRecords",
    "shuffleReadBytes",
    "shuffleWriteBytes",
    "memoryBytesSpilled",
)
"""What Spark counts of a stage. A task that works changes one of these; executors report every 10 seconds."""

Measured = tuple[tuple[int, ...], ...]


class StalledError(Exception):
    """Tasks ran, and for too long none of them read, wrote or ended anything."""


@dataclass
class StallWatchdog:
    """Watches over Spark's work for one run; `stall_timeout_seconds` is how long tasks may stand still."""

    spark: SparkSession
    stall_timeout_seconds: float
    stalls: int = 0

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Work that must make headway. Where it makes none, all of Spark's work is cancelled, and
        StalledError raised in place of Spark's error."""
        over, stalled = threading.Event(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over, stalled), daemon=True)
        watcher.start()
        try:
            yield
        except SPARK_ERRORS as error:
            if not stalled.is_set():
                raise
            self.stalls += 1
            waited = _duration(self.stall_timeout_seconds)
            raise StalledError(f"reading it made no headway for {waited}") from error
        finally:
            over.set()
            watcher.join()

    @property
    def is_spent(self) -> bool:
        """Whether this run has stood still too often to go on."""
        return self.stalls > STALLS_MAX

    def decode_row_by_row(self) -> bool:
        """Let Parquet files be decoded by the slower way, which raises where the quick one stands still;
        False where it was so already."""
        was_quick = self.spark.conf.get(QUICK_DECODER) == "true"
        self.spark.conf.set(QUICK_DECODER, "false")
        return was_quick

    def _watch(self, over: threading.Event, stalled: threading.Event) -> None:
        last: Measured | None = None
        since = time.monotonic()
        while not over.wait(min(LOOK_SECONDS, self.stall_timeout_seconds / 4)):
            try:
                now = self._measured()
                if now is None or now != last:
                    last, since = now, time.monotonic()
                elif time.monotonic() - since >= self.stall_timeout_seconds:
                    stages = self._active_stages()
                    stalled.set()
                    self.spark.sparkContext.cancelAllJobs()
                    self._free_places(stages)
                    return
            except Py4JError:
                # A stage that ended between two questions, or a JVM that is gone: the work itself will tell.
                last = None

    def _measured(self) -> Measured | None:
        """The counts of every active stage; None while no task runs, be it that Spark plans or waits."""
        stages = [self._store().lastStageAttempt(stage) for stage in self._active_stages()]
        if not any(stage.numActiveTasks() for stage in stages):
            return None
        return tuple(
            (stage.stageId(), stage.attemptId(), *(int(getattr(stage, name)()) for name in MEASURES))
            for stage in stages
        )

    def _active_stages(self) -> list[int]:
        return sorted(self.spark.sparkContext.statusTracker().getActiveStageIds())

    def _free_places(self, stages: list[int]) -> None:
        """In a local Spark, give the places of tasks that do not end to others: nothing else ever would."""
        context: Any = self.spark.sparkContext
        if context.master.partition("[")[0] != "local":
            return
        deadline = time.monotonic() + END_SECONDS
        while (stuck := self._running(stages)) and time.monotonic() < deadline:
            time.sleep(0.2)
        killed = jvm(self.spark).org.apache.spark.TaskState.KILLED()
        for task in stuck:
            context._jsc.sc().schedulerBackend().statusUpdate(task, killed, None)

    def _running(self, stages: list[int]) -> list[int]:
        """The ids of tasks of these stages that have not ended."""
        found = []
        for stage in stages:
            attempt = self._store().lastStageAttempt(stage).attemptId()
            tasks = self._store().taskList(stage, attempt, 1000).iterator()
            while tasks.hasNext():
                task = tasks.next()
                if task.status() == "RUNNING":
                    found.append(int(task.taskId()))
        return found

    def _store(self) -> Any:
        context: Any = self.spark.sparkContext
        return context._jsc.sc().statusStore()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
