"""Checks of the optimizers that the job creates for each Iceberg table."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Level, Scope, expect
from taxi_etl.table_maintenance import OPTIMIZER_TYPES, OPTIMIZERS_PROPERTY

PART = "table optimizers"


def optimizers(scope: Scope) -> Iterator[Finding]:
    """Check each table's optimizers: present, enabled, with a role that exists and a last run that worked.

    A defect is a warning: loads work without optimizers, but small files and old snapshots accumulate.
    """
    database = scope.deployment.taxi_database_name
    pages = scope.session.client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
    tables = [table["Name"] for page in pages for table in page["TableList"] if _is_iceberg(table)]
    roles: dict[str, bool] = {}
    for table in tables:
        for kind in OPTIMIZER_TYPES:
            problem, remedy = _defect(scope, table, kind, roles)
            yield expect(PART, f"{kind} of {table}", not problem, problem, remedy, otherwise=Level.WARNING)


def _defect(scope: Scope, table: str, kind: str, roles: dict[str, bool]) -> tuple[str, str]:
    """The first problem of an optimizer with its remedy, or empty texts. `roles` caches which roles exist."""
    optimizer = _optimizer(scope, table, kind)
    if optimizer is None:
        return "it does not exist", (
            "read the warning in the job's log and remove its cause; remove the table property "
            f"{OPTIMIZERS_PROPERTY} if the table has it (docs/recovery.md); then load a file of the table"
        )
    configuration = optimizer["configuration"]
    role = configuration["roleArn"]
    if role not in roles:
        roles[role] = _role_exists(scope, role)
    if not roles[role]:
        return (
            f"its role {role} does not exist",
            "load a file of the table: the job run updates its optimizers",
        )
    if not configuration["enabled"]:
        return "it is disabled", f"enable it in the AWS Glue console, on the page of table {table}"
    last = optimizer.get("lastRun", {})
    if last.get("eventType") == "failed":
        remedy = "remove the cause; the run's log is in one of the log groups /aws-glue/iceberg-…"
        return f"its last run failed: {last.get('error', 'no reason given')}", remedy
    return "", ""


def _optimizer(scope: Scope, table: str, kind: str) -> dict[str, Any] | None:
    glue = scope.session.client("glue")
    account = scope.deployment.state_machine_arn.split(":")[4]
    try:
        answer: dict[str, Any] = glue.get_table_optimizer(
            CatalogId=account, DatabaseName=scope.deployment.taxi_database_name, TableName=table, Type=kind
        )
    except glue.exceptions.EntityNotFoundException:
        return None
    found: dict[str, Any] = answer["TableOptimizer"]
    return found


def _role_exists(scope: Scope, arn: str) -> bool:
    try:
        scope.session.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return False
    return True


def _is_iceberg(table: dict[str, Any]) -> bool:
    kind: str = table.get("Parameters", {}).get("table_type", "")
    return kind.upper() == "ICEBERG"
