"""Checks of the state machine, the functions, the event source mapping, and the finalizer's rules."""

import json
from collections.abc import Iterator
from typing import Any

from ops.checks.finding import Finding, Level, Scope, expect
from ops.deployment import stack_names
from taxi_etl.function_settings import (
    FinalizerSettings,
    FunctionSettings,
    OrchestratorSettings,
    SmallBatchSettings,
    ValidatorSettings,
)


def state_machine(scope: Scope) -> Iterator[Finding]:
    """Check the state machine's state, type, logging, tracing and query language."""
    part, arn = "state machine", scope.deployment.state_machine_arn
    found = scope.session.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    status, kind = found.get("status", "ACTIVE"), found["type"]
    level = found.get("loggingConfiguration", {}).get("level", "OFF")
    traced = found.get("tracingConfiguration", {}).get("enabled", False)
    yield expect(part, "active", status == "ACTIVE", f"it is {status}", scope.redeploy)
    yield expect(
        part, "type", kind == "STANDARD", f"it is {kind}, which cannot wait for job runs", scope.redeploy
    )
    yield expect(part, "logging", level != "OFF", "logging is off", scope.redeploy)
    yield expect(part, "tracing", traced, "X-Ray tracing is off", scope.redeploy)
    language = json.loads(found["definition"]).get("QueryLanguage", "JSONPath")
    yield expect(
        part,
        "definition",
        language == "JSONata",
        f"its query language is {language}, not JSONata",
        scope.redeploy,
    )


def functions(scope: Scope) -> Iterator[Finding]:
    """Check that each function is active, and that its settings are complete and name this deployment."""
    deployment = scope.deployment
    kinds: dict[str, type[FunctionSettings]] = {
        deployment.orchestrator_function_name: OrchestratorSettings,
        deployment.validate_function_name: ValidatorSettings,
        deployment.close_function_name: FinalizerSettings,
    }
    if deployment.small_batch_function_name:
        kinds[deployment.small_batch_function_name] = SmallBatchSettings
    for name, kind in kinds.items():
        yield from _function(scope, name, kind)


def _function(scope: Scope, name: str, kind: type[FunctionSettings]) -> Iterator[Finding]:
    found = scope.session.client("lambda").get_function_configuration(FunctionName=name)
    state = found.get("State", "Active")
    update = found.get("LastUpdateStatus", "Successful")
    working = state in ("Active", "Inactive") and update != "Failed"
    yield expect(name, "active", working, f"it is {state}, its last update is {update}", scope.redeploy)
    problem = settings_problem(scope, found.get("Environment", {}).get("Variables", {}), kind)
    yield expect(name, "settings", not problem, problem, scope.redeploy)
    if kind is OrchestratorSettings and not problem:
        enabled = found["Environment"]["Variables"]["ENABLE_ORCHESTRATION"] == "true"
        yield expect(
            name,
            "orchestration",
            enabled,
            "it is off; files are recorded as held and not loaded",
            "set enable_orchestration in stacks/settings.py, deploy, then "
            + scope.session.target.command("replay", "--held"),
            otherwise=Level.WARNING,
        )


def settings_problem(scope: Scope, variables: dict[str, str], kind: type[FunctionSettings]) -> str:
    """Return what is wrong with a function's environment variables, empty if nothing is wrong."""
    deployment = scope.deployment
    try:
        settings = kind.from_environment(variables)
    except ValueError as error:
        return str(error)
    expected = {
        "state_machine_arn": deployment.state_machine_arn,
        "ledger_table": deployment.ledger_table_name,
        "runs_bucket": deployment.bucket_name,
        "topic_arn": deployment.topic_arn,
        "database": deployment.taxi_database_name,
    }
    wrong = [
        f"{name.upper()} is {getattr(settings, name)}, not {value}"
        for name, value in expected.items()
        if getattr(settings, name, value) != value
    ]
    return "; ".join(wrong)


def event_source(scope: Scope) -> Iterator[Finding]:
    """Check that the queue's events reach the orchestrator, and that only failed events are retried."""
    part = "event source mapping"
    name = scope.deployment.orchestrator_function_name
    answer = scope.session.client("lambda").list_event_source_mappings(FunctionName=name)
    mappings: list[dict[str, Any]] = answer["EventSourceMappings"]
    yield expect(
        part,
        "exists",
        len(mappings) == 1,
        f"{name} has {len(mappings)} event source mappings, not 1",
        scope.redeploy,
    )
    for mapping in mappings[:1]:
        state = mapping.get("State", "")
        remedy = f"aws lambda update-event-source-mapping --uuid {mapping.get('UUID')} --enabled"
        yield expect(part, "enabled", state == "Enabled", f"it is {state}", remedy)
        partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        problem = "they are off; one failed event causes a retry of its whole batch"
        yield expect(part, "partial responses", partial, problem, scope.redeploy)


def finalizer_rules(scope: Scope) -> Iterator[Finding]:
    """Check the rules that invoke the finalizer: ended executions, ended job runs, and the schedule."""
    _, pipeline = stack_names(scope.session.target.environment)
    pages = scope.session.client("cloudformation").get_paginator("list_stack_resources")
    names = [
        resource["PhysicalResourceId"].rpartition("|")[2].rpartition("/")[2]
        for page in pages.paginate(StackName=pipeline)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Events::Rule"
    ]
    rules = [scope.session.client("events").describe_rule(Name=name) for name in names]
    by_purpose = {
        "execution events": [rule for rule in rules if "aws.states" in rule.get("EventPattern", "")],
        "job run events": [rule for rule in rules if "aws.glue" in rule.get("EventPattern", "")],
        "reconcile schedule": [rule for rule in rules if rule.get("ScheduleExpression")],
    }
    for purpose, found in by_purpose.items():
        yield expect("finalizer", purpose, bool(found), "the rule does not exist", scope.redeploy)
        for rule in found:
            enabled = rule.get("State") != "DISABLED"
            remedy = f"aws events enable-rule --name {rule['Name']}"
            yield expect(
                "finalizer", f"{purpose} enabled", enabled, f"rule {rule['Name']} is disabled", remedy
            )
