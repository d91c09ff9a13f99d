"""Tests that each patch names its reason, has a test, and fails on an emulator that it does not match.

`UPDATE_SNAPSHOTS=1 pytest tests/local_aws/test_patches.py` rewrites the table in docs/local-aws.md.
"""

import ast
import importlib.util
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from local_aws import emulator_environment, paths

HERE = Path(__file__).parent
FOLDER = paths.CHECKOUT / "local_aws" / "patches"
PAGE = paths.CHECKOUT / "docs" / "local-aws.md"
PATCHES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "patching"))
FIELDS = ("MiniStack", "AWS", "Source", "Delete when")
"""The labeled paragraphs of each patch's docstring."""
TABLE = re.compile(r"^\| patch \|.*?\n\n", re.DOTALL | re.MULTILINE)


def fields_of(patch: str) -> dict[str, str]:
    """The labeled paragraphs of a patch's docstring, with the emulator's version as `version`."""
    text = ast.get_docstring(ast.parse((FOLDER / f"{patch}.py").read_text())) or ""
    labeled = re.findall(
        r"^(MiniStack|AWS|Source|Upstream|Delete when)( [\d.]+)?: (.*?)(?=\n\n|\n[A-Z][\w .]+: |\Z)",
        text,
        re.DOTALL | re.MULTILINE,
    )
    found = {label: content.replace("\n", " ") for label, _, content in labeled}
    return found | {"version": next((number.strip() for _, number, _ in labeled if number), "")}


def documented_table() -> str:
    """The table of all patches as docs/local-aws.md must have it."""
    rows = ["| patch | MiniStack | AWS | test |", "|---|---|---|---|"]
    for patch in PATCHES:
        fields = fields_of(patch)
        cells = [cell.replace("|", "\\|") for cell in (fields["MiniStack"], fields["AWS"])]
        rows.append(f"| `{patch}` | {cells[0]} | {cells[1]} | `test_{patch}.py` |")
    return "\n".join(rows) + "\n\n"


@pytest.fixture(scope="module")
def patching():
    """`local_aws.patches.patching` without its package, which needs the emulator's environment."""
    spec = importlib.util.spec_from_file_location("patching", FOLDER / "patching.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def emulator():
    """A module in place of one of the emulator's."""
    module = ModuleType("emulator")
    exec("def receive(queue, number): return number\nTEXT = 'one two'", module.__dict__)
    return module


def test_a_function_is_replaced_and_its_original_returned(patching, emulator):
    original = patching.replace(emulator, "receive", "queue number", lambda queue, number: number + 1)
    assert (emulator.receive(None, 1), original(None, 1)) == (2, 1)


def test_a_missing_function_is_a_mismatch(patching, emulator):
    with pytest.raises(patching.PatchMismatchError, match=r"emulator\.send is missing"):
        patching.replace(emulator, "send", "queue", print)


def test_a_function_with_other_parameters_is_a_mismatch_and_is_not_replaced(patching, emulator):
    original = emulator.receive
    with pytest.raises(patching.PatchMismatchError, match=r"takes \(queue number\), not \(queue\)"):
        patching.replace(emulator, "receive", "queue", print)
    assert emulator.receive is original


def test_a_changed_text_is_a_mismatch(patching, emulator):
    patching.substitute(emulator, "TEXT", "two", "three")
    assert emulator.TEXT == "one three"
    with pytest.raises(patching.PatchMismatchError):
        patching.substitute(emulator, "TEXT", "two", "three")


def test_another_version_of_the_emulator_is_a_mismatch(patching):
    with pytest.raises(patching.PatchMismatchError, match=r"this is 9\.9"):
        patching.check_version("9.9")


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_has_a_test_of_its_name(patch):
    assert (HERE / f"test_{patch}.py").exists()


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_names_the_version_both_behaviors_the_source_and_when_to_delete_it(patch, patching):
    fields = fields_of(patch)
    assert [label for label in FIELDS if not fields.get(label)] == []
    assert fields["version"] == patching.PINNED_VERSION, "review the patch for the new version, then name it"


def test_the_documented_table_is_the_patches_own():
    page = PAGE.read_text()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(TABLE.sub(lambda _: documented_table(), page))
        page = PAGE.read_text()
    assert TABLE.findall(page) == [documented_table()]


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_fails_on_an_emulator_without_the_parts_it_replaces(patch):
    probe = f"""
import importlib, types
from local_aws.patches import patching
patch = importlib.import_module("local_aws.patches.{patch}")
for name, value in list(vars(patch).items()):
    if isinstance(value, types.ModuleType) and value.__name__.startswith("ministack."):
        setattr(patch, name, types.ModuleType(value.__name__))
try:
    patch.apply()
except patching.PatchMismatchError as error:
    print("mismatch:", error)
"""
    answer = subprocess.run(
        [emulator_environment.ensure(), "-c", probe],
        capture_output=True,
        text=True,
        cwd=paths.CHECKOUT,
        check=False,
    )
    assert answer.stdout.startswith("mismatch: "), answer.stderr
