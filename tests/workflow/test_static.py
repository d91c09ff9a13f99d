"""Would AWS accept the state machine as it is synthesized, and are the checks of it awake?"""

from typing import Any

import pytest

from tests.workflow import api_shapes, checks, variable_flow
from tests.workflow.expressions import Reading, read


@pytest.mark.parametrize("name", checks.CHECKS)
def test_the_definition_passes_the_check(template: Any, name: str) -> None:
    assert checks.CHECKS[name](template) == []


def test_the_definition_passes_asl_validator(executable: Any) -> None:
    assert checks.asl_validator([executable()]) == [[]]


@pytest.mark.parametrize(
    ("field", "value", "check"),
    [
        ("StartAt", "ValidateInputs", checks.graph),
        ("StartAt", "CheckValidation", checks.graph),
        ("QueryLanguage", "JSONPath", checks.language),
        ("TimeoutSeconds", None, checks.recovery),
    ],
)
def test_a_fault_of_the_machine_itself_is_caught(template: Any, field: str, value: Any, check: Any) -> None:
    faulty = {name: each for name, each in {**template, field: value}.items() if each is not None}

    assert check(faulty) != []


@pytest.mark.parametrize("policy", ["always", "never"])
def test_other_crawl_policies_pass_all_checks(synthesized: Any, executable: Any, policy: str) -> None:
    from tests.workflow.definition import machine_template

    template = machine_template(synthesized(policy))

    assert [finding for check in checks.CHECKS.values() for finding in check(template)] == []
    assert checks.asl_validator([executable(policy)]) == [[]]


@pytest.mark.parametrize(
    ("state", "variables"),
    [
        ("NotifyFailure", {"validation", "failure", "summary", "jobRun"}),
        ("NotifyValidationFailure", {"validation", "failure", "summary"}),
        ("NotifySuccess", {"validation", "failure", "summary", "jobRun", "crawl"}),
        ("NotifyPartialSuccess", {"validation", "failure", "summary", "jobRun", "crawl"}),
    ],
)
def test_a_message_knows_what_happened_before(template: Any, state: str, variables: set[str]) -> None:
    assert set(variable_flow.on_entry(template)[state]) == variables


@pytest.mark.parametrize(
    ("variable", "fields"),
    [
        ("crawl", {"state", "polls", "since", "error"}),
        ("failure", {"Error", "Cause"}),
        ("jobRun", {"Id", "JobRunState", "ExecutionTime", "MaxCapacity", "DPUSeconds", "ErrorMessage"}),
    ],
)
def test_the_fields_of_variables_are_known(template: Any, variable: str, fields: set[str]) -> None:
    found = variable_flow.on_entry(template)["NotifyPartialSuccess"][variable]

    assert found is not None
    assert set(found) == fields


@pytest.mark.parametrize(
    ("expression", "finding"),
    [
        ("$given.a.b & $given.c", None),
        ("$other", "reads $other"),
        ("$given.d", "reads the field d"),
        ("$given.a.d", "reads the field d"),
        ("$given[c = 1].d", "reads the field d"),
        ("$given[d = 1].c", "reads the field d"),
        ("[$given].{'x': c, 'y': d}", "reads the field d"),
        ("($x := $given; $x.d)", "reads the field d"),
        ("($x := 1; $x) + $x", "reads $x"),
        ("$merge([$given, {'d': 1}]).d", None),
        ("$merge([$given, {'d': 1}]).e", "reads the field e"),
        ("(true ? $given : {'d': 1}).d", None),
        ("$map([$given.a], function($each) { $each.anything })", None),
        ("$states.result.x", "reads the field result"),
        ("$states.context.Execution.Nmae", "reads the field Nmae"),
        ("$eval('1')", "calls $eval"),
        ("$sbustring('a', 1)", "calls $sbustring"),
        ("$parse($given.c).anything", None),
        ("$given.c &", "no JSONata"),
    ],
)
def test_what_an_expression_reads_is_found(expression: str, finding: str | None) -> None:
    given = {"a": {"b": api_shapes.SCALAR}, "c": api_shapes.SCALAR}
    found = read(
        expression, Reading({"given": given}, {"input": None, "context": api_shapes.CONTEXT})
    ).findings

    assert [text for text in found if finding is None or finding not in text] == []
    assert bool(found) == (finding is not None)
