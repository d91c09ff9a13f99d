"""Snapshot tests of the prod stacks' templates.

After an intended change: `UPDATE_SNAPSHOTS=1 pytest tests/infra/test_snapshots.py`, and review the diff.
"""

import difflib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from .templates import Stacks, flat, readable

SNAPSHOTS = Path(__file__).parent / "snapshots"
EMBEDDED = ("DefinitionString", "DashboardBody")


@pytest.mark.parametrize("stack", ["data_lake", "pipeline"])
def test_the_template_of_prod_equals_its_snapshot(prod: Stacks, stack: str) -> None:
    path = SNAPSHOTS / f"{stack}.json"
    found = picture(prod.all()[stack])
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    kept = path.read_text() if path.exists() else ""
    difference = difflib.unified_diff(
        kept.splitlines(), found.splitlines(), f"snapshots/{path.name}", "synthesized", lineterm=""
    )
    if kept != found:
        pytest.fail(
            "the template changed; if that is meant, run with UPDATE_SNAPSHOTS=1 and review:\n"
            + "\n".join(difference),
            pytrace=False,
        )


def test_the_snapshot_does_not_differ_between_machines(prod: Stacks) -> None:
    text = "".join(picture(template) for template in prod.all().values())

    assert "ASSET" in text
    assert "B1D32E10" not in text
    assert str(Path(__file__).resolve().parents[2]) not in text


def picture(template: dict[str, Any]) -> str:
    """The template without generated names, bootstrap checks and paths, and with embedded JSON expanded."""
    shown = {
        "Description": template["Description"],
        "Resources": {name: _shown(body) for name, body in template["Resources"].items()},
        "Outputs": template["Outputs"],
    }
    return readable(template, json.dumps(shown, indent=2, sort_keys=True)) + "\n"


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    properties = dict(body.get("Properties", {}))
    for name in EMBEDDED:
        if name in properties:
            properties[name] = json.loads(flat(properties[name]))
    return {**{name: value for name, value in body.items() if name != "Metadata"}, "Properties": properties}
