"""Tests that the checklist of the first deployment covers everything that the documents leave to it."""

import re
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
CHECKLIST = (DOCS / "first-deployment.md").read_text()
MARK = re.compile(r"\bneeds? an account|be proven in an account|first job run in an account|Not proven here")
STEP = re.compile(r"^## (\d+)\. [^\n]*\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+?) \| (.+?) \|$", re.MULTILINE)


def marked(page: Path) -> set[str]:
    """What a page leaves to an account: the first cells of table rows, or the title for running text."""
    text = page.read_text()
    return {
        line.split(" | ")[0].removeprefix("| ") if line.startswith("| ") else text.partition("\n")[0][2:]
        for line in text.splitlines()
        if MARK.search(line)
    }


def test_everything_that_needs_an_account_is_in_the_checklist() -> None:
    pages = [page for page in DOCS.rglob("*.md") if page.name != "first-deployment.md"]
    left = set().union(*(marked(page) for page in pages))
    section = CHECKLIST.partition("## Where the documents say so")[2]
    listed = dict(ROW.findall(section))
    del listed["marked"]

    assert len(left) > 8
    assert set(listed) == left
    steps = {number for number, _ in STEP.findall(CHECKLIST)}
    for step in listed.values():
        assert step.startswith("only when") or set(re.findall(r"\d+", step)) <= steps, step


def test_each_step_has_a_command_and_says_what_it_must_show() -> None:
    steps = STEP.findall(CHECKLIST)

    assert [number for number, _ in steps] == [str(number) for number in range(1, len(steps) + 1)]
    for number, text in steps:
        assert "\n```\n" in text, f"step {number} has no command"
        assert "Must show:" in text, f"step {number} does not say what it must show"
