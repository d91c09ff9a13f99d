"""Static checks of the synthesized state machine, and tests of the analysis behind them."""

from typing import Any

import pytest

from tests.workflow import api_shapes, checks, variable_flow
from tests.workflow.expressions import Scope, analyze


@pytest.mark.parametrize("name", checks.CHECKS)
def test_the_definition_passes_the_check(template: Any, name: str) -> None:
    assert checks.CHECKS[name](template) == []


def test_the_definition_passes_asl_validator(executable: Any) -> None:
    assert checks.asl_validator([executable()]) == [[]]


@pytest.mark.parametrize("policy", ["always", "never"])
def test_the_other_crawl_policies_pass_all_checks(synthesized: Any, executable: Any, policy: str) -> None:
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
def test_a_notification_can_read_the_variables_set_before(
    template: Any, state: str, variables: set[str]
) -> None:
    assert set(variable_flow.variables_on_entry(template)[state]) == variables


@pytest.mark.parametrize(
    ("variable", "fields"),
    [
        ("crawl", {"state", "polls", "since", "error"}),
        ("failure", {"Error", "Cause"}),
        ("jobRun", {"Id", "JobRunState", "ExecutionTime", "MaxCapacity", "DPUSeconds", "ErrorMessage"}),
    ],
)
def test_the_fields_of_variables_are_known(template: Any, variable: str, fields: set[str]) -> None:
    found = variable_flow.variables_on_entry(template)["NotifyPartialSuccess"][variable]

    assert found is not None
    assert set(found) == fields


@pytest.mark.parametrize(
    ("expression", "finding"),
    [
        ("$loaded.a.b & $loaded.c", None),
        ("$other", "reads $other"),
        ("$loaded.d", "reads the field d"),
        ("$loaded.a.d", "reads the field d"),
        ("$loaded[c = 1].d", "reads the field d"),
        ("$loaded[d = 1].c", "reads the field d"),
        ("[$loaded].{'x': c, 'y': d}", "reads the field d"),
        ("($x := $loaded; $x.d)", "reads the field d"),
        ("($x := 1; $x) + $x", "reads $x"),
        ("$merge([$loaded, {'d': 1}]).d", None),
        ("$merge([$loaded, {'d': 1}]).e", "reads the field e"),
        ("(true ? $loaded : {'d': 1}).d", None),
        ("$map([$loaded.a], function($each) { $each.anything })", None),
        ("$states.result.x", "reads the field result"),
        ("$states.context.Execution.Nmae", "reads the field Nmae"),
        ("$eval('1')", "calls $eval"),
        ("$sbustring('a', 1)", "calls $sbustring"),
        ("$parse($loaded.c).anything", None),
        ("$loaded.c &", "is not valid JSONata"),
    ],
)
def test_undefined_references_of_an_expression_are_found(expression: str, finding: str | None) -> None:
    loaded = {"a": {"b": api_shapes.SCALAR}, "c": api_shapes.SCALAR}
    scope = Scope({"loaded": loaded}, {"input": None, "context": api_shapes.CONTEXT})
    findings = analyze(expression, scope).findings

    assert [text for text in findings if finding is None or finding not in text] == []
    assert bool(findings) == (finding is not None)
