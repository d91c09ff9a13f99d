"""Tests of docs/promises.md: it matches its source, and every cited test exists and is cited once."""

import difflib
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fixtures.documents import (
    PAGES,
    PROMISES_PAGE,
    TESTS,
    CitedTest,
    cited_tests,
    functions_in,
    promises,
    promises_page,
)
from tests.workflow.scenarios import BY_NAME as SCENARIOS

CITED = sorted({test for page in PAGES for test in cited_tests((ROOT / page).read_text())})
FAULTS = sorted(TESTS.glob("e2e/test_faults_*.py"))
PROVEN = {proof for promise in promises() for proof in promise.proofs}


def test_the_page_matches_its_source() -> None:
    page = promises_page()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PROMISES_PAGE.write_text(page)
    assert PROMISES_PAGE.read_text() == page, "run this test again with UPDATE_SNAPSHOTS=1"


def test_every_promise_has_a_proof() -> None:
    assert len(promises()) > 100
    assert [promise.text for promise in promises() if not promise.proofs] == []


def test_a_promise_and_a_proof_stand_once() -> None:
    proofs = Counter(proof for promise in promises() for proof in promise.proofs)
    assert [proof for proof, times in proofs.items() if times > 1] == []
    situations = Counter((promise.section, promise.when, promise.text) for promise in promises())
    assert [situation for situation, times in situations.items() if times > 1] == []


@pytest.mark.parametrize("cited", CITED, ids=str)
def test_a_cited_test_exists(cited: CitedTest) -> None:
    path = TESTS / cited.path
    assert path.is_file(), (
        f"tests/{cited.path} does not exist; change docs/promises.toml or the page that cites it"
    )
    functions = functions_in(path)
    alike = difflib.get_close_matches(cited.function, functions, n=3, cutoff=0.4)
    assert cited.function in functions, f"{cited.path} has no {cited.function}; the most similar: {alike}"
    if cited.path.startswith("workflow/") and cited.parameter:
        assert cited.parameter in SCENARIOS


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.name)
def test_every_end_to_end_fault_proves_a_promise(path: Path) -> None:
    name = path.relative_to(TESTS)
    assert {f"{name}::{function}" for function in functions_in(path)} - PROVEN == set()
