"""Is no test of a fault left out of docs/reliability.md, and has each fault in it a proof?"""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fixtures.documents import PROOF, TESTS, claims_in, functions_of, proofs_in

TEXT = (ROOT / "docs" / "reliability.md").read_text()
FAULTS = sorted(TESTS.glob("e2e/test_faults_*.py"))


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.name)
def test_every_test_of_a_fault_is_in_the_document(path: Path) -> None:
    named = {test for file, test, _ in proofs_in(TEXT) if TESTS / file == path}
    assert functions_of(path) - named == set()


def test_every_line_of_a_table_of_faults_has_a_proof() -> None:
    claims = claims_in(TEXT)
    assert len(claims) > 30
    assert [claim for claim in claims if not PROOF.search(claim)] == []
