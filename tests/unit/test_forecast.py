"""Tests of the forecast of a backfill, with times and costs computed by hand."""

import pytest

from taxi_etl.batches import BatchLimits
from taxi_etl.forecast import Capacity, Forecast, forecast
from taxi_etl.identity import FileVersion

MIB = 1024 * 1024
DEV = Capacity("G.1X", workers=3, concurrent_runs=3)
"""Eight cores read files, and three DPUs are billed."""
LIMITS = BatchLimits(99, 20 * 1024 * MIB)


def files(count, size, suffix="parquet"):
    return [FileVersion("lake", f"raw/taxi/{n:03}.{suffix}", "v1", size) for n in range(count)]


def rounded(found):
    return (found.executions, round(found.hours * 3600), round(found.dpu_hours * 3600), round(found.usd, 4))


def test_the_forecast_without_files_is_zero():
    assert forecast([], LIMITS, DEV) == Forecast(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("suffix", "mib", "seconds"),
    [
        # Eight cores with 4 MiB a second each, after 60 seconds of start.
        pytest.param("parquet", 320, 70, id="parquet"),
        # Eight cores with 5 MiB a second each.
        pytest.param("csv", 400, 70, id="csv"),
        # One core with 1 MiB a second.
        pytest.param("csv.gz", 40, 100, id="csv.gz"),
    ],
)
def test_a_file_takes_the_start_and_its_rate(suffix, mib, seconds):
    # Three DPUs at 0.308 dollars an hour.
    usd = round(seconds * 3 / 3600 * 0.308, 4)
    assert rounded(forecast(files(1, mib * MIB, suffix), LIMITS, DEV)) == (1, seconds, 3 * seconds, usd)


def test_many_gzip_files_share_the_cores():
    # 16 files of 40 MiB are 640 core-seconds, 80 for each of eight cores: more than the 40 of one file.
    assert rounded(forecast(files(16, 40 * MIB, "csv.gz"), LIMITS, DEV))[1] == 140


def test_job_runs_beyond_the_concurrent_ones_wait():
    # Four executions of 99 small files, 60 seconds each; the fourth starts when the first has ended.
    found = forecast(files(4 * 99, 0), LIMITS, DEV)
    assert rounded(found) == (4, 120, 4 * 60 * 3, round(4 * 60 * 3 / 3600 * 0.308, 4))


def test_more_and_larger_workers_take_less_time():
    large = Capacity("G.2X", workers=11, concurrent_runs=1)
    # Ten workers with eight cores of 4 MiB a second each: 320 MiB a second.
    assert rounded(forecast(files(1, 3200 * MIB), LIMITS, large))[:3] == (1, 70, 70 * 22)


def test_a_single_worker_reads_files_itself():
    assert rounded(forecast(files(1, 160 * MIB), LIMITS, Capacity("G.1X", 1, 1)))[:3] == (1, 70, 70)


def test_the_limits_of_executions_are_those_of_the_orchestrator():
    assert forecast(files(3, 10), BatchLimits(99, 20), DEV).executions == 2
    assert forecast(files(3, 10), BatchLimits(1, 20), DEV).executions == 3


def test_a_file_of_an_unknown_format_is_counted():
    assert forecast(files(1, 10, "xml"), LIMITS, DEV).executions == 1
