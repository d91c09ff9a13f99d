"""Watchdog that cancels Spark's work when its tasks make no progress.

Spark 4.1.1's vectorized Parquet decoder was seen to hang on damaged files, without raising an error. After a
stall a job run decodes row by row (parquet-java), which raises an error there.

A hanging task thread cannot be interrupted. On a cluster Spark's task reaper ends its executor
(`spark.task.reaper` in the job's configuration) and another executor takes over. In local mode the thread
stays until the process ends, so the watchdog only gives its task slot back.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from glue_scripts.reading import VECTORIZED_READER, jvm
from glue_scripts.spark_errors import SPARK_ERRORS
from taxi_etl.stall_timeout import STALLS_MAX

POLL_SECONDS = 2.0
CANCEL_GRACE_SECONDS = 5.0
"""How long a canceled task may take to end before its local slot is given to another task."""
PROGRESS_METRICS = (
    "numCompleteTasks",
    "inputBytes",
    "inputRecords",
    "outputBytes",
    "outputRecords",
    "shuffleReadBytes",
    "shuffleWriteBytes",
    "memoryBytesSpilled",
)
"""Stage metrics; a working task changes at least one of them. Executors report them with their heartbeats."""

Progress = tuple[tuple[int, ...], ...]


class StalledError(Exception):
    """Tasks were running, and none of them read, wrote or finished anything within the stall timeout."""


@dataclass
class StallWatchdog:
    """Watches Spark's tasks for one job run and counts its stalls."""

    spark: SparkSession
    stall_timeout_seconds: float
    stalls: int = 0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch the Spark work inside the block.

        On a stall all Spark jobs are canceled, and StalledError replaces the error that this causes.
        """
        finished, stalled = threading.Event(), threading.Event()
        monitor = threading.Thread(target=self._monitor, args=(finished, stalled), daemon=True)
        monitor.start()
        try:
            yield
        except SPARK_ERRORS as error:
            if not stalled.is_set():
                raise
            self.stalls += 1
            raise StalledError(
                f"Spark made no progress for {_duration(self.stall_timeout_seconds)}"
            ) from error
        finally:
            finished.set()
            monitor.join()

    @property
    def limit_exceeded(self) -> bool:
        """Whether this job run has stalled too often to continue."""
        return self.stalls > STALLS_MAX

    def disable_vectorized_reader(self) -> bool:
        """Decode Parquet files row by row for the rest of the job run; False if that was already so."""
        was_enabled = self.spark.conf.get(VECTORIZED_READER) == "true"
        self.spark.conf.set(VECTORIZED_READER, "false")
        return was_enabled

    def _monitor(self, finished: threading.Event, stalled: threading.Event) -> None:
        last: Progress | None = None
        since = time.monotonic()
        while not finished.wait(min(POLL_SECONDS, self.stall_timeout_seconds / 4)):
            try:
                progress = self._progress()
                if progress is None or progress != last:
                    last, since = progress, time.monotonic()
                elif time.monotonic() - since >= self.stall_timeout_seconds:
                    stages = self._active_stages()
                    stalled.set()
                    self.spark.sparkContext.cancelAllJobs()
                    self._release_local_slots(stages)
                    return
            except Py4JError:
                # A stage ended between two calls, or the JVM is gone; in that case the watched work raises.
                last = None

    def _progress(self) -> Progress | None:
        """The metrics of every active stage; None while no task runs, as when Spark plans a query."""
        stages = [self._status_store().lastStageAttempt(stage) for stage in self._active_stages()]
        if not any(stage.numActiveTasks() for stage in stages):
            return None
        return tuple(
            (stage.stageId(), stage.attemptId(), *(int(getattr(stage, name)()) for name in PROGRESS_METRICS))
            for stage in stages
        )

    def _active_stages(self) -> list[int]:
        return sorted(self.spark.sparkContext.statusTracker().getActiveStageIds())

    def _release_local_slots(self, stages: list[int]) -> None:
        """In local mode, report tasks that ignore their cancellation as killed, which frees their slots."""
        context: Any = self.spark.sparkContext
        if context.master.partition("[")[0] != "local":
            return
        deadline = time.monotonic() + CANCEL_GRACE_SECONDS
        while (hanging := self._running_tasks(stages)) and time.monotonic() < deadline:
            time.sleep(0.2)
        killed = jvm(self.spark).org.apache.spark.TaskState.KILLED()
        for task in hanging:
            context._jsc.sc().schedulerBackend().statusUpdate(task, killed, None)

    def _running_tasks(self, stages: list[int]) -> list[int]:
        """The ids of running tasks of these stages."""
        found = []
        for stage in stages:
            attempt = self._status_store().lastStageAttempt(stage).attemptId()
            tasks = self._status_store().taskList(stage, attempt, 1000).iterator()
            while tasks.hasNext():
                task = tasks.next()
                if task.status() == "RUNNING":
                    found.append(int(task.taskId()))
        return found

    def _status_store(self) -> Any:
        context: Any = self.spark.sparkContext
        return context._jsc.sc().statusStore()


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
