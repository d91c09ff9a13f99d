"""The metric TriggeredRules for each rule.

MiniStack 1.5.33: Publishes no AWS/Events metrics.
AWS: Publishes TriggeredRules by RuleName for every matched event, also for a rule without a target.
Source: EventBridge user guide, "Monitoring Amazon EventBridge".
Delete when: MiniStack publishes TriggeredRules.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge

from local_aws.patches import patching
from local_aws.patches.cloudwatch import publish


def apply() -> None:
    """Count matched events when they are dispatched."""
    for name in ("_rules", "_matches_pattern_view", "_pattern_event_view"):
        patching.attribute(eventbridge, name)
    dispatch = patching.replace(
        eventbridge,
        "_dispatch_event",
        "event view",
        lambda event, view=None: _dispatch_and_count(dispatch, event, view),
    )


def _dispatch_and_count(dispatch: Callable[..., None], event: dict[str, Any], view: Any) -> None:
    view = view or eventbridge._pattern_event_view(event)
    dispatch(event, view)
    for rule in list(eventbridge._rules.values()):
        enabled = rule.get("State") == "ENABLED" and rule.get("EventPattern")
        same_bus = rule.get("EventBusName", "default") == event.get("EventBusName", "default")
        if enabled and same_bus and eventbridge._matches_pattern_view(rule["EventPattern"], view):
            publish("AWS/Events", {"RuleName": rule["Name"]}, {"TriggeredRules": (1.0, "Count")})
