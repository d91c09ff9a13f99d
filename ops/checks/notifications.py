"""Will somebody be told? The topic with its subscriptions, and the alarms."""

from collections.abc import Iterator

from ops.checks.finding import Finding, Level, Place, expect


def topic(place: Place) -> Iterator[Finding]:
    """The topic exists, is encrypted, and somebody confirmed a subscription."""
    part, arn, sns = "topic", place.deployment.topic_arn, place.session.client("sns")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    encrypted = bool(attributes.get("KmsMasterKeyId"))
    yield expect(part, "encryption", encrypted, "messages rest unencrypted", place.redeploy)
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    found = [subscription for page in pages for subscription in page["Subscriptions"]]
    pending = [each["Endpoint"] for each in found if not each["SubscriptionArn"].startswith("arn:")]
    confirmed = len(found) - len(pending)
    waiting = f"; {', '.join(pending)} did not confirm yet" if pending else ""
    remedy = place.session.target.command("subscribe", "you@example.com")
    problem = f"nobody is told{waiting}"
    yield expect(part, "subscriptions", confirmed > 0, problem, remedy, otherwise=Level.WARNING)
    if confirmed:
        problem = waiting.removeprefix("; ")
        remedy = "confirm by the message AWS sent there, or unsubscribe"
        yield expect(part, "confirmations", not pending, problem, remedy, otherwise=Level.WARNING)


def alarms(place: Place) -> Iterator[Finding]:
    """Every alarm exists, tells the topic, and none rings."""
    names, arn = place.deployment.alarm_names, place.deployment.topic_arn
    pages = place.session.client("cloudwatch").get_paginator("describe_alarms")
    found = {
        alarm["AlarmName"]: alarm
        for page in pages.paginate(AlarmNames=list(names), AlarmTypes=["MetricAlarm"])
        for alarm in page["MetricAlarms"]
    }
    for name in names:
        if name not in found:
            yield expect("alarm", name, False, "it does not exist", place.redeploy)
            continue
        alarm = found[name]
        tells = arn in alarm.get("AlarmActions", []) and alarm.get("ActionsEnabled", True)
        yield expect("alarm", name, tells, "it does not tell the topic", place.redeploy)
        if alarm.get("StateValue") == "ALARM":
            reason = alarm.get("StateReason", "")
            remedy = alarm.get("AlarmDescription") or place.session.target.command("list")
            yield Finding("alarm", f"{name} is quiet", Level.WARNING, f"it rings: {reason}", remedy)
