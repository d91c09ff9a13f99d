"""Tests of apps with `engine = auto`: the function for small batches, its role, and its states."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT
from .mermaid import flowchart
from .templates import Stacks, flat, machine_definition, only, permissions, readable, resources

FUNCTION = "etl-run-small-batch"
STATES = {"ChooseEngine", "RunSmallBatch", "CheckSmallBatch"}
UNPACKED_MAX = 250 * 1024 * 1024
"""Lambda's limit for a function with its layers, in bytes."""


def function(stacks: Stacks) -> dict[str, Any]:
    return only(stacks.pipeline, "AWS::Lambda::Function", FunctionName=FUNCTION).properties


def alarm_names(stacks: Stacks) -> set[str]:
    return {each.properties["AlarmName"] for each in resources(stacks.pipeline, "AWS::CloudWatch::Alarm")}


@pytest.mark.parametrize("environment", ["dev", "prod", "custom"])
def test_apps_with_one_engine_have_no_trace_of_the_other(
    environments: dict[str, Stacks], environment: str
) -> None:
    pipeline = environments[environment].pipeline

    assert len(resources(pipeline, "AWS::Lambda::Function")) == 3
    assert len(resources(pipeline, "AWS::Lambda::LayerVersion")) == 2
    assert not STATES & set(machine_definition(environments[environment])["States"])
    assert FUNCTION not in str(pipeline)


def test_the_states_of_the_job_are_the_same_with_both_engines(
    definition: dict[str, Any], auto_definition: dict[str, Any]
) -> None:
    states, with_both = definition["States"], auto_definition["States"]
    different = {name for name in states if states[name] != with_both[name]}

    assert set(with_both) - set(states) == STATES
    # ValidateInput assigns the engine, two states lead to the others, and three messages name the engine.
    assert different == {
        "ValidateInput",
        "CheckValidation",
        "NotifyRejectedFiles",
        "NotifySuccess",
        "NotifyPartialSuccess",
        "NotifyFailure",
    }


def test_a_small_batch_is_invoked_once_and_every_error_leads_to_the_job(
    auto_definition: dict[str, Any],
) -> None:
    state = auto_definition["States"]["RunSmallBatch"]

    assert state["Resource"] == "arn:aws:states:::lambda:invoke"
    assert state["TimeoutSeconds"] == 615
    assert state["Retry"] == [
        {
            # Lambda refused the call, so nothing was started.
            "ErrorEquals": ["Lambda.TooManyRequestsException"],
            "IntervalSeconds": 5,
            "MaxAttempts": 4,
            "BackoffRate": 2.0,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        }
    ]
    assert [(each["ErrorEquals"], each["Next"]) for each in state["Catch"]] == [
        (["States.ALL"], "RunGlueETLJob")
    ]
    assert state["Arguments"]["Payload"] == {"manifest": "{% $validation.manifest %}"}


def test_the_machines_timeout_has_room_for_the_function(
    definition: dict[str, Any], auto_definition: dict[str, Any]
) -> None:
    assert auto_definition["TimeoutSeconds"] - definition["TimeoutSeconds"] == 660


def test_the_function_has_its_size_its_settings_and_its_own_log_group(auto: Stacks) -> None:
    from taxi_etl.function_settings import SmallBatchSettings

    properties = function(auto)
    environment = {name: flat(value) for name, value in properties["Environment"]["Variables"].items()}
    group = only(auto.pipeline, "AWS::Logs::LogGroup", LogGroupName=f"/aws/lambda/{FUNCTION}")

    assert properties["Handler"] == "lambdas.run_small_batch.handler.handler"
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
    assert (properties["Timeout"], properties["MemorySize"]) == (600, 1769)
    assert properties["EphemeralStorage"] == {"Size": 4096}
    assert len(properties["Layers"]) == 2
    # Reserved concurrency would take from the account's quota, which new accounts do not have.
    assert "ReservedConcurrentExecutions" not in properties
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": group.id}}
    settings = SmallBatchSettings.from_environment(environment)
    assert (settings.database, settings.warehouse, settings.max_quarantine_share) == (
        "taxi",
        "s3://${AWS::AccountId}-oubt-datalake/warehouse/",
        0.5,
    )
    assert (settings.command, settings.retention_days, settings.storage_mb) == (
        "taxi-etl --environment prod",
        7,
        4096,
    )
    assert settings.optimizer_role.startswith("${JobOptimizerRole")


def test_the_function_may_do_what_the_job_may_do_with_files_and_tables(auto: Stacks) -> None:
    found = permissions(auto.pipeline)
    job, small = found["Job/Role"], found["SmallBatch/Role"]

    assert small - job == {
        "logs:CreateLogStream on ${SmallBatchLogs.Arn}",
        "logs:PutLogEvents on ${SmallBatchLogs.Arn}",
        "xray:PutTraceSegments on *",
        "xray:PutTelemetryRecords on *",
    }
    assert {permission.split(" on ")[0] for permission in job - small} == {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetBucketLocation",  # a call of Glue's own clients
        "s3:GetObject",  # the job's script and packages
        "s3:ListBucket",  # of the tables' files, as Iceberg's Java library does
    }
    assert sorted(each.split(" if ")[1] for each in small if each.startswith("s3:ListBucket")) == [
        '{"StringLike": {"s3:prefix": ["raw/taxi/*"]}}'
    ]
    assert [each for each in job - small if each.startswith("s3:GetObject on")] == [
        "s3:GetObject on arn:aws:s3:::cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}/*"
    ]


def test_the_command_line_finds_the_function_in_an_output(prod: Stacks, auto: Stacks) -> None:
    assert set(auto.pipeline["Outputs"]) - set(prod.pipeline["Outputs"]) == {"SmallBatchFunctionName"}


def test_the_other_roles_get_one_permission_more(prod: Stacks, auto: Stacks) -> None:
    before, after = permissions(prod.pipeline), permissions(auto.pipeline)

    assert set(after) - set(before) == {"SmallBatch/Role"}
    assert {role: after[role] - before[role] for role in before if after[role] != before[role]} == {
        "Workflow/StateMachine/Role": {"lambda:InvokeFunction on ${SmallBatchFunction.Arn}"}
    }


def test_lake_formation_grants_the_function_what_it_grants_the_job(
    tmp_path: Path,
) -> None:
    from dataclasses import replace

    from stacks.settings import PRODUCTION
    from taxi_etl.engines import EngineChoice

    from .conftest import synthesize

    settings = replace(PRODUCTION, lake_formation=True, engine=EngineChoice.AUTO)
    template = synthesize(tmp_path, settings).pipeline
    granted: dict[str, list[Any]] = {}
    for each in resources(template, "AWS::LakeFormation::PrincipalPermissions"):
        role = each.properties["Principal"]["DataLakePrincipalIdentifier"]["Fn::GetAtt"][0]
        granted.setdefault(readable(template, role), []).append(each.properties["Permissions"])

    assert granted["SmallBatchRole"] == granted["JobRole"]
    assert len(granted["JobRole"]) == 3


def test_errors_of_the_function_have_an_alarm_with_a_section_in_the_runbook(
    prod: Stacks, auto: Stacks
) -> None:
    assert alarm_names(auto) - alarm_names(prod) == {"etl-pipeline-SmallBatchErrors"}
    alarm = only(
        auto.pipeline, "AWS::CloudWatch::Alarm", AlarmName="etl-pipeline-SmallBatchErrors"
    ).properties
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("Errors", 1, 300)
    assert alarm["AlarmDescription"].endswith(" What to do: docs/runbook.md#small-batches")
    assert "\n## Small batches\n" in (ROOT / "docs" / "runbook.md").read_text()


def test_the_dashboard_shows_declined_batches_and_what_the_function_costs(prod: Stacks, auto: Stacks) -> None:
    def shown(stacks: Stacks) -> str:
        (dashboard,) = resources(stacks.pipeline, "AWS::CloudWatch::Dashboard")
        return flat(dashboard.properties["DashboardBody"])

    for metric in ("SmallBatchDeclinedPercent", "SmallBatchCostUsd"):
        assert metric in shown(auto)
        assert metric not in shown(prod)


def test_the_function_with_its_layers_is_within_lambdas_limit() -> None:
    build = ROOT / "build"
    folders = (build / "code", build / "layers" / "aws" / "runtime", build / "layers" / "aws" / "engine")
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())

    assert size < UNPACKED_MAX
    packages = {path.name for path in (build / "layers" / "aws" / "engine" / "python").iterdir()}
    assert {"duckdb", "pyiceberg", "sqlglot"} <= packages
    assert not {"pyarrow", "pyroaring", "rich", "fsspec", "boto3"} & packages


def test_the_architecture_shows_the_states_of_both_engines(auto_definition: dict[str, Any]) -> None:
    shown = (ROOT / "docs" / "architecture.md").read_text()
    drawn = flowchart(auto_definition).splitlines()
    lines = [line for line in drawn if any(state in line for state in STATES)]

    assert len(lines) == 15
    assert "```mermaid\nflowchart TD\n" + "\n".join(lines) + "\n```" in shown
