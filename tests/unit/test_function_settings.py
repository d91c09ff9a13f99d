"""Tests that constructs and handlers use the same variables, and that errors name the wrong ones."""

import pytest

from taxi_etl.function_settings import (
    FinalizerSettings,
    FunctionSettings,
    OrchestratorSettings,
    SmallBatchSettings,
    ValidatorSettings,
)

GIVEN = OrchestratorSettings("arn:machine", False, "etl-file-ledger", 99, 10**9, "glue")
SMALL_BATCH = SmallBatchSettings("taxi", "s3://lake/warehouse/", 0.5, "warn", "taxi-etl", "arn:role", 7, 4096)


def test_variables_are_the_fields_in_capitals() -> None:
    assert GIVEN.to_environment() == {
        "STATE_MACHINE_ARN": "arn:machine",
        "ENABLE_ORCHESTRATION": "false",
        "LEDGER_TABLE": "etl-file-ledger",
        "BATCH_MAX_FILES": "99",
        "BATCH_MAX_BYTES": "1000000000",
        "ENGINE": "glue",
    }


@pytest.mark.parametrize(
    "settings",
    [
        GIVEN,
        OrchestratorSettings("arn:machine", True, "t", 1, 1, "auto"),
        ValidatorSettings("lake", 5, "reject", "auto", 4, 3, 2, 1),
        SMALL_BATCH,
        FinalizerSettings("arn:machine", "t", "lake", "arn:topic", 900, "taxi-etl --environment dev", True),
    ],
)
def test_a_handler_reads_the_variables_that_the_construct_writes(
    settings: FunctionSettings,
) -> None:
    environment = {**settings.to_environment(), "AWS_REGION": "eu-west-1"}
    assert type(settings).from_environment(environment) == settings


def test_an_error_names_every_missing_variable() -> None:
    with pytest.raises(
        ValueError,
        match="missing environment variables: COMMAND, OPTIMIZER_ROLE, RETENTION_DAYS, STORAGE_MB;",
    ):
        given = {"DATABASE": "taxi", "WAREHOUSE": "s3://lake/", "MAX_QUARANTINE_SHARE": "0.5"}
        given["ANOMALY_POLICY"] = "warn"
        SmallBatchSettings.from_environment(given)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ENABLE_ORCHESTRATION", "True", "ENABLE_ORCHESTRATION is 'True'; it must be true or false"),
        ("BATCH_MAX_FILES", "many", "BATCH_MAX_FILES is 'many'; it must be a whole number"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        OrchestratorSettings.from_environment({**GIVEN.to_environment(), name: value})


def test_a_wrong_share_is_named() -> None:
    with pytest.raises(ValueError, match="MAX_QUARANTINE_SHARE is 'half'; it must be a number"):
        SmallBatchSettings.from_environment({**SMALL_BATCH.to_environment(), "MAX_QUARANTINE_SHARE": "half"})
