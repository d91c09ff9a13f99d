"""The checks of `taxi-etl verify`: whether every deployed part exists and has the expected configuration."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from botocore.exceptions import ClientError

from ops.checks import (
    first_deployment,
    glue,
    kms,
    lake_formation,
    log_groups,
    notifications,
    storage,
    table_optimizers,
    workflow,
)
from ops.checks.finding import Check, Finding, Level, Scope
from ops.deployment import COMPLETE_STACK, stacks

__all__ = ["Finding", "Level", "Scope", "all_findings"]

CHECKS: Sequence[tuple[str, Check]] = (
    ("state machine", workflow.state_machine),
    ("functions", workflow.functions),
    ("event source mapping", workflow.event_source),
    ("finalizer", workflow.finalizer_rules),
    ("job", glue.job),
    ("crawler", glue.crawler),
    ("catalog", glue.databases),
    ("Lake Formation", lake_formation.permissions),
    ("table optimizers", table_optimizers.optimizers),
    ("bucket", storage.bucket),
    ("bucket's key", kms.bucket_key),
    ("existing bucket's key", kms.existing_keys),
    ("queues", storage.queues),
    ("ledger", storage.ledger_table),
    ("ledger", storage.held_files),
    ("topic", notifications.topic),
    ("alarms", notifications.alarms),
    (log_groups.PART, log_groups.shared_groups),
)

LOCAL_GAPS = frozenset(
    {
        ("state machine", "logging"),
        ("state machine", "tracing"),
        ("ledger", "point-in-time recovery"),
        ("topic", "encryption"),
    }
)
"""The checks of settings that the local account's emulator accepts but does not keep."""
_DENIED = ("403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


def all_findings(
    scope: Scope, on_part: Callable[[str], None] = lambda part: None, *, first: bool = False
) -> list[Finding]:
    """Run all checks and return their findings; `on_part` is called with the name of each part.

    With `first`, also the checks of what a first load leaves.
    """
    found = list(_stacks(scope))
    for part, check in (*CHECKS, *(first_deployment.CHECKS if first else ())):
        on_part(part)
        try:
            found += list(check(scope))
        except ClientError as error:
            found.append(_from_error(part, scope, error))
    return [_without_local_gaps(finding, scope) for finding in found]


def _stacks(scope: Scope) -> Iterator[Finding]:
    for stack in stacks(scope.session):
        name, status = stack["StackName"], stack["StackStatus"]
        if COMPLETE_STACK.fullmatch(status):
            yield Finding("stack", name, Level.OK)
        elif status.endswith("IN_PROGRESS"):
            remedy = "wait until the deployment ends, then verify again"
            yield Finding("stack", name, Level.WARNING, f"it is {status}", remedy)
        else:
            yield Finding("stack", name, Level.FAILED, f"it is {status}", scope.redeploy)


def _from_error(part: str, scope: Scope, error: ClientError) -> Finding:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if lake_formation.is_refusal(message):
        problem = f"{error.operation_name}: {message}"
        return Finding(part, "Lake Formation", Level.FAILED, problem, lake_formation.REMEDY)
    if code in _DENIED:
        problem = f"permission denied for {error.operation_name}: {message or code}"
        return Finding(part, "permission", Level.FAILED, problem, "use a role that may read this part")
    return Finding(part, "exists", Level.FAILED, f"{error.operation_name}: {code}: {message}", scope.redeploy)


def _without_local_gaps(finding: Finding, scope: Scope) -> Finding:
    """Return the finding, with level `UNKNOWN` if the local account does not keep the checked setting."""
    is_gap = scope.session.is_local and (finding.part, finding.check) in LOCAL_GAPS
    if not is_gap or finding.level is Level.OK:
        return finding
    problem = "the local account does not keep this setting; AWS does"
    return replace(finding, level=Level.UNKNOWN, problem=problem, remedy="")
