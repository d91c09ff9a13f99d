"""Is the cost of every job run counted, once it has ended?"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fakes.faults import fault
from fakes.glue import JobRuns

Handler = Callable[[Any], Any]
Sample = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"])
def test_a_run_is_counted_at_its_cost_however_it_ended(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any], state: str
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": state, "ExecutionTime": 90, "MaxCapacity": 3.0}

    assert close(sample("job_run_ended")) == {"costUsd": 0.0231}

    assert glue.arguments("get_job_run") == [{"JobName": "job-process-taxi-data", "RunId": "jr_1"}]
    assert metrics() == {"JobCostUsd": 0.0231, "JobDpuHours": 0.075}


def test_a_run_that_never_began_counts_with_nothing(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any]
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "STOPPED", "ExecutionTime": 0, "MaxCapacity": 3.0}

    assert close(sample("job_run_ended")) == {"costUsd": 0}

    assert metrics() == {"JobCostUsd": 0, "JobDpuHours": 0}


def test_a_run_that_does_not_tell_is_logged_and_not_counted(
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
    assert (warning.getMessage(), warning.job_run) == ("a job run does not tell what it took", "jr_1")
    assert metrics() == {}


def test_a_run_of_a_job_that_is_gone_is_logged_and_not_counted(
    *, close: Handler, sample: Sample, metrics: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert close(sample("job_run_ended")) == {"costUsd": None}

    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warning.job_run == "jr_1"
    assert metrics() == {}


def test_a_fault_of_glue_fails_the_function_so_that_it_is_tried_again(
    *, close: Handler, sample: Sample, glue: JobRuns, metrics: Callable[[], Any]
) -> None:
    glue.runs["jr_1"] = {"Id": "jr_1", "JobRunState": "FAILED", "ExecutionTime": 60, "MaxCapacity": 6.0}
    glue.fail("get_job_run", fault("ThrottlingException"))

    with pytest.raises(ClientError):
        close(sample("job_run_ended"))
    assert metrics() == {}

    close(sample("job_run_ended"))
    assert metrics() == {"JobCostUsd": 0.0308, "JobDpuHours": 0.1}
