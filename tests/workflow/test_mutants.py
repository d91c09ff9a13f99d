"""Tests that a check or a scenario notices each single fault put into the definition."""

import copy
import re
from typing import Any

import pytest

from tests.workflow import checks
from tests.workflow.differences import differences
from tests.workflow.executions import StateMachines
from tests.workflow.mutants import MUTANTS, Mutant
from tests.workflow.scenario import GLUE
from tests.workflow.scenarios import BY_NAME
from tests.workflow.small_batch_scenarios import AUTO


def mutated(template: Any, mutant: Mutant) -> Any:
    """Return the definition with the mutant's fault."""
    definition = copy.deepcopy(template)
    mutant.edit(definition)
    assert definition != template, f"{mutant.name} changes nothing"
    return definition


@pytest.fixture(scope="module")
def findings(
    template: Any, auto_template: Any, executable: Any, machines: StateMachines
) -> dict[str, list[str]]:
    """The findings of each mutant's check or scenario; Node starts once, executions run in parallel."""
    originals = {GLUE: template, AUTO: auto_template}
    templates = {mutant.name: mutated(originals[mutant.engine], mutant) for mutant in MUTANTS}
    assert len(templates) == len(MUTANTS), "two mutants have the same name"
    definitions = {
        mutant.name: executable(template=templates[mutant.name], engine=mutant.engine) for mutant in MUTANTS
    }

    validated = [mutant for mutant in MUTANTS if mutant.killed_by == "asl_validator"]
    executed = [mutant for mutant in MUTANTS if mutant.killed_by in BY_NAME]
    errors = checks.asl_validator([definitions[mutant.name] for mutant in validated])
    executions = machines.execute_all(
        (definitions[mutant.name], BY_NAME[mutant.killed_by]) for mutant in executed
    )
    return {
        **{mutant.name: found for mutant, found in zip(validated, errors, strict=True)},
        **{
            mutant.name: differences(BY_NAME[mutant.killed_by], execution)
            for mutant, execution in zip(executed, executions, strict=True)
        },
        **{
            mutant.name: checks.CHECKS[mutant.killed_by](templates[mutant.name])
            for mutant in MUTANTS
            if mutant.killed_by in checks.CHECKS
        },
    }


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: re.sub(r"\W+", "-", mutant.name))
def test_the_mutant_is_killed(findings: dict[str, list[str]], mutant: Mutant) -> None:
    assert findings[mutant.name], f"{mutant.killed_by} does not notice {mutant.name}"


def test_every_check_kills_a_mutant() -> None:
    assert set(checks.CHECKS) <= {mutant.killed_by for mutant in MUTANTS}
