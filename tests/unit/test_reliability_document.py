"""Does every proof that docs/reliability.md names exist, and is no test of a fault left out of it?"""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.journeys import JOURNEYS
from tests.workflow.setbacks import SETBACKS

TESTS = ROOT / "tests"
TEXT = (ROOT / "docs" / "reliability.md").read_text()
PROOF = re.compile(r"`(\S+\.py)::(test_\w+)(?:\[([^\]]+)\])?`")
PROOFS = sorted({found.groups(default="") for found in PROOF.finditer(TEXT)})
SCENARIOS = {scenario.name for scenario in (*JOURNEYS, *SETBACKS)}
FAULTS = sorted(TESTS.glob("e2e/test_faults_*.py"))


def names_in(path: Path) -> set[str]:
    """The test functions that a file defines."""
    found = ast.parse(path.read_text()).body
    return {
        node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("path", "test", "scenario"), PROOFS, ids="::".join)
def test_a_proof_that_is_named_exists(path: str, test: str, scenario: str) -> None:
    assert test in names_in(TESTS / path)
    assert not scenario or scenario in SCENARIOS


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.name)
def test_every_test_of_a_fault_is_in_the_document(path: Path) -> None:
    named = {test for file, test, _ in PROOFS if TESTS / file == path}
    assert names_in(path) - named == set()


def test_every_line_of_a_table_of_faults_has_a_proof() -> None:
    promised = TEXT[TEXT.index("## Nothing lost") : TEXT.index("## What is not promised")]
    lines = [line for line in promised.splitlines() if line.startswith("| ") and "| proof |" not in line]
    assert len(lines) > 30
    assert [line for line in lines if not PROOF.search(line)] == []
