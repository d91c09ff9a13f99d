"""Is every claim held by a test that exists, and does every link lead somewhere? All documents."""

import pytest

from tests.conftest import ROOT
from tests.fixtures.documents import (
    LINK,
    PAGES,
    PROOF,
    TESTS,
    Proof,
    anchors_of,
    claims_in,
    functions_of,
    proofs_in,
    prose,
)
from tests.workflow.error_scenarios import SETBACKS
from tests.workflow.path_scenarios import JOURNEYS

SCENARIOS = {scenario.name for scenario in (*JOURNEYS, *SETBACKS)}
PROOFS = sorted({proof for page in PAGES for proof in proofs_in((ROOT / page).read_text())})
LINKS = sorted({(page, link) for page in PAGES for link in LINK.findall(prose((ROOT / page).read_text()))})


@pytest.mark.parametrize("proof", PROOFS, ids="::".join)
def test_a_proof_that_is_named_exists(proof: Proof) -> None:
    path, test, parameter = proof
    assert test in functions_of(TESTS / path)
    assert not path.startswith("workflow/") or not parameter or parameter in SCENARIOS


@pytest.mark.parametrize("page", ["docs/production.md", "docs/threat-model.md"])
def test_every_line_of_a_table_of_claims_names_its_test(page: str) -> None:
    claims = claims_in((ROOT / page).read_text())
    assert len(claims) > 10
    assert [claim for claim in claims if not PROOF.search(claim)] == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/deployment.md", "docs/recovery.md"])
def test_a_page_that_promises_names_tests(page: str) -> None:
    assert len(proofs_in((ROOT / page).read_text())) >= 5


@pytest.mark.parametrize(("page", "link"), LINKS, ids=str)
def test_a_link_leads_to_a_file_and_a_heading(page: str, link: str) -> None:
    address, _, anchor = link.partition("#")
    if "://" in address:
        return
    target = (ROOT / page).parent / address if address else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors_of(target.read_text())


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        here = (ROOT / page).parent
        linked = [(here / link.partition("#")[0]).resolve() for name, link in LINKS if name == page]
        waiting += [str(path.relative_to(ROOT)) for path in linked if path.suffix == ".md"]
    assert set(PAGES) - reached == set()
