"""Can what the documents tell people to type be typed? Every command of ours in them exists."""

import re
from pathlib import Path

import pytest
import typer.main

from ops import cli

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("README.md", "docs/runbook.md", "docs/delivery.md")


def commands() -> set[str]:
    return set(typer.main.get_command(cli.app).commands)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"taxi-etl (?:--environment \w+ )?([a-z]+)", text))

    assert named, f"{page} names no command"
    assert named <= commands()
