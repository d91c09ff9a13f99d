"""Tests of the states of ended job runs against the API's."""

import botocore.session

from taxi_etl.job_runs import ENDED_STATES, FAILED_STATES

UNENDED = {"STARTING", "RUNNING", "STOPPING", "WAITING"}


def test_every_state_of_the_api_is_known() -> None:
    model = botocore.session.get_session().get_service_model("glue")

    assert set(model.shape_for("JobRunState").enum) == UNENDED | set(ENDED_STATES)


def test_only_what_nobody_stopped_is_a_failure() -> None:
    assert set(ENDED_STATES) - set(FAILED_STATES) == {"SUCCEEDED", "STOPPED"}
