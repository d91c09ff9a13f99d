"""Checks of Lake Formation, which in some accounts restricts what IAM allows in the data catalog."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Level, Scope, expect

PART = "Lake Formation"
EVERYONE = "IAM_ALLOWED_PRINCIPALS"
"""The group that stands for all principals that IAM allows; with it, Lake Formation restricts nothing."""
REFUSAL = "Insufficient Lake Formation permission"
"""How Glue begins the message of such a refusal."""
REMEDY = (
    "make the role that deploys a data lake administrator, set lake_formation=True in stacks/settings.py and "
    "deploy (docs/deployment.md#accounts-governed-by-lake-formation)"
)


def is_refusal(message: str) -> bool:
    """Whether an error's message says that Lake Formation refused the call."""
    return REFUSAL in message


def permissions(scope: Scope) -> Iterator[Finding]:
    """Check that Lake Formation lets job and crawler create tables and did not refuse the last job run.

    A missing job or crawler is a finding of its own check.
    """
    if scope.session.is_local:  # The emulator has no Lake Formation.
        return
    glue, deployment = scope.session.client("glue"), scope.deployment
    with suppress(glue.exceptions.EntityNotFoundException):
        runs = glue.get_job_runs(JobName=deployment.glue_job_name, MaxResults=1)["JobRuns"]
        message = runs[0].get("ErrorMessage", "") if runs else ""
        problem = f"it refused the last job run: {message}"
        yield expect(PART, "last job run", not is_refusal(message), problem, REMEDY)
        role = glue.get_job(JobName=deployment.glue_job_name)["Job"]["Role"]
        yield _may_create_tables(scope, deployment.taxi_database_name, role)
    with suppress(glue.exceptions.EntityNotFoundException):
        role = glue.get_crawler(Name=deployment.crawler_name)["Crawler"]["Role"]
        yield _may_create_tables(scope, deployment.raw_database_name, role)


def _may_create_tables(scope: Scope, database: str, role: str) -> Finding:
    check, name = f"database {database}", role.rpartition("/")[2]
    try:
        creators = _creators(scope, database)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        problem = "permission denied for ListPermissions, so its permissions are not checked"
        return Finding(PART, check, Level.WARNING, problem, "use a role with lakeformation:ListPermissions")
    holds = not {EVERYONE, name}.isdisjoint(creators)
    problem = f"it does not let {name} create tables in it"
    return expect(PART, check, holds, problem, REMEDY, otherwise=Level.WARNING)


def _creators(scope: Scope, database: str) -> set[str]:
    """The principals, by name, that may create tables in the database."""
    found: set[str] = set()
    request: dict[str, Any] = {"Resource": {"Database": {"Name": database}}}
    while True:
        answer = scope.session.client("lakeformation").list_permissions(**request)
        for entry in answer.get("PrincipalResourcePermissions", []):
            if {"ALL", "CREATE_TABLE"} & set(entry["Permissions"]):
                found.add(entry["Principal"]["DataLakePrincipalIdentifier"].rpartition("/")[2])
        if not answer.get("NextToken"):
            return found
        request["NextToken"] = answer["NextToken"]
