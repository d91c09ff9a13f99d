"""Tests that each ended job run is counted, with its cost."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fakes.faults import fault
from fakes.glue import JobRuns

Handler = Callable[[Any], Any]
Sample = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"])
def test_a_job_run_is_counted_in_every_final_state(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any], state: str
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": state, "ExecutionTime": 90, "MaxCapacity": 3.0}

    assert close(sample("job_run_ended")) == {"costUsd": 0.0231}

    assert glue.arguments("get_job_run") == [{"JobName": "job-process-taxi-data", "RunId": "jr_1"}]
    assert metrics() == {"JobCostUsd": 0.0231, "JobDpuHours": 0.075}


@pytest.mark.parametrize(
    ("state", "failed"),
    [
        ("SUCCEEDED", {}),
        ("STOPPED", {}),
        ("FAILED", {"JobRunsFailed": 1}),
        ("TIMEOUT", {"JobRunsFailed": 1}),
        ("ERROR", {"JobRunsFailed": 1}),
        ("EXPIRED", {"JobRunsFailed": 1}),
    ],
)
def test_a_failed_job_run_is_counted_even_if_glue_no_longer_has_it(
    *, close: Handler, sample: Sample, metrics: Callable[[], Any], state: str, failed: dict[str, int]
) -> None:
    event = sample("job_run_ended")
    event["detail"]["state"] = state

    close(event)

    assert metrics() == failed


def test_a_job_run_that_never_began_counts_as_zero(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any]
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "STOPPED", "ExecutionTime": 0, "MaxCapacity": 3.0}

    assert close(sample("job_run_ended")) == {"costUsd": 0}

    assert metrics() == {"JobCostUsd": 0, "JobDpuHours": 0}


def test_a_job_run_without_a_duration_is_logged_and_not_counted(
    *,
    close: Handler,
    sample: Sample,
    glue: JobRuns,
    metrics: Callable[[], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "FAILED", "MaxCapacity": 3.0}

    assert close(sample("job_run_ended")) == {"costUsd": None}

    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (warning.getMessage(), warning.job_run) == ("the job run has no duration", "jr_1")
    assert metrics() == {}


def test_a_job_run_that_glue_does_not_have_is_logged_and_not_counted(
    *, close: Handler, sample: Sample, metrics: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert close(sample("job_run_ended")) == {"costUsd": None}

    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (warning.getMessage(), warning.job_run) == ("Glue does not have the ended job run", "jr_1")
    assert metrics() == {}


def test_an_error_of_glue_fails_the_invocation_so_that_it_is_retried(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any]
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "FAILED", "ExecutionTime": 60, "MaxCapacity": 6.0}
    glue.fail("get_job_run", fault("ThrottlingException"))

    with pytest.raises(ClientError):
        close(sample("job_run_ended"))
    assert metrics() == {}

    close(sample("job_run_ended"))
    assert metrics() == {"JobCostUsd": 0.0308, "JobDpuHours": 0.1}
