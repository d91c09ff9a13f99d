"""Tests of the examples in the help, and of errors as one line."""

import shlex

import pytest
import typer.main
from fake_aws import error

from ops import cli
from ops.errors import CliError
from ops.examples import EXAMPLES
from ops.output import Output


def named_commands():
    """Return the commands by name, those of groups as `crawler stop`, without hidden ones."""
    found = {}
    for name, command in typer.main.get_command(cli.app).commands.items():
        inner = getattr(command, "commands", None)
        named = {f"{name} {each}": inner[each] for each in inner} if inner else {name: command}
        found |= {each: made for each, made in named.items() if not made.hidden}
    return found


def test_every_command_has_examples():
    assert sorted(named_commands()) == sorted(EXAMPLES)


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_help_shows_the_examples_and_they_are_valid(command, taxi_etl):
    result = taxi_etl(*command.split(), "--help")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.stdout.splitlines()]
    for example in EXAMPLES[command]:
        assert example in lines
        assert len(example) <= 78, "so that it fits a terminal of 80 columns"
        words = shlex.split(example.partition(" <")[0])
        main = typer.main.get_command(cli.app)
        context = main.make_context("taxi-etl", words[1:])
        rest = [*context._protected_args, *context.args]
        while hasattr(main, "resolve_command"):
            name, main, rest = main.resolve_command(context, rest)
        assert main is not None
        assert main.name == command.split()[-1]
        main.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("unheard-of",), "No such command 'unheard-of'; next: see the usage: taxi-etl --help"),
        (("--nope",), "No such option: --nope; next: see the usage: taxi-etl --help"),
        (("history",), "Missing argument 'execution'; next: see the usage: taxi-etl history --help"),
        (
            ("crawler", "start"),
            "No such command 'start'. Did you mean 'status'?; next: see the usage: taxi-etl crawler --help",
        ),
        (
            ("remove", "raw/taxi/a.csv"),
            "Invalid value: 'raw/taxi/a.csv' is not an S3 URI; write s3://BUCKET/KEY; "
            "next: see the usage: taxi-etl remove --help",
        ),
    ],
)
def test_wrong_usage_is_one_line_with_the_help_to_read(words, line, taxi_etl):
    result = taxi_etl(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {line}\n"


def test_wrong_usage_is_a_document_too(taxi_etl):
    code, document = taxi_etl.json("list", "--count", "0")
    assert code == 2
    assert document == {
        "error": "Invalid value for '--count': Input should be greater than or equal to 1",
        "nextStep": "see the usage: taxi-etl list --help",
    }
    assert taxi_etl.json("history", "--nope")[0] == 2


def test_no_arguments_show_the_help(taxi_etl):
    result = taxi_etl()
    assert result.exit_code == 2
    assert "Usage: taxi-etl" in result.output
    assert "error:" not in result.output


def test_an_error_of_aws_is_one_line(taxi_etl):
    taxi_etl.aws.answers["cloudformation.DescribeStacks"] = error("ExpiredToken", "sign in\nagain")
    assert taxi_etl("list").stderr == (
        "error: DescribeStacks failed: ExpiredToken: sign in again; next: check the identity and its "
        "permissions: aws sts get-caller-identity\n"
    )


def test_an_error_of_several_lines_is_printed_as_one(capsys):
    message = (
        'Parser Error: syntax error at or near "FORM"\n\nLINE 1: SELECT * FORM trips\n                 ^'
    )
    Output(as_json=False).error(CliError(message, "correct the SQL"))
    assert capsys.readouterr().err == (
        'error: Parser Error: syntax error at or near "FORM" LINE 1: SELECT * FORM trips; '
        "next: correct the SQL\n"
    )


def test_an_error_without_a_next_step_ends_after_the_reason(capsys):
    Output(as_json=False).error(CliError("the port is taken"))
    assert capsys.readouterr().err == "error: the port is taken\n"


@pytest.mark.parametrize("words", [("list",), ("report", "--html", "x.html"), ("cost",)])
def test_a_period_that_begins_in_the_future_is_wrong_usage(words, taxi_etl):
    result = taxi_etl(*words, "--since", "9999-12-31")
    assert result.exit_code == 2
    assert "'9999-12-31' is in the future" in result.stderr


def test_a_file_that_cannot_be_written_is_one_line(taxi_etl, tmp_path):
    path = tmp_path / "missing" / "green.csv"
    result = taxi_etl("sample", "--dataset", "green", "--month", "2024-01", "--out", str(path))
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {path}: No such file or directory; next: check the path and its permissions\n"
    )


def test_an_upload_that_s3_refuses_is_one_line(taxi_etl, tmp_path):
    path = tmp_path / "green_tripdata_2024-01.csv"
    path.write_text("x")
    taxi_etl.aws.answers |= {
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.PutObject": error("AccessDenied", "no identity-based policy allows it"),
    }
    result = taxi_etl("upload", str(path))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Failed to upload ")
    assert "AccessDenied" in result.stderr
    assert result.stderr.endswith(
        "; next: check the identity and its permissions: aws sts get-caller-identity\n"
    )
    assert result.stderr.count("\n") == 1
