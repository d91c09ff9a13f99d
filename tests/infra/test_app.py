"""Tests of `cdk synth` on this checkout: it works offline and names what is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, use_pinned_node

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"


def without_account() -> dict[str, str]:
    """Environment variables without credentials, and with a proxy that refuses connections."""
    use_pinned_node()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return {
        **kept,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def run_app(environment: str) -> subprocess.CompletedProcess[str]:
    context = {"CDK_CONTEXT_JSON": json.dumps({"environment": environment})}
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=without_account() | context,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_pinned_command_line_synthesizes_without_account_and_network(tmp_path: Path) -> None:
    if not CDK.exists():
        pytest.fail(f"{CDK} is missing: `make setup` installs it", pytrace=False)
    command = [
        "node",
        str(CDK),
        "synth",
        "--quiet",
        "--output",
        str(tmp_path),
        "--context",
        "environment=prod",
    ]
    done = subprocess.run(
        [*command, "--no-notices"],
        cwd=ROOT,
        env=without_account(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("*.template.json")} == {
        "TaxiDataLake.template.json",
        "TaxiPipeline.template.json",
    }


def test_an_unknown_environment_ends_with_the_valid_ones() -> None:
    done = run_app("staging")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: there is no environment 'staging'; choose one: -c environment=… with dev, local, prod"
    )


@pytest.mark.parametrize("part", ["function_code", "job_zip", "layer"])
def test_without_build_synthesis_names_the_path_and_the_command(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stacks import build
    from stacks.settings import LayerTarget

    monkeypatch.setattr(build, "BUILD", tmp_path)
    arguments = ("runtime", LayerTarget.AWS) if part == "layer" else ()

    with pytest.raises(build.BuildMissingError, match=rf"{tmp_path}/.* is missing; run `make build` first"):
        getattr(build, part)(*arguments)


def test_a_layer_without_its_hash_is_not_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stacks import build
    from stacks.settings import LayerTarget

    (tmp_path / "layers" / "aws" / "runtime").mkdir(parents=True)
    monkeypatch.setattr(build, "BUILD", tmp_path)

    with pytest.raises(build.BuildMissingError, match=r"runtime\.hash is missing"):
        build.layer("runtime", LayerTarget.AWS)
