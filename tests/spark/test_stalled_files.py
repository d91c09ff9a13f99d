"""Does a file that Spark reads for ever fail alone, in bounded time, and does the run end?"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from glue_scripts.reading import Located
from glue_scripts.staging import Attempt, Stager
from glue_scripts.stall_watchdog import StalledError, StallWatchdog
from taxi_etl.documents import AcceptedFile
from taxi_etl.identity import FileVersion
from tests.conftest import ROOT


def test_files_that_are_read_for_ever_fail_and_good_ones_of_their_batch_load(tmp_path):
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
    assert {name: file[:3] for name, file in found["files"].items()} == {
        "good.parquet": ["loaded", 4000, ""],
        "endless_at_its_end.parquet": ["failed", 0, "unreadable"],
        "endless_in_its_times.parquet": ["failed", 0, "unreadable"],
    }
    for name, (*_, message) in found["files"].items():
        assert name.startswith("endless") == ("fewer levels than values" in message), message
    assert found["rows"] == 8000
    assert time.time() - found["done"] < 60, "Spark ends with the run, although its threads do not"


class StandsStill(StallWatchdog):
    """StallWatchdog that work itself denies."""

    quick = True

    @contextmanager
    def expected(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.stalls += 1
            raise StalledError("reading it made no headway for 10 minutes") from None

    def decode_row_by_row(self) -> bool:
        was, self.quick = self.quick, False
        return was


class Reads(Stager):
    """A stager whose files named `endless` are read for ever by either decoder."""

    def _stage_together(self, files):
        if any("endless" in file.uri for file in files):
            raise TimeoutError
        return [Attempt(file, read=1) for file in files]


def files(*names: str) -> list[Located]:
    return [
        Located(
            AcceptedFile(FileVersion("lake", f"raw/taxi/{name}", "1"), "green", "parquet", ()), f"s3://{name}"
        )
        for name in names
    ]


def stager(headway: StallWatchdog) -> Reads:
    return Reads(spark=None, trips=None, quarantine=None, run=None, headway=headway)


def test_a_file_that_stands_still_for_both_decoders_fails_alone():
    attempts = stager(StandsStill(None, 600)).stage(files("good", "endless", "other"))

    assert [(attempt.located.uri, attempt.read, attempt.fault, attempt.error) for attempt in attempts] == [
        ("s3://good", 1, None, ""),
        ("s3://endless", 0, "unreadable", "reading it made no headway for 10 minutes"),
        ("s3://other", 1, None, ""),
    ]


def test_a_run_stands_still_four_times_at_most():
    headway = StandsStill(None, 600)

    with pytest.raises(StalledError):
        stager(headway).stage(files("endless 1", "endless 2", "endless 3", "endless 4"))

    assert headway.stalls == 4
