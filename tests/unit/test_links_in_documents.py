"""Tests of the documents' links: each leads to a file and a heading, and every page can be reached."""

import pytest

from tests.conftest import ROOT
from tests.fixtures.documents import LINK, PAGES, anchors, without_code

LINKS = sorted(
    {(page, link) for page in PAGES for link in LINK.findall(without_code((ROOT / page).read_text()))}
)


@pytest.mark.parametrize(("page", "link"), LINKS, ids=str)
def test_a_link_leads_to_a_file_and_a_heading(page: str, link: str) -> None:
    address, _, anchor = link.partition("#")
    if "://" in address:
        return
    target = (ROOT / page).parent / address if address else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors(target.read_text())


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
