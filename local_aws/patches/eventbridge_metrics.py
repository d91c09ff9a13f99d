"""What do alarms know of rules? How many events each rule matched, whether it has a target or not.

AWS publishes TriggeredRules of AWS/Events by RuleName. The emulator publishes nothing.
Source: EventBridge user guide, "Monitoring Amazon EventBridge".
"""

from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge

from local_aws.patches import patching
from local_aws.patches.cloudwatch import publish


def apply() -> None:
    """Count beside the delivery."""
    for name in ("_rules", "_matches_pattern_view", "_pattern_event_view"):
        patching.attribute(eventbridge, name)
    dispatch = patching.replace(
        eventbridge,
        "_dispatch_event",
        "event view",
        lambda event, view=None: _counting(dispatch, event, view),
    )


def _counting(dispatch: Callable[..., None], event: dict[str, Any], view: Any) -> None:
    view = view or eventbridge._pattern_event_view(event)
    dispatch(event, view)
    for rule in list(eventbridge._rules.values()):
        listens = rule.get("State") == "ENABLED" and rule.get("EventPattern")
        same_bus = rule.get("EventBusName", "default") == event.get("EventBusName", "default")
        if listens and same_bus and eventbridge._matches_pattern_view(rule["EventPattern"], view):
            publish("AWS/Events", {"RuleName": rule["Name"]}, {"TriggeredRules": (1.0, "Count")})
