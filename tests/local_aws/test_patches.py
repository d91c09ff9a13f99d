"""Would a patch notice an emulator that it does not patching, and is each one tested?"""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from local_aws import lean_environment, paths

HERE = Path(__file__).parent
PATCHES = sorted(
    path.stem
    for path in (paths.CHECKOUT / "local_aws" / "patches").glob("*.py")
    if path.stem not in ("__init__", "patching")
)


@pytest.fixture(scope="module")
def patching():
    """`local_aws.patches.patching`, without its package, which needs the emulator's environment."""
    source = paths.CHECKOUT / "local_aws" / "patches" / "patching.py"
    spec = importlib.util.spec_from_file_location("patching", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def emulator():
    """A module as the emulator might be."""
    module = ModuleType("emulator")
    exec("def receive(queue, number): return number\nTEXT = 'one two'", module.__dict__)
    return module


def test_a_function_is_replaced_and_its_original_returned(patching, emulator):
    original = patching.replace(emulator, "receive", "queue number", lambda queue, number: number + 1)
    assert (emulator.receive(None, 1), original(None, 1)) == (2, 1)


def test_a_function_that_is_gone_is_a_misfit(patching, emulator):
    with pytest.raises(patching.PatchMismatchError, match=r"emulator\.send is gone"):
        patching.replace(emulator, "send", "queue", print)


def test_a_function_of_other_parameters_is_a_misfit_and_stays(patching, emulator):
    original = emulator.receive
    with pytest.raises(patching.PatchMismatchError, match=r"takes \(queue number\), not \(queue\)"):
        patching.replace(emulator, "receive", "queue", print)
    assert emulator.receive is original


def test_a_text_that_reads_otherwise_is_a_misfit(patching, emulator):
    patching.substitute(emulator, "TEXT", "two", "three")
    assert emulator.TEXT == "one three"
    with pytest.raises(patching.PatchMismatchError):
        patching.substitute(emulator, "TEXT", "two", "three")


def test_another_version_of_the_emulator_is_a_misfit(patching):
    with pytest.raises(patching.PatchMismatchError, match=r"this is 9\.9"):
        patching.check_version("9.9")


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_has_its_own_test(patch):
    assert (HERE / f"test_{patch}.py").exists()


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_refuses_to_be_applied_to_a_bare_emulator(patch):
    """Without what it patches, every patch must say so: its functions are taken away first."""
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
    print("misfit:", error)
"""
    answer = subprocess.run(
        [lean_environment.ensure(), "-c", probe],
        capture_output=True,
        text=True,
        cwd=paths.CHECKOUT,
        check=False,
    )
    assert answer.stdout.startswith("misfit: "), answer.stderr
