"""Checks of log groups that Glue creates and that all crawlers and tables of the account share.

No stack can own them: Glue may have created them for others, and deleting the stack would delete their logs.
"""

from collections.abc import Iterator

from ops.checks.finding import Finding, Level, Scope, expect

PREFIXES = ("/aws-glue/crawlers", "/aws-glue/iceberg-")
"""Prefixes of the groups of crawlers and of table optimizers."""
PART = "Glue's log groups"


def shared_groups(scope: Scope) -> Iterator[Finding]:
    """Check that the groups expire their lines. Glue creates them without a retention."""
    own = f"/aws/lambda/{scope.deployment.orchestrator_function_name}"
    endless = [name for prefix in PREFIXES for name, days in _retentions(scope, prefix).items() if not days]
    days = _retentions(scope, own).get(own) if endless else None
    for name in endless:
        remedy = f"aws logs put-retention-policy --log-group-name {name} --retention-in-days {days or 14}"
        yield expect(PART, name, False, "it keeps its lines forever", remedy, otherwise=Level.WARNING)
    if not endless:
        yield expect(PART, "retention", True, "", "")


def _retentions(scope: Scope, prefix: str) -> dict[str, int | None]:
    """Return the retention in days of each group with the prefix, None for one without."""
    pages = scope.session.client("logs").get_paginator("describe_log_groups")
    return {
        group["logGroupName"]: group.get("retentionInDays")
        for page in pages.paginate(logGroupNamePrefix=prefix)
        for group in page["logGroups"]
    }
