"""Tests of parsing the input of an execution."""

import json
from typing import Any

import pytest

from taxi_etl.engines import EngineChoice
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import (
    CURRENT_VERSION,
    ExecutionInput,
    InvalidInputError,
    Trigger,
    effective_engine,
    parse_files,
    parse_input,
)

ENTRY = {"key": "raw/taxi/a.csv", "size": 7, "etag": "e", "versionId": "v1", "sequencer": "0A"}


def test_what_is_written_is_read_again() -> None:
    given = ExecutionInput(
        "lake", (FileVersion("lake", "raw/taxi/a.csv", "v1", 7, "e", "0A"),), Trigger.BACKFILL
    )
    assert json.loads(given.dumps()) == {"bucket": "lake", "files": [ENTRY], "trigger": "backfill"}
    assert parse_input(json.loads(given.dumps())) == given


def test_keys_stay_readable_in_the_text() -> None:
    given = ExecutionInput("lake", (FileVersion("lake", "raw/taxi/größe.csv", "v1"),), Trigger.S3)
    assert "größe" in given.dumps()


def test_the_shorthand_means_the_current_version() -> None:
    assert parse_input({"bucket": "lake", "key": "raw/taxi/a.csv"}) == ExecutionInput(
        "lake", (FileVersion("lake", "raw/taxi/a.csv", CURRENT_VERSION),), Trigger.MANUAL
    )


def test_of_a_file_only_the_key_is_needed() -> None:
    given = parse_input(
        {"bucket": "lake", "files": [{"key": "raw/taxi/a.csv", "etag": None}], "trigger": "s3"}
    )
    assert given.files == (FileVersion("lake", "raw/taxi/a.csv", CURRENT_VERSION),)


def test_a_file_named_twice_is_one_file() -> None:
    assert len(parse_files("lake", [ENTRY, {**ENTRY, "size": 8}, {**ENTRY, "versionId": "v2"}])) == 2


@pytest.mark.parametrize(("files", "accepted"), [(99, True), (100, False)])
def test_an_execution_takes_99_files(files: int, accepted: bool) -> None:
    document = {"bucket": "lake", "files": [{**ENTRY, "versionId": f"v{number}"} for number in range(files)]}
    if accepted:
        assert len(parse_input(document).files) == 99
    else:
        with pytest.raises(InvalidInputError, match="the input has 100 files; the limit is 99"):
            parse_input(document)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("text", "the input must be a JSON object"),
        (None, "the input must be a JSON object"),
        ([ENTRY], "the input must be a JSON object"),
        ({}, '"bucket" is missing'),
        ({"bucket": ""}, '"bucket" is missing'),
        ({"bucket": 5, "key": "k"}, '"bucket" is missing or not text'),
        ({"bucket": "lake"}, 'must have either "files" or "key"'),
        ({"bucket": "lake", "key": "k", "files": [ENTRY]}, 'must have either "files" or "key"'),
        ({"bucket": "lake", "files": []}, "at least one file"),
        ({"bucket": "lake", "files": "raw/taxi/a.csv"}, '"files" must be a list'),
        ({"bucket": "lake", "files": {"key": "k"}}, '"files" must be a list'),
        ({"bucket": "lake", "files": [ENTRY, "k"]}, r"files\[1\] must be a JSON object"),
        ({"bucket": "lake", "key": ""}, r'files\[0\]: "key" is missing'),
        ({"bucket": "lake", "files": [{"versionId": "v1"}]}, r'files\[0\]: "key" is missing'),
        ({"bucket": "lake", "key": 5}, r"files\[0\]: key must be text"),
        ({"bucket": "lake", "files": [{**ENTRY, "etag": 1, "versionId": 2}]}, "etag, versionId must be text"),
        ({"bucket": "lake", "files": [{**ENTRY, "size": -1}]}, "size must be a number of bytes"),
        ({"bucket": "lake", "files": [{**ENTRY, "size": "7"}]}, "size must be a number of bytes"),
        ({"bucket": "lake", "files": [{**ENTRY, "size": True}]}, "size must be a number of bytes"),
        (
            {"bucket": "lake", "key": "k", "trigger": "cron"},
            "must be one of s3, manual, backfill, replay, not 'cron'",
        ),
        (
            {"bucket": "lake", "key": "k", "engine": "duckdb"},
            "\"engine\" must be one of glue, auto, not 'duckdb'",
        ),
        ({"bucket": "lake", "key": "k", "engine": 1}, "must be one of glue, auto, not 1"),
    ],
)
def test_an_invalid_input_is_an_error_with_the_reason(document: Any, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        parse_input(document)


@pytest.mark.parametrize("engine", [None, EngineChoice.GLUE, EngineChoice.AUTO])
def test_an_engine_survives_the_text_of_an_input(engine: EngineChoice | None) -> None:
    given = ExecutionInput("lake", parse_files("lake", [ENTRY]), Trigger.REPLAY, engine)

    assert parse_input(json.loads(given.dumps())) == given
    assert ("engine" in json.loads(given.dumps())) == (engine is not None)


@pytest.mark.parametrize(
    ("given", "deployed", "engine"),
    [
        (None, EngineChoice.GLUE, EngineChoice.GLUE),
        (None, EngineChoice.AUTO, EngineChoice.AUTO),
        (EngineChoice.GLUE, EngineChoice.GLUE, EngineChoice.GLUE),
        (EngineChoice.GLUE, EngineChoice.AUTO, EngineChoice.GLUE),
        (EngineChoice.AUTO, EngineChoice.AUTO, EngineChoice.AUTO),
    ],
)
def test_an_input_overrides_the_engine_of_its_app(
    given: EngineChoice | None, deployed: EngineChoice, engine: EngineChoice
) -> None:
    assert effective_engine(given, deployed) is engine


def test_an_app_without_the_function_for_small_batches_refuses_auto() -> None:
    with pytest.raises(InvalidInputError, match=r"deployed with engine = glue .* set engine = auto"):
        effective_engine(EngineChoice.AUTO, EngineChoice.GLUE)
