"""Would a single fault in our definition be noticed, by the check or the path that is named for it?"""

import copy
import re
from typing import Any

import pytest

from tests.workflow import checks
from tests.workflow.error_scenarios import SETBACKS
from tests.workflow.executions import Machines
from tests.workflow.expected import misses
from tests.workflow.mutants import MUTANTS, Mutant
from tests.workflow.path_scenarios import JOURNEYS

SCENARIOS = {scenario.name: scenario for scenario in (*JOURNEYS, *SETBACKS)}
KINDS_MIN = 25


def mutated(template: Any, mutant: Mutant) -> Any:
    """The definition with the mutant's fault, and only with that."""
    found = copy.deepcopy(template)
    mutant.change(found["States"])
    assert found != template, "the mutant changes nothing"
    return found


@pytest.fixture(scope="module")
def caught(template: Any, executable: Any, machines: Machines) -> dict[str, list[str]]:
    """What each mutant's catcher says to it. Node is started once, and executions run together."""
    faulty = {mutant.name: mutated(template, mutant) for mutant in MUTANTS}
    filled = {name: executable(template=definition) for name, definition in faulty.items()}
    found: dict[str, list[str]] = {}
    validated = [mutant for mutant in MUTANTS if mutant.caught_by == "asl_validator"]
    errors = checks.asl_validator([filled[mutant.name] for mutant in validated])
    found |= {mutant.name: said for mutant, said in zip(validated, errors, strict=True)}
    executed = [mutant for mutant in MUTANTS if mutant.caught_by in SCENARIOS]
    pairs = [(filled[mutant.name], SCENARIOS[mutant.caught_by]) for mutant in executed]
    for mutant, run in zip(executed, machines.run_all(pairs), strict=True):
        found[mutant.name] = misses(SCENARIOS[mutant.caught_by], run)
    for mutant in MUTANTS:
        if mutant.caught_by in checks.CHECKS:
            found[mutant.name] = checks.CHECKS[mutant.caught_by](faulty[mutant.name])
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: re.sub(r"\W+", "-", mutant.name))
def test_the_fault_is_caught(caught: dict[str, list[str]], mutant: Mutant) -> None:
    assert caught[mutant.name], f"{mutant.caught_by} finds nothing wrong with {mutant.name}"


def test_the_faults_are_of_many_kinds_and_every_catcher_is_needed() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= KINDS_MIN
    assert set(checks.CHECKS) <= {mutant.caught_by for mutant in MUTANTS}
