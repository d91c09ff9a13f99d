"""Tests that the commands in the documents are valid: `taxi-etl` and `aws` commands with their options."""

import re
import shlex

import botocore.session
import pytest
import typer.main
from botocore import xform_name

from ops import cli
from tests.conftest import ROOT
from tests.fixtures.documents import PAGES

HIGH_LEVEL = {
    "aws s3 ls",
    "aws s3 rm",
    "aws s3 cp",
    "aws s3 sync",
    "aws sso login",
    "aws configure list-profiles",
}
"""Commands of the AWS CLI that are not one call of a service."""


def commands(program):
    """Return the commands of a program in each page, in blocks and inline, without optional parts."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        for line in lines:
            command = re.sub(r"\[[^\]]*\]|\s#.*|…", "", line).strip()
            if command.startswith(f"{program} "):
                found.append((page, command))
    return sorted(set(found))


@pytest.mark.parametrize(("page", "command"), commands("taxi-etl"), ids=str)
def test_a_taxi_etl_command_is_valid(page, command):
    main = typer.main.get_command(cli.app)
    assert "--install-completion" not in command, "parsing it would change this machine's shell"
    context = main.make_context("taxi-etl", shlex.split(command)[1:])
    words = [*context._protected_args, *context.args]
    while words and hasattr(main, "resolve_command"):
        name, main, words = main.resolve_command(context, words)
        if words and not hasattr(
            main, "resolve_command"
        ):  # a name alone refers to the command and needs no arguments
            main.make_context(name, list(words), parent=context)


@pytest.mark.parametrize(("page", "command"), commands("aws"), ids=str)
def test_an_aws_command_is_an_operation_with_these_options(page, command):
    if any(command.startswith(known) for known in HIGH_LEVEL):
        return
    _, service, operation, *words = shlex.split(command)
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    calls = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
    assert operation in calls
    shape = calls[operation].input_shape
    members = shape.members if shape is not None else {}
    known = {xform_name(name, "-"): name for name in members}
    given = {word.removeprefix("--") for word in words if word.startswith("--")}
    named = {word.removeprefix("no-") if word not in known else word for word in given}
    assert named - known.keys() == set()
    assert {xform_name(name, "-") for name in getattr(shape, "required_members", [])} - named == set()


def test_commands_of_both_programs_are_found():
    assert len(commands("taxi-etl")) > 30
    assert len(commands("aws")) > 5
