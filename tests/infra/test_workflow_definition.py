"""Tests of the state machine's definition against handwritten tables of retries, catches and timeouts.

tests/workflow/test_static.py checks the definition's structure.
"""

from typing import Any

import pytest

from .templates import Stacks, machine_definition, only

LAMBDA_ERRORS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
]
SNS_ERRORS = [
    "SNS.InternalErrorException",
    "SNS.ThrottledException",
    "SNS.KMSThrottlingException",
    "SNS.AmazonSNSException",
    "SNS.SnsException",
    "SNS.SdkClientException",
]
PUBLISHES = [
    "NotifyValidationFailure",
    "NotifyRejectedFiles",
    "NotifyFailure",
    "NotifySuccess",
    "NotifyPartialSuccess",
]

# state: (errors, attempts, interval in seconds, backoff, longest delay in seconds)
RETRIES: dict[str, list[tuple[list[str], int, int, float, int]]] = {
    "ValidateInput": [(LAMBDA_ERRORS, 3, 2, 2.0, 30)],
    "RunGlueETLJob": [
        (
            ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"],
            5,
            60,
            1.5,
            600,
        ),
        (
            [
                "Glue.InternalServiceException",
                "Glue.ThrottlingException",
                "Glue.OperationTimeoutException",
                "Glue.AWSGlueException",
            ],
            2,
            30,
            2.0,
            120,
        ),
    ],
    "ReadJobResult": [(["S3.S3Exception", "S3.SdkClientException"], 3, 2, 2.0, 30)],
    "RunCrawlerUpdate": [
        (["Glue.CrawlerRunningException"], 3, 60, 1.5, 300),
        (
            [
                "Glue.OperationTimeoutException",
                "Glue.InternalServiceException",
                "Glue.ThrottlingException",
                "Glue.GlueException",
                "Glue.SdkClientException",
            ],
            2,
            30,
            2.0,
            120,
        ),
    ],
    "CheckCrawlerStatus": [
        (
            [
                "Glue.InternalServiceException",
                "Glue.ThrottlingException",
                "Glue.GlueException",
                "Glue.SdkClientException",
            ],
            3,
            5,
            2.0,
            60,
        )
    ],
    **{state: [(SNS_ERRORS, 4, 2, 2.0, 60)] for state in PUBLISHES},
}

# state: (error, next state), in the order in which Step Functions matches them
CATCHES = {
    "ValidateInput": [("States.ALL", "NotifyValidationFailure")],
    "RunGlueETLJob": [("States.ALL", "NotifyGlueJobFailure")],
    "ReadJobResult": [("States.ALL", "NotifyGlueJobFailure")],
    "RunCrawlerUpdate": [
        ("Glue.CrawlerRunningException", "WaitForCrawler"),
        ("States.ALL", "HandleCrawlerFailure"),
    ],
    "CheckCrawlerStatus": [("States.ALL", "HandleCrawlerFailure")],
    **{state: [("States.ALL", "NotificationFailed")] for state in PUBLISHES},
}

# The Glue task's: 120 minutes for the run, times one plus a queue of four.
TIMEOUTS = {
    "ValidateInput": 75,
    "RunGlueETLJob": 36_000,
    "ReadJobResult": 30,
    "RunCrawlerUpdate": 30,
    "CheckCrawlerStatus": 30,
    **dict.fromkeys(PUBLISHES, 30),
}

RESOURCES = {
    "ValidateInput": "arn:aws:states:::lambda:invoke",
    "RunGlueETLJob": "arn:aws:states:::glue:startJobRun.sync",
    "ReadJobResult": "arn:aws:states:::aws-sdk:s3:getObject",
    "RunCrawlerUpdate": "arn:aws:states:::aws-sdk:glue:startCrawler",
    "CheckCrawlerStatus": "arn:aws:states:::aws-sdk:glue:getCrawler",
    **dict.fromkeys(PUBLISHES, "arn:aws:states:::sns:publish"),
}

ENDINGS = {
    "ValidationFailed": "ValidationFailed",
    "ExecutionFailed": "ExecutionFailed",
    "NotificationFailed": "NotificationFailed",
}


def tasks(definition: dict[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def followers(state: dict[str, Any]) -> set[str]:
    rules = [*state.get("Choices", []), *state.get("Catch", []), state]
    return {rule["Next"] for rule in rules if "Next" in rule} | (
        {state["Default"]} if "Default" in state else set()
    )


def test_the_machine_uses_jsonata_and_starts_with_validation(definition) -> None:
    assert definition["QueryLanguage"] == "JSONata"
    assert definition["StartAt"] == "ValidateInput"


def test_every_task_calls_its_api(definition) -> None:
    assert {name: state["Resource"] for name, state in tasks(definition).items()} == RESOURCES


def test_every_task_has_exactly_its_retries(definition) -> None:
    found = {
        name: [
            (
                retry["ErrorEquals"],
                retry["MaxAttempts"],
                retry["IntervalSeconds"],
                retry["BackoffRate"],
                retry["MaxDelaySeconds"],
            )
            for retry in state["Retry"]
        ]
        for name, state in tasks(definition).items()
    }

    assert found == RETRIES
    assert {retry["JitterStrategy"] for state in tasks(definition).values() for retry in state["Retry"]} == {
        "FULL"
    }


def test_every_caught_error_leads_to_its_state(definition) -> None:
    found = {
        name: [(error, catch["Next"]) for catch in state["Catch"] for error in catch["ErrorEquals"]]
        for name, state in tasks(definition).items()
    }

    assert found == CATCHES


def test_every_task_has_its_timeout(definition) -> None:
    assert {name: state["TimeoutSeconds"] for name, state in tasks(definition).items()} == TIMEOUTS


def test_the_glue_task_has_no_null_and_no_run_timeout(definition) -> None:
    arguments = definition["States"]["RunGlueETLJob"]["Arguments"]

    assert sorted(arguments) == ["Arguments", "JobName", "NotificationProperty"]
    assert arguments["NotificationProperty"] == {"NotifyDelayAfter": 120}
    assert arguments["Arguments"] == {"--manifest": "{% $validation.manifest %}"}


def test_the_machines_timeout_is_longer_than_all_its_states(definition) -> None:
    crawls = 60 * (30 + 30)

    assert definition["TimeoutSeconds"] > sum(TIMEOUTS.values()) + crawls


def test_fail_states_have_the_errors_that_the_finalizer_distinguishes(definition) -> None:
    from taxi_etl.notifications import ANNOUNCED_ERRORS

    fails = {name: state["Error"] for name, state in definition["States"].items() if state["Type"] == "Fail"}
    assert fails == ENDINGS
    assert {"ValidationFailed", "ExecutionFailed"} == ANNOUNCED_ERRORS


def test_the_machine_logs_all_events_and_is_traced(prod: Stacks) -> None:
    machine = only(prod.pipeline, "AWS::StepFunctions::StateMachine")

    assert machine.properties["StateMachineName"] == "etl-pipeline-workflow"
    assert machine.properties["TracingConfiguration"] == {"Enabled": True}
    logging = machine.properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)
    group = only(
        prod.pipeline, "AWS::Logs::LogGroup", LogGroupName="/aws/vendedlogs/states/etl-pipeline-workflow"
    )
    assert logging["Destinations"] == [
        {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": [group.id, "Arn"]}}}
    ]
    # Express workflows cannot wait for a job run, and their executions cannot be found by name.
    assert machine.properties.get("StateMachineType", "STANDARD") == "STANDARD"


@pytest.mark.parametrize(("environment", "same"), [("dev", "prod"), ("custom", "prod"), ("local", "auto")])
def test_environments_with_the_same_engine_have_the_same_states(environments, environment, same) -> None:
    def shape(name: str) -> dict[str, Any]:
        states = machine_definition(environments[name])["States"]
        return {name: (state["Type"], followers(state)) for name, state in states.items()}

    assert shape(environment) == shape(same)


def test_a_failed_job_run_is_never_retried(definition: dict[str, Any]) -> None:
    retried = {
        error for row in definition["States"]["RunGlueETLJob"]["Retry"] for error in row["ErrorEquals"]
    }

    # Every failed job run is a States.TaskFailed, and so is every other error of the task.
    assert not retried & {"States.TaskFailed", "States.ALL"}
    assert all(error.startswith("Glue.") for error in retried)
