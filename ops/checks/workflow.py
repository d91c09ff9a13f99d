"""Does the workflow stand? State machine, functions, the queue's way into them, the closer's three ways."""

import json
from collections.abc import Iterator
from typing import Any

from ops.checks.finding import Finding, Level, Place, expect
from ops.deployment import stack_names
from taxi_etl.function_settings import (
    FinalizerSettings,
    FunctionSettings,
    OrchestratorSettings,
    ValidatorSettings,
)


def state_machine(place: Place) -> Iterator[Finding]:
    """The state machine is active, standard, logged and traced."""
    part, arn = "state machine", place.deployment.state_machine_arn
    found = place.session.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    status, kind = found.get("status", "ACTIVE"), found["type"]
    level = found.get("loggingConfiguration", {}).get("level", "OFF")
    traced = found.get("tracingConfiguration", {}).get("enabled", False)
    yield expect(part, "active", status == "ACTIVE", f"it is {status}", place.redeploy)
    yield expect(
        part, "type", kind == "STANDARD", f"it is {kind}, which cannot wait for a job run", place.redeploy
    )
    yield expect(part, "logging", level != "OFF", "it writes no logs", place.redeploy)
    yield expect(part, "tracing", traced, "X-Ray tracing is off", place.redeploy)
    language = json.loads(found["definition"]).get("QueryLanguage", "JSONPath")
    yield expect(part, "definition", language == "JSONata", f"it is written in {language}", place.redeploy)


def functions(place: Place) -> Iterator[Finding]:
    """Each function is active, and its settings are complete and name the parts of this deployment."""
    deployment = place.deployment
    kinds: dict[str, type[FunctionSettings]] = {
        deployment.orchestrator_function_name: OrchestratorSettings,
        deployment.validate_function_name: ValidatorSettings,
        deployment.close_function_name: FinalizerSettings,
    }
    for name, kind in kinds.items():
        yield from _function(place, name, kind)


def _function(place: Place, name: str, kind: type[FunctionSettings]) -> Iterator[Finding]:
    found = place.session.client("lambda").get_function_configuration(FunctionName=name)
    state = found.get("State", "Active")
    update = found.get("LastUpdateStatus", "Successful")
    working = state in ("Active", "Inactive") and update != "Failed"
    yield expect(name, "active", working, f"it is {state}, its last update {update}", place.redeploy)
    problem = settings_problem(place, found.get("Environment", {}).get("Variables", {}), kind)
    yield expect(name, "settings", not problem, problem, place.redeploy)
    if kind is OrchestratorSettings and not problem:
        enabled = found["Environment"]["Variables"]["ENABLE_ORCHESTRATION"] == "true"
        yield expect(
            name,
            "orchestration",
            enabled,
            "orchestration is off: files are recorded as held, none is loaded",
            "set enable_orchestration, deploy, then " + place.session.target.command("replay", "--held"),
            otherwise=Level.WARNING,
        )


def settings_problem(place: Place, variables: dict[str, str], kind: type[FunctionSettings]) -> str:
    """What is wrong with a function's environment variables; empty when nothing is."""
    deployment = place.deployment
    try:
        settings = kind.from_environment(variables)
    except ValueError as error:
        return str(error)
    ours = {
        "state_machine_arn": deployment.state_machine_arn,
        "ledger_table": deployment.ledger_table_name,
        "runs_bucket": deployment.bucket_name,
        "topic_arn": deployment.topic_arn,
    }
    wrong = [
        f"{name.upper()} is {getattr(settings, name)}, not {value}"
        for name, value in ours.items()
        if getattr(settings, name, value) != value
    ]
    return "; ".join(wrong)


def event_source(place: Place) -> Iterator[Finding]:
    """The queue's events reach the orchestrator, and only the events that failed come again."""
    part = "event source mapping"
    name = place.deployment.orchestrator_function_name
    answer = place.session.client("lambda").list_event_source_mappings(FunctionName=name)
    mappings: list[dict[str, Any]] = answer["EventSourceMappings"]
    yield expect(part, "exists", len(mappings) == 1, f"{name} has {len(mappings)} of them", place.redeploy)
    for mapping in mappings[:1]:
        state = mapping.get("State", "")
        remedy = f"aws lambda update-event-source-mapping --uuid {mapping.get('UUID')} --enabled"
        yield expect(part, "enabled", state == "Enabled", f"it is {state}", remedy)
        partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        problem = "a single bad event would bring its whole batch back"
        yield expect(part, "partial responses", partial, problem, place.redeploy)


def finalizer_rules(place: Place) -> Iterator[Finding]:
    """The closer hears of the ends of executions and job runs, and looks for the rest on a schedule."""
    _, pipeline = stack_names(place.session.target.environment)
    pages = place.session.client("cloudformation").get_paginator("list_stack_resources")
    names = [
        resource["PhysicalResourceId"].rpartition("|")[2].rpartition("/")[2]
        for page in pages.paginate(StackName=pipeline)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Events::Rule"
    ]
    rules = [place.session.client("events").describe_rule(Name=name) for name in names]
    ways = {
        "ending events": [rule for rule in rules if "aws.states" in rule.get("EventPattern", "")],
        "job run events": [rule for rule in rules if "aws.glue" in rule.get("EventPattern", "")],
        "sweep schedule": [rule for rule in rules if rule.get("ScheduleExpression")],
    }
    for way, found in ways.items():
        yield expect("closer", way, bool(found), "the rule does not exist", place.redeploy)
        for rule in found:
            enabled = rule.get("State") != "DISABLED"
            remedy = f"aws events enable-rule --name {rule['Name']}"
            yield expect("closer", f"{way} enabled", enabled, f"rule {rule['Name']} is disabled", remedy)
