"""Tests of what the demo prints and of when it deploys. `make demo` itself runs the rest."""

import io

import pytest
from rich.console import Console

from local_aws import account, paths
from local_aws.account import Account
from ops import demo, deployment, local_deployment
from ops.demo_output import Demo, bars, engines_table, letter
from ops.demo_results import Load
from ops.errors import CliError


def printed(show, *, terminal=False):
    """Return the lines that `show` prints on a console."""
    file = io.StringIO()
    show(Console(file=file, width=100, force_terminal=terminal, highlight=False))
    return file.getvalue().splitlines()


def test_a_step_prints_its_time_title_and_result_when_it_ends():
    def show(console):
        with Demo(console).step("Upload a file") as step:
            console.print("before the end")
            step.says = "rejected"

    before, line, result = printed(show)
    assert before == "before the end"
    assert line.split() == ["0.0", "s", "Upload", "a", "file"]
    assert result.strip() == "rejected"


def test_details_are_printed_only_on_request():
    assert printed(lambda console: Demo(console).detail("a.csv", "loaded")) == []
    [line] = printed(lambda console: Demo(console, verbose=True).detail("a.csv", "loaded"))
    assert line.split() == ["a.csv", "loaded"]


def test_the_longest_bar_belongs_to_the_largest_number():
    lines = printed(lambda console: console.print(bars([("Astoria", 1000), ("Midtown", 250), ("EWR", 1)])))
    assert [line.count("█") for line in lines] == [40, 10, 1]
    assert [line.split()[0] for line in lines] == ["Astoria", "Midtown", "EWR"]
    assert lines[0].endswith("1,000")


def test_both_engines_are_compared_by_time_cost_and_rows():
    loads = [Load("DuckDB", 1, 1.25, 0.000312, 19_800, 200), Load("Spark", 1, 95, 0.0103, 19_800, 200)]
    _, duckdb, spark = printed(lambda console: console.print(engines_table(loads)))
    assert duckdb.split() == ["DuckDB", "1.2", "s", "0.000312", "19,800", "200"]
    assert spark.split() == ["Spark", "1", "min", "35", "s", "0.010300", "19,800", "200"]


def test_an_email_is_shown_with_its_subject_and_text():
    mail = "To: you@example.com\nSubject: Taxi ETL SUCCESS: [1 file]\n\nLoaded a.csv.\n\nNext:\nNothing.\n"
    title, *text, _ = printed(lambda console: console.print(letter(mail)))
    assert "Taxi ETL SUCCESS: [1 file]" in title
    assert [line.strip("│ ") for line in text] == ["Loaded a.csv.", "", "Next:", "Nothing."]


def test_an_error_is_printed_with_the_next_step(monkeypatch, capsys):
    def fail(*_):
        raise CliError("a.csv [2] ended as failed", "see its execution")

    monkeypatch.setattr(demo, "run", fail)
    assert demo.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "error: a.csv [2] ended as failed",
        "next: see its execution",
    ]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a source and a build."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "settings.py").write_text("1")
    (tmp_path / "build" / "code").mkdir(parents=True)
    (tmp_path / "build" / "code" / "handler.py").write_text("1")
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("changed", ["stacks/settings.py", "build/code/handler.py", "stacks/new.py"])
def test_a_changed_source_has_another_fingerprint(changed, checkout):
    before = local_deployment.fingerprint()
    assert local_deployment.fingerprint() == before
    (checkout / changed).write_text("2")
    assert local_deployment.fingerprint() != before


@pytest.mark.parametrize(
    ("deployed", "app_exists", "synthesized"),
    [("same", True, False), ("other", True, True), ("same", False, True), (None, True, True)],
)
def test_only_a_changed_or_missing_app_is_synthesized(
    deployed, app_exists, synthesized, tmp_path, monkeypatch
):
    def discover(session):
        if not app_exists:
            raise CliError("not deployed")

    running = Account("http://127.0.0.1:1", 1, str(tmp_path / "account"))
    (tmp_path / "account").mkdir()
    if deployed:
        (tmp_path / "account" / "deployed").write_text(deployed)
    monkeypatch.setattr(local_deployment, "fingerprint", lambda: "same")
    monkeypatch.setattr(account, "status", lambda: running)
    monkeypatch.setattr(account, "up", lambda **_: running)
    monkeypatch.setattr(local_deployment, "Session", lambda target: None)
    monkeypatch.setattr(deployment, "discover", discover)
    submitted = []

    class Executor:
        def submit(self, function, *arguments, **options):
            submitted.append(function)

    local_deployment.start(Executor())
    assert (local_deployment.cdk.synth in submitted) is synthesized
    assert submitted[-1] is account.up
