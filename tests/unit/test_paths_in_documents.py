"""Tests of the paths that documents name: each exists in the checkout."""

import re

import pytest

from tests.conftest import ROOT
from tests.fixtures.documents import PAGES, without_code

FOLDERS = "|".join(sorted(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir()))
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
NOT_IN_THE_REPOSITORY = (".local/", ".venv/", "build/", "node_modules/", "warehouse/", "raw/", "runs/")
NAMED = sorted(
    {(page, path) for page in PAGES for path in PATH.findall(without_code((ROOT / page).read_text()))}
)


@pytest.mark.parametrize(("page", "path"), NAMED, ids=str)
def test_a_named_path_exists(page: str, path: str) -> None:
    if not path.startswith(NOT_IN_THE_REPOSITORY):
        assert (ROOT / path).exists()


def test_contributing_names_the_place_for_each_kind_of_change() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().split("## To change something")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)[1:]
    assert len(rows) > 10
    assert [what for what, where in rows if not PATH.search(where)] == []
