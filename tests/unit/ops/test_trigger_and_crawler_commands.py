"""Tests of `trigger`, which keeps a bucket's other notifications, and of `crawler`."""

import json
from copy import deepcopy

import pytest
from conftest import NOON, stack
from fake_aws import error

from ops import bucket_notifications

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:etl-file-events-dev"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:images"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnails"
CREATED = "s3:ObjectCreated:*"
POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Condition": {"ArnEquals": {"aws:SourceArn": ["arn:aws:s3:::lake", "arn:aws:s3:::old"]}},
        },
        {
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:123456789012:rule/taxi-etl-dev-*"}
            },
        },
    ]
}


def entry(kind, destination, *, prefix="", suffix="", events=(CREATED,)):
    values = {"Prefix": prefix, "Suffix": suffix}
    rules = [{"Name": key, "Value": value} for key, value in values.items() if value]
    made = {"Id": "theirs", f"{kind}Arn": destination, "Events": list(events)}
    return made | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


class Notification:
    """A bucket's notification configuration as S3 keeps it."""

    def __init__(self, **document):
        self.document = document

    def get(self, request):
        return deepcopy(self.document)

    def put(self, request):
        self.document = deepcopy(request["NotificationConfiguration"])
        return {}


@pytest.fixture
def bucket(taxi_etl):
    """A versioned bucket `old` that may send to the queue and already notifies a topic of its images."""
    notification = Notification(
        TopicConfigurations=[entry("Topic", TOPIC, prefix="images/")], EventBridgeConfiguration={}
    )
    taxi_etl.aws.answers |= {
        "sqs.GetQueueAttributes": {"Attributes": {"QueueArn": QUEUE, "Policy": json.dumps(POLICY)}},
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.HeadBucket": {"BucketRegion": "eu-west-1"},
        "s3.GetBucketEncryption": error("ServerSideEncryptionConfigurationNotFoundError"),
        "s3.GetBucketNotificationConfiguration": notification.get,
        "s3.PutBucketNotificationConfiguration": notification.put,
        "events.ListRules": {"Rules": []},
        "events.PutRule": {},
        "events.PutTargets": {"FailedEntryCount": 0},
        "sns.ListSubscriptionsByTopic": {"Subscriptions": []},
        "sns.Subscribe": {"SubscriptionArn": f"{TOPIC}:1"},
    }
    taxi_etl.notification = notification
    return taxi_etl


def rules_of(notification):
    return [(rule["Name"].lower(), rule["Value"]) for rule in notification["Filter"]["Key"]["FilterRules"]]


def test_trigger_adds_a_notification_and_keeps_the_others(bucket):
    code, document = bucket.json("trigger", "--bucket", "old")
    assert code == 0
    assert document["added"] is True
    written = bucket.notification.document
    assert written["TopicConfigurations"] == [entry("Topic", TOPIC, prefix="images/")]
    assert written["EventBridgeConfiguration"] == {}
    [ours] = written["QueueConfigurations"]
    assert (ours["QueueArn"], ours["Events"]) == (QUEUE, [CREATED])
    assert rules_of(ours) == [("prefix", "raw/taxi/")]


def test_trigger_takes_a_prefix_and_events(bucket):
    events = ["s3:ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload"]
    words = [word for event in events for word in ("--events", event)]
    code, _ = bucket.json("trigger", "add", "--bucket", "old", "--prefix", "raw/taxi/green/", *words)
    assert code == 0
    [ours] = bucket.notification.document["QueueConfigurations"]
    assert sorted(ours["Events"]) == sorted(events)
    assert rules_of(ours) == [("prefix", "raw/taxi/green/")]


def test_repeating_a_trigger_changes_nothing(bucket):
    bucket.json("trigger", "--bucket", "old")
    code, document = bucket.json("trigger", "--bucket", "old")
    assert (code, document["added"]) == (0, False)
    assert len(bucket.aws.requests("s3.PutBucketNotificationConfiguration")) == 1


@pytest.mark.parametrize(
    "theirs",
    [
        {"TopicConfigurations": [entry("Topic", TOPIC)]},
        {"TopicConfigurations": [entry("Topic", TOPIC, prefix="raw/")]},
        {"TopicConfigurations": [entry("Topic", TOPIC, prefix="raw/taxi/green/", suffix=".csv")]},
        {"QueueConfigurations": [entry("Queue", f"{QUEUE}-other", events=("s3:ObjectCreated:Put",))]},
        {"LambdaFunctionConfigurations": [entry("LambdaFunction", FUNCTION, suffix=".parquet")]},
    ],
)
def test_an_overlapping_notification_is_an_error_and_nothing_is_written(theirs, bucket):
    bucket.notification.document = theirs
    code, document = bucket.json("trigger", "--bucket", "old")
    assert code == 1
    assert "'theirs'" in document["error"]
    assert "EventBridge" in document["nextStep"]
    assert not bucket.aws.requests("s3.PutBucketNotificationConfiguration")


@pytest.mark.parametrize(
    ("one", "two", "overlap"),
    [
        (("", ".csv"), ("", ".parquet"), False),
        (("", ".csv"), ("raw/", "s.csv"), True),
        (("a/", ""), ("b/", ""), False),
        (("a/", ".csv"), ("a/b/", ""), True),
    ],
)
def test_notifications_overlap_if_a_key_can_match_both(one, two, overlap):
    first, second = (
        bucket_notifications.Notification("n", QUEUE, (CREATED,), prefix=prefix, suffix=suffix)
        for prefix, suffix in (one, two)
    )
    assert first.overlaps(second) is second.overlaps(first) is overlap


def test_a_trigger_that_overlaps_our_own_is_an_error_with_the_remove_command(bucket):
    bucket.json("trigger", "--bucket", "old", "--prefix", "raw/taxi/green/")
    code, document = bucket.json("trigger", "--bucket", "old")
    assert (code, "that begin with raw/taxi/green/" in document["error"]) == (1, True)
    assert document["nextStep"].endswith("taxi-etl --environment dev trigger remove --bucket old")


@pytest.mark.parametrize(
    "theirs",
    [
        {"TopicConfigurations": [entry("Topic", TOPIC, events=("s3:ObjectRemoved:*",))]},
        {"TopicConfigurations": [entry("Topic", TOPIC, prefix="raw/bus/")]},
        {"TopicConfigurations": [entry("Topic", TOPIC, prefix="raw/taxi2/")]},
    ],
)
def test_notifications_of_other_events_or_keys_do_not_overlap(theirs, bucket):
    bucket.notification.document = theirs
    assert bucket.json("trigger", "--bucket", "old")[0] == 0
    assert bucket.notification.document["TopicConfigurations"] == theirs["TopicConfigurations"]


def test_notifications_of_different_events_may_share_keys(bucket):
    theirs = entry("Topic", TOPIC, prefix="raw/taxi/", events=("s3:ObjectCreated:Copy",))
    bucket.notification.document = {"TopicConfigurations": [theirs]}
    assert bucket.json("trigger", "--bucket", "old", "--events", "s3:ObjectCreated:Put")[0] == 0
    assert bucket.json("trigger", "--bucket", "old", "--events", "s3:ObjectCreated:Copy")[0] == 1


@pytest.mark.parametrize(
    ("call", "answer", "message", "step"),
    [
        ("s3.GetBucketVersioning", {}, "is not versioned", "put-bucket-versioning --bucket old"),
        ("s3.GetBucketVersioning", {"Status": "Suspended"}, "is not versioned", "put-bucket-versioning"),
        ("s3.HeadBucket", error("404"), "does not exist", "aws s3 ls"),
        (
            "s3.HeadBucket",
            {"BucketRegion": "us-east-1"},
            "is in us-east-1, the queue is in eu-west-1",
            "replicate",
        ),
        (
            "sqs.GetQueueAttributes",
            {"Attributes": {"QueueArn": QUEUE, "Policy": json.dumps(POLICY).replace(":::old", ":::older")}},
            "bucket old is not in existing_buckets",
            "existing_buckets",
        ),
        (
            "sqs.GetQueueAttributes",
            {"Attributes": {"QueueArn": QUEUE}},
            "is not in existing_buckets",
            "deploy",
        ),
    ],
)
def test_a_bucket_that_the_pipeline_cannot_use_is_an_error(call, answer, message, step, bucket):
    bucket.aws.answers[call] = answer
    code, document = bucket.json("trigger", "--bucket", "old")
    assert code == 1
    assert message in document["error"]
    assert step in document["nextStep"]
    assert not bucket.aws.requests("s3.PutBucketNotificationConfiguration")


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def encrypted(bucket):
    """Encrypt the bucket with a key; `readable` are the keys that the deployed roles may use."""

    def encrypt(named, *, readable="", manager="CUSTOMER"):
        default = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": named} if named else {})}
        rules = [{"ApplyServerSideEncryptionByDefault": default}]
        bucket.aws.answers |= {
            "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": rules}},
            "kms.DescribeKey": {"KeyMetadata": {"KeyId": "1234abcd", "Arn": KEY, "KeyManager": manager}},
        }
        if readable:
            bucket.aws.answers["cloudformation.DescribeStacks"] = lambda request: stack(
                request, ReadableKeyArns=readable
            )
        return bucket

    return encrypt


@pytest.mark.parametrize("named", [KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/theirs"])
@pytest.mark.parametrize("route", [(), ("--event-bridge",)])
def test_a_bucket_whose_key_the_roles_may_not_use_is_an_error(named, route, encrypted):
    bucket = encrypted(named, readable=f"{KEY}0")
    code, document = bucket.json("trigger", "--bucket", "old", *route)
    assert code == 1
    assert f"bucket old is encrypted with {KEY}, which is not in existing_key_arns" in document["error"]
    assert document["nextStep"].startswith("add it to existing_key_arns in stacks/settings.py, then deploy")
    assert not bucket.aws.requests("s3.PutBucketNotificationConfiguration")
    assert not bucket.aws.requests("events.PutRule")


@pytest.mark.parametrize(
    ("named", "options"),
    [
        ("alias/theirs", {"readable": f"{KEY}0,{KEY}"}),
        ("alias/aws/s3", {"manager": "AWS"}),
        ("", {}),  # aws:kms without a key is aws/s3 too
    ],
)
def test_a_bucket_whose_key_the_roles_may_use_is_connected(named, options, encrypted):
    assert encrypted(named, **options).json("trigger", "--bucket", "old")[0] == 0


def test_a_key_that_may_not_be_described_is_compared_by_the_buckets_name_for_it(encrypted):
    bucket = encrypted(KEY, readable=KEY)
    bucket.aws.answers["kms.DescribeKey"] = error("AccessDeniedException")
    assert bucket.json("trigger", "--bucket", "old")[0] == 0
    bucket = encrypted("alias/theirs", readable=KEY)
    bucket.aws.answers["kms.DescribeKey"] = error("AccessDeniedException")
    assert "is encrypted with alias/theirs" in bucket.json("trigger", "--bucket", "old")[1]["error"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--bucket", "lake"), "the deployment's own bucket"),
        (("--bucket", "old", "--prefix", ""), "would be rejected"),
        (("--bucket", "old", "--prefix", "raw/"), "would be rejected"),
        (("remove", "--bucket", "lake"), "the deployment's own bucket"),
    ],
)
def test_the_deployments_own_bucket_and_other_prefixes_are_errors(words, message, bucket):
    code, document = bucket.json("trigger", *words)
    assert code == 1
    assert message in document["error"]
    assert not bucket.aws.requests("s3.PutBucketNotificationConfiguration")


def test_an_unknown_event_is_wrong_usage(bucket):
    result = bucket("trigger", "--bucket", "old", "--events", "s3:ObjectRemoved:*")
    assert result.exit_code == 2


def test_a_concurrent_change_is_detected(bucket):
    bucket.aws.answers["s3.PutBucketNotificationConfiguration"] = {}
    code, document = bucket.json("trigger", "--bucket", "old")
    assert code == 1
    assert "was changed concurrently: taxi-etl-dev-" in document["error"]


def test_show_separates_our_notifications_from_others(bucket):
    bucket.json("trigger", "--bucket", "old")
    code, document = bucket.json("trigger", "show", "--bucket", "old")
    assert code == 0
    assert [(each["prefix"], each["destination"]) for each in document["triggers"]] == [("raw/taxi/", QUEUE)]
    assert [(each["id"], each["prefix"], each["destination"]) for each in document["others"]] == [
        ("theirs", "images/", TOPIC)
    ]


def test_remove_removes_only_our_notifications(bucket):
    other_queue = entry("Queue", f"{QUEUE}-other", prefix="other/")
    bucket.notification.document["QueueConfigurations"] = [other_queue]
    before = deepcopy(bucket.notification.document)
    bucket.json("trigger", "--bucket", "old")
    code, document = bucket.json("trigger", "remove", "--bucket", "old")
    assert (code, [each["prefix"] for each in document["removed"]]) == (0, ["raw/taxi/"])
    assert bucket.notification.document == before


def test_remove_with_a_prefix_keeps_other_prefixes(bucket):
    for prefix in ("raw/taxi/green/", "raw/taxi/yellow/"):
        assert bucket.json("trigger", "--bucket", "old", "--prefix", prefix)[0] == 0
    bucket.json("trigger", "remove", "--bucket", "old", "--prefix", "raw/taxi/green/")
    [left] = bucket.notification.document["QueueConfigurations"]
    assert rules_of(left) == [("prefix", "raw/taxi/yellow/")]


def test_remove_without_a_notification_writes_nothing(bucket):
    code, document = bucket.json("trigger", "remove", "--bucket", "old")
    assert (code, document["removed"]) == (0, [])
    assert not bucket.aws.requests("s3.PutBucketNotificationConfiguration")


def test_an_overlap_with_a_topic_names_both_commands_that_work(bucket):
    bucket.notification.document = {"TopicConfigurations": [entry("Topic", TOPIC)]}
    _, document = bucket.json("trigger", "--bucket", "old")
    command = "taxi-etl --environment dev trigger --bucket old"
    assert document["nextStep"].endswith(
        f"through EventBridge: {command} --event-bridge; or through that topic: {command} --topic images"
    )


def test_event_bridge_adds_a_rule_and_keeps_the_notifications(bucket):
    bucket.notification.document = {"TopicConfigurations": [entry("Topic", TOPIC)]}
    code, document = bucket.json(
        "trigger", "--bucket", "old", "--event-bridge", "--prefix", "raw/taxi/green/"
    )
    assert (code, document["added"], document["trigger"]["through"]) == (0, True, "EventBridge")
    assert bucket.notification.document == {
        "TopicConfigurations": [entry("Topic", TOPIC)],
        "EventBridgeConfiguration": {},
    }
    [rule] = bucket.aws.requests("events.PutRule")
    assert json.loads(rule["EventPattern"]) == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["old"]}, "object": {"key": [{"prefix": "raw/taxi/green/"}]}},
    }
    [targets] = bucket.aws.requests("events.PutTargets")
    assert (targets["Rule"], targets["Targets"][0]["Arn"]) == (rule["Name"], QUEUE)
    assert rule["Name"].startswith("taxi-etl-dev-")


def test_a_topic_outside_the_settings_is_an_error_that_names_the_setting(bucket):
    bucket.notification.document = {"TopicConfigurations": [entry("Topic", TOPIC)]}
    code, document = bucket.json("trigger", "--bucket", "old", "--topic", "images")
    assert code == 1
    assert f"the queue would reject the events of topic {TOPIC}" in document["error"]
    assert "add it to existing_topics in stacks/settings.py" in document["nextStep"]
    assert not bucket.aws.requests("sns.Subscribe")


def test_a_topic_is_subscribed_with_a_filter_for_the_raw_zone(bucket):
    bucket.notification.document = {"TopicConfigurations": [entry("Topic", TOPIC)]}
    policy = json.dumps(POLICY).replace("arn:aws:s3:::lake", TOPIC)
    bucket.aws.answers["sqs.GetQueueAttributes"] = {"Attributes": {"QueueArn": QUEUE, "Policy": policy}}
    code, document = bucket.json("trigger", "--bucket", "old", "--topic", TOPIC)
    assert (code, document["trigger"]["through"]) == (0, TOPIC)
    [request] = bucket.aws.requests("sns.Subscribe")
    attributes = request["Attributes"]
    assert (request["TopicArn"], request["Protocol"], request["Endpoint"]) == (TOPIC, "sqs", QUEUE)
    assert (attributes["RawMessageDelivery"], attributes["FilterPolicyScope"]) == ("true", "MessageBody")
    assert json.loads(attributes["FilterPolicy"]) == {
        "Records": {
            "eventName": [{"prefix": "ObjectCreated:"}],
            "s3": {"bucket": {"name": ["old"]}, "object": {"key": [{"prefix": "raw/taxi/"}]}},
        }
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--event-bridge", "--topic", "images"),
        ("--event-bridge", "--events", CREATED),
        ("--topic", "images", "--prefix", "raw/taxi/green/"),
    ],
)
def test_routes_that_do_not_go_together_are_wrong_usage(words, bucket):
    assert bucket("trigger", "--bucket", "old", *words).exit_code == 2


def crawler(state, **last):
    return {
        "Crawler": {
            "Name": "crawler-taxi-raw-dev",
            "State": state,
            "CrawlElapsedTime": 90_000,
            "LastCrawl": {"StartTime": NOON, **last},
        }
    }


def test_crawler_status_shows_the_state_and_the_last_crawl(taxi_etl):
    taxi_etl.aws.answers["glue.GetCrawler"] = crawler(
        "RUNNING", Status="FAILED", ErrorMessage="no permission"
    )
    code, document = taxi_etl.json("crawler", "status")
    assert code == 0
    assert (document["crawler"], document["state"]) == ("crawler-taxi-raw-dev", "RUNNING")
    assert document["seconds"] == 90.0
    assert document["lastCrawl"] == {
        "status": "FAILED",
        "started": "2024-06-01T12:00:00+00:00",
        "error": "no permission",
    }


def test_an_idle_crawler_has_no_running_time(taxi_etl):
    taxi_etl.aws.answers["glue.GetCrawler"] = crawler("READY", Status="SUCCEEDED")
    assert taxi_etl.json("crawler", "status")[1]["seconds"] is None
    taxi_etl.aws.answers["glue.GetCrawler"] = {"Crawler": {"Name": "c", "State": "READY"}}
    assert taxi_etl.json("crawler", "status")[1]["lastCrawl"] is None


@pytest.mark.parametrize(
    ("answer", "stopped"),
    [
        ({}, True),
        (error("CrawlerNotRunningException"), False),
        (error("CrawlerStoppingException"), False),
    ],
)
def test_crawler_stop_succeeds_with_and_without_a_crawl(answer, stopped, taxi_etl):
    taxi_etl.aws.answers["glue.StopCrawler"] = answer
    assert taxi_etl.json("crawler", "stop") == (0, {"stopped": stopped})
    assert taxi_etl.aws.requests("glue.StopCrawler") == [{"Name": "crawler-taxi-raw-dev"}]
