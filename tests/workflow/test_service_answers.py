"""Are the scripted answers those that AWS and our own steps send? Held to botocore and to the core."""

import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.workflow import api_shapes, service_answers
from tests.workflow.error_scenarios import ROWS


def glue() -> ServiceModel:
    """Glue's API."""
    return ServiceModel(Loader().load_service_model("glue", "service-2"), "glue")


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("JobRunState", service_answers.RUN_STATES),
        ("CrawlerState", service_answers.CRAWLER_STATES),
        ("LastCrawlStatus", service_answers.LAST_CRAWLS),
    ],
)
def test_every_state_that_glue_knows_is_scripted(shape: str, names: tuple[str, ...]) -> None:
    assert set(glue().shape_for(shape).enum) == set(names)


def strangers(document: Any, shape: api_shapes.Shape, where: str = "") -> list[str]:
    """Fields of an answer that its producer does not send."""
    if not isinstance(document, dict) or shape is None or "$entered" in document:
        return []
    unknown = [f"{where}.{name}" for name in document if name not in shape]
    inside = [strangers(part, shape.get(name), f"{where}.{name}") for name, part in document.items()]
    return unknown + [each for found in inside for each in found]


@pytest.mark.parametrize(
    ("answer", "resource"),
    [
        (service_answers.job_run("FAILED", "why"), "arn:aws:states:::glue:startJobRun.sync"),
        (service_answers.crawler(message="why"), "arn:aws:states:::aws-sdk:glue:getCrawler"),
        (service_answers.summarised(), "arn:aws:states:::aws-sdk:s3:getObject"),
    ],
)
def test_answers_have_the_fields_of_their_api(answer: Any, resource: str) -> None:
    assert strangers(answer["Return"], api_shapes.result(resource)) == []


def test_the_functions_answer_is_its_own() -> None:
    payload = service_answers.validated(rejected=1)["Return"]["Payload"]

    assert api_shapes.of_json(payload) == api_shapes.validation()


def test_the_summary_is_the_jobs_own() -> None:
    summary = json.loads(service_answers.summarised(failed=1)["Return"]["Body"])
    own = api_shapes.job_summary()

    assert own is not None
    assert set(summary) == set(own)
    assert strangers(summary, own) == []
    for name in ("counts", "rows", "error"):
        assert set(summary[name]) == set(own[name]), name


def test_a_failed_run_carries_itself_as_text() -> None:
    thrown = service_answers.failed_run("TIMEOUT")["Throw"]

    assert thrown["Error"] == "States.TaskFailed"
    assert json.loads(thrown["Cause"])["JobRunState"] == "TIMEOUT"


def test_every_error_that_is_tried_again_is_in_the_table_once() -> None:
    named = [(row.state, error) for row in ROWS for error in row.errors]

    assert len(named) == len(set(named)) == 41
