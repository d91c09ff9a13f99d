"""Checks of the topic with its subscriptions, and of the alarms."""

from collections.abc import Iterator

from ops.checks.finding import Finding, Level, Scope, expect


def topic(scope: Scope) -> Iterator[Finding]:
    """Check that the topic is encrypted and has a confirmed subscription."""
    part, arn, sns = "topic", scope.deployment.topic_arn, scope.session.client("sns")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    encrypted = bool(attributes.get("KmsMasterKeyId"))
    yield expect(part, "encryption", encrypted, "messages are stored unencrypted", scope.redeploy)
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    found = [subscription for page in pages for subscription in page["Subscriptions"]]
    pending = [each["Endpoint"] for each in found if not each["SubscriptionArn"].startswith("arn:")]
    confirmed = len(found) - len(pending)
    unconfirmed = f"not confirmed: {', '.join(pending)}" if pending else ""
    remedy = scope.session.target.command("subscribe", "you@example.com")
    problem = f"nobody receives notifications{unconfirmed and f'; {unconfirmed}'}"
    yield expect(part, "subscriptions", confirmed > 0, problem, remedy, otherwise=Level.WARNING)
    if confirmed:
        remedy = "confirm with the message that AWS sent to the endpoint, or unsubscribe it"
        yield expect(part, "confirmations", not pending, unconfirmed, remedy, otherwise=Level.WARNING)


def alarms(scope: Scope) -> Iterator[Finding]:
    """Check that every alarm exists and notifies the topic, and that none is in alarm."""
    names, arn = scope.deployment.alarm_names, scope.deployment.topic_arn
    pages = scope.session.client("cloudwatch").get_paginator("describe_alarms")
    found = {
        alarm["AlarmName"]: alarm
        for page in pages.paginate(AlarmNames=list(names), AlarmTypes=["MetricAlarm"])
        for alarm in page["MetricAlarms"]
    }
    for name in names:
        if name not in found:
            yield expect("alarm", name, False, "it does not exist", scope.redeploy)
            continue
        alarm = found[name]
        notifies = arn in alarm.get("AlarmActions", []) and alarm.get("ActionsEnabled", True)
        yield expect("alarm", name, notifies, "it does not notify the topic", scope.redeploy)
        if alarm.get("StateValue") == "ALARM":
            problem = f"it is in alarm: {alarm.get('StateReason', 'no reason given')}"
            remedy = alarm.get("AlarmDescription") or scope.session.target.command("list")
            yield Finding("alarm", f"{name} state", Level.WARNING, problem, remedy)
