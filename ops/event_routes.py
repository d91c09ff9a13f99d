"""S3 events of an existing bucket through an EventBridge rule, or through an SNS topic.

S3 allows one notification for an event of a key. A bucket whose events already go elsewhere is connected by
one of these routes. The queue accepts messages of the rules that this module names and of `existing_topics`.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from ops.deployment import deploy_command
from ops.errors import CliError
from ops.session import Session
from taxi_etl.names import RAW_PREFIX, trigger_name_prefix

TARGET_ID = "taxi-etl"
UNUSABLE_TOPIC = ("AuthorizationError", "NotFound", "InvalidParameter")
"""Codes with which SNS answers for a topic of another account, or one that no longer exists."""


def is_allowed(policy: str, source: str) -> bool:
    """Return whether a statement of the queue's policy allows this bucket, topic or rule to send."""
    statements = json.loads(policy or "{}").get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        conditions = statement.get("Condition", {})
        for operator in ("ArnEquals", "ArnLike"):
            sources = conditions.get(operator, {}).get("aws:SourceArn", [])
            for each in [sources] if isinstance(sources, str) else sources:
                begins = each.endswith("*") and source.startswith(each[:-1])
                if statement.get("Effect") == "Allow" and (each == source or begins):
                    return True
    return False


# EventBridge


def add_rule(session: Session, *, queue: str, policy: str, bucket: str, prefix: str) -> tuple[str, bool]:
    """Route events of new objects under a prefix to the queue; return the rule's name, and whether it is new.

    The bucket sends its events to EventBridge already. Raises CliError if the queue would reject them.
    """
    events = session.client("events")
    name = _rule_name(session, bucket, prefix)
    is_new = name not in dict(rules(session, bucket))
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": prefix}]}},
    }
    region, account = queue.split(":")[3:5]
    arn = f"arn:{queue.split(':')[1]}:events:{region}:{account}:rule/{name}"
    if not is_allowed(policy, arn):
        raise _not_allowed(session, f"EventBridge rule {name}", "existing_buckets", bucket)
    events.put_rule(
        Name=name, EventPattern=json.dumps(pattern), Description=f"New taxi files of bucket {bucket}"
    )
    answer = events.put_targets(Rule=name, Targets=[{"Id": TARGET_ID, "Arn": queue}])
    if answer["FailedEntryCount"]:
        raise CliError(
            f"EventBridge did not accept the queue as the target of rule {name}: "
            f"{answer['FailedEntries'][0]['ErrorMessage']}",
            "repeat the command",
        )
    return name, is_new


def rules(session: Session, bucket: str) -> Iterator[tuple[str, str]]:
    """Yield the name and key prefix of each of the pipeline's rules for a bucket."""
    pages = session.client("events").get_paginator("list_rules")
    for page in pages.paginate(NamePrefix=trigger_name_prefix(session.target.environment)):
        for rule in page["Rules"]:
            detail = json.loads(rule.get("EventPattern", "{}")).get("detail", {})
            if detail.get("bucket", {}).get("name") == [bucket]:
                yield rule["Name"], detail["object"]["key"][0]["prefix"]


def remove_rule(session: Session, name: str) -> None:
    """Delete one of the pipeline's rules; the bucket still sends events to EventBridge for other rules."""
    events = session.client("events")
    events.remove_targets(Rule=name, Ids=[TARGET_ID])
    events.delete_rule(Name=name)


def _rule_name(session: Session, bucket: str, prefix: str) -> str:
    digest = hashlib.sha256(json.dumps([bucket, prefix]).encode()).hexdigest()
    return f"{trigger_name_prefix(session.target.environment)}{digest[:8]}"


# SNS


def add_subscription(
    session: Session, *, queue: str, policy: str, bucket: str, topic: str
) -> tuple[str, bool]:
    """Route a topic's events of new objects in the raw zone of a bucket to the queue.

    Returns the subscription's ARN, and whether anything changed. A topic has one subscription for all
    buckets. Raises CliError if the queue would reject the topic's messages.
    """
    if not is_allowed(policy, topic):
        raise _not_allowed(session, f"topic {topic}", "existing_topics", topic.rpartition(":")[2])
    sns = session.client("sns")
    found = _subscription(session, topic, queue)
    buckets = _buckets(session, found) if found else []
    if found and bucket in buckets:
        return found, False
    filters = {
        "RawMessageDelivery": "true",
        "FilterPolicyScope": "MessageBody",
        "FilterPolicy": json.dumps(_filter([*buckets, bucket])),
    }
    if found:
        _set_buckets(session, found, [*buckets, bucket])
        return found, True
    made = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=filters, ReturnSubscriptionArn=True
    )
    return str(made["SubscriptionArn"]), True


def subscriptions(
    session: Session, *, queue: str, bucket: str, topics: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the topic and subscription through which each of these topics sends a bucket's events."""
    for topic in sorted(set(topics)):
        try:
            found = _subscription(session, topic, queue)
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNUSABLE_TOPIC:
                raise
            continue
        if found and bucket in _buckets(session, found):
            yield topic, found


def remove_subscription(session: Session, subscription: str, bucket: str) -> None:
    """Stop routing a bucket's events; the subscription itself ends with its last bucket."""
    remaining = [each for each in _buckets(session, subscription) if each != bucket]
    if remaining:
        _set_buckets(session, subscription, remaining)
    else:
        session.client("sns").unsubscribe(SubscriptionArn=subscription)


def _subscription(session: Session, topic: str, queue: str) -> str | None:
    pages = session.client("sns").get_paginator("list_subscriptions_by_topic")
    for page in pages.paginate(TopicArn=topic):
        for each in page["Subscriptions"]:
            if each["Endpoint"] == queue:
                return str(each["SubscriptionArn"])
    return None


def _buckets(session: Session, subscription: str) -> list[str]:
    answer = session.client("sns").get_subscription_attributes(SubscriptionArn=subscription)
    policy = json.loads(answer["Attributes"].get("FilterPolicy") or "{}")
    names: list[str] = policy.get("Records", {}).get("s3", {}).get("bucket", {}).get("name", [])
    return names


def _set_buckets(session: Session, subscription: str, buckets: Sequence[str]) -> None:
    session.client("sns").set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps(_filter(buckets)),
    )


def _filter(buckets: Sequence[str]) -> dict[str, Any]:
    """The subscription's filter: new objects in the raw zone of these buckets. S3 encodes keys."""
    prefix = quote_plus(RAW_PREFIX, safe="/")
    return {
        "Records": {
            "eventName": [{"prefix": "ObjectCreated:"}],
            "s3": {"bucket": {"name": list(buckets)}, "object": {"key": [{"prefix": prefix}]}},
        }
    }


def _not_allowed(session: Session, sender: str, setting: str, name: str) -> CliError:
    return CliError(
        f"the queue would reject the events of {sender}: {name} is not in {setting} of the deployment",
        f"add it to {setting} in stacks/settings.py, then {deploy_command(session)}",
    )
