"""Is everything that was deployed there, and as it should be? Runs every check of `taxi-etl verify`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from botocore.exceptions import ClientError

from ops.checks import glue, kms, notifications, storage, workflow
from ops.checks.finding import Finding, Level, Place, Probe
from ops.deployment import GOOD_STACK, stacks

__all__ = ["Finding", "Level", "Place", "all_findings"]

PROBES: Sequence[tuple[str, Probe]] = (
    ("state machine", workflow.state_machine),
    ("functions", workflow.functions),
    ("event source mapping", workflow.event_source),
    ("closer", workflow.finalizer_rules),
    ("job", glue.job),
    ("crawler", glue.crawler),
    ("catalog", glue.databases),
    ("bucket", storage.bucket),
    ("bucket's key", kms.bucket_key),
    ("queues", storage.queues),
    ("ledger", storage.ledger_table),
    ("ledger", storage.work_waiting),
    ("topic", notifications.topic),
    ("alarms", notifications.alarms),
)

LOCAL_GAPS = frozenset(
    {
        ("state machine", "logging"),
        ("state machine", "tracing"),
        ("ledger", "point-in-time recovery"),
        ("topic", "encryption"),
    }
)
"""What the emulator of the local account accepts and forgets: there, its absence says nothing."""
_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


def all_findings(place: Place, on_part: Callable[[str], None] = lambda part: None) -> list[Finding]:
    """What every check found, part by part; `on_part` hears which part is being looked at."""
    found = list(_stacks(place))
    for part, probe in PROBES:
        on_part(part)
        try:
            found += list(probe(place))
        except ClientError as error:
            found.append(_unanswered(part, place, error))
    return [_as_known(finding, place) for finding in found]


def _stacks(place: Place) -> Iterator[Finding]:
    for stack in stacks(place.session):
        status = stack["StackStatus"]
        good = GOOD_STACK.fullmatch(status)
        level = Level.OK if good else Level.WARNING if status.endswith("IN_PROGRESS") else Level.FAILED
        remedy = "" if good else "wait for it" if level is Level.WARNING else place.redeploy
        yield Finding("stack", stack["StackName"], level, "" if good else f"it is {status}", remedy)


def _unanswered(part: str, place: Place, error: ClientError) -> Finding:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _DENIED:
        return Finding(
            part,
            "look",
            Level.FAILED,
            f"not allowed to look: {message}",
            "use a role that may read these parts",
        )
    return Finding(part, "exists", Level.FAILED, f"{error.operation_name}: {code}: {message}", place.redeploy)


def _as_known(finding: Finding, place: Place) -> Finding:
    """The finding, as far as the account can know: what the emulator forgets is unknown, not failed."""
    forgotten = place.session.is_local and (finding.part, finding.check) in LOCAL_GAPS
    if not forgotten or finding.level is Level.OK:
        return finding
    told = "the local AWS does not keep this setting; AWS does"
    return replace(finding, level=Level.UNKNOWN, problem=told, remedy="")
