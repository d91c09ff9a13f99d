"""Tests of the scripted answers against botocore's models and our own code."""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.workflow import api_shapes, service_answers


def glue() -> ServiceModel:
    """Return Glue's API model."""
    return ServiceModel(Loader().load_service_model("glue", "service-2"), "glue")


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("JobRunState", service_answers.JOB_RUN_STATES),
        ("CrawlerState", service_answers.CRAWLER_STATES),
        ("LastCrawlStatus", service_answers.CRAWL_STATUSES),
    ],
)
def test_the_scripted_states_are_those_of_glue(shape: str, names: tuple[str, ...]) -> None:
    assert set(glue().shape_for(shape).enum) == set(names)


def unknown_fields(document: Any, shape: api_shapes.Shape, where: str = "") -> list[str]:
    """Return the fields of an answer that its producer does not send."""
    if not isinstance(document, dict) or shape is None or "$entered" in document:
        return []
    unknown = [f"{where}.{name}" for name in document if name not in shape]
    inside = [unknown_fields(part, shape.get(name), f"{where}.{name}") for name, part in document.items()]
    return unknown + [each for found in inside for each in found]


@pytest.mark.parametrize(
    ("answer", "resource"),
    [
        (service_answers.job_run("FAILED", "why"), "arn:aws:states:::glue:startJobRun.sync"),
        (service_answers.crawler(message="why"), "arn:aws:states:::aws-sdk:glue:getCrawler"),
        (service_answers.summary_object(), "arn:aws:states:::aws-sdk:s3:getObject"),
    ],
)
def test_answers_have_the_fields_of_their_api(answer: Any, resource: str) -> None:
    assert unknown_fields(answer["Return"], api_shapes.result(resource)) == []


@pytest.mark.parametrize(
    "answer",
    [service_answers.small_batch_loaded(), service_answers.small_batch_declined("why")],
    ids=["loaded", "declined"],
)
def test_the_function_for_small_batches_answers_its_own_fields(answer: Any) -> None:
    assert unknown_fields(answer["Return"]["Payload"], api_shapes.small_batch()) == []
