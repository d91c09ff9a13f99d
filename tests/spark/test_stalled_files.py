"""Tests of the stall watchdog and of how a batch continues after a stall."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from glue_scripts.staging import Stager
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from loading.file_load import FileLoad
from loading.source_file import SourceFile
from taxi_etl.documents import AcceptedFile
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.identity import FileVersion
from tests.conftest import ROOT


def test_a_file_that_stalls_both_decoders_fails_alone_and_the_rest_of_its_batch_loads(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "tests.spark.stalled_batch", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["files"] == {
        "loads.parquet": ["loaded", 1000, "", ""],
        "sleeps_vectorized.parquet": ["loaded", 1000, "", ""],
        "sleeps_always.parquet": ["failed", 0, "unreadable", "Spark made no progress for 9 seconds"],
    }
    assert found["rows"] == 3000, "those of the first load included"
    assert time.time() - found["finished"] < 60, "the process must not wait for tasks that still sleep"


class FakeWatchdog(StallWatchdog):
    """A watchdog that takes a TimeoutError for a stall."""

    vectorized = True

    @contextmanager
    def watch(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.stalls += 1
            raise StalledError("Spark made no progress for 10 minutes") from None

    def disable_vectorized_reader(self) -> bool:
        was_enabled, self.vectorized = self.vectorized, False
        return was_enabled


class FakeWriter:
    """A writer that stalls on files named `stalls`, whichever decoder reads them."""

    trips = None

    def write(self, files):
        if any("stalls" in file.uri for file in files):
            raise TimeoutError
        return [FileLoad(file, read=1) for file in files]


def files(*names: str) -> list[SourceFile]:
    return [
        SourceFile(
            AcceptedFile(FileVersion("lake", f"raw/taxi/{name}", "1"), "green", "parquet", ()), f"s3://{name}"
        )
        for name in names
    ]


def test_after_a_second_stall_each_file_is_read_alone():
    loads = Stager(FakeWriter(), FakeWatchdog(None, 600)).stage(files("good", "stalls", "other"))

    assert [(load.source.uri, load.read, load.failure) for load in loads] == [
        ("s3://good", 1, None),
        ("s3://stalls", 0, Failure(FailureCode.UNREADABLE, "Spark made no progress for 10 minutes")),
        ("s3://other", 1, None),
    ]


def test_the_fourth_stall_ends_the_job_run():
    watchdog = FakeWatchdog(None, 600)

    with pytest.raises(StalledError):
        Stager(FakeWriter(), watchdog).stage(files("stalls 1", "stalls 2", "stalls 3", "stalls 4"))

    assert watchdog.stalls == 4
