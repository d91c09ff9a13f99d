"""Tests of the CDK command line on the local account."""

import pytest

from local_aws import cdk


def test_the_pinned_command_line_runs_on_the_pinned_node():
    assert cdk.run(["--version"], {}).startswith("2.1148.1 ")


def test_variables_of_a_real_account_are_removed(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CDK_DEFAULT_ACCOUNT", "HOMELY"):
        monkeypatch.setenv(name, "real")
    kept = cdk._without_aws()
    assert [name for name, value in kept.items() if value == "real"] == ["HOMELY"]


def test_a_missing_command_line_names_the_next_step(monkeypatch, tmp_path):
    monkeypatch.setattr(cdk, "CDK", tmp_path / "cdk")
    with pytest.raises(cdk.CdkError, match="make setup"):
        cdk.run(["--version"], {})


def test_a_failing_command_reports_its_output():
    with pytest.raises(cdk.CdkError, match="no-such-option"):
        cdk.run(["--no-such-option"], {})
