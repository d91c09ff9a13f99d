"""Tests of EventBridge events of a versioned bucket."""

import json

from tests.fixtures.local_account import eventually


def test_events_of_a_versioned_bucket_name_the_version(factory):
    s3, events = factory.aws.client("s3"), factory.aws.client("events")
    url, arn = factory.queue("events")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="versioned", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    events.put_rule(Name="objects", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="objects", Targets=[{"Id": "queue", "Arn": arn}])
    put = s3.put_object(Bucket="versioned", Key="a b+c.csv", Body=b"trips")["VersionId"]
    [created] = eventually(lambda: [json.loads(each["Body"]) for each in factory.messages(url)])
    assert created["detail-type"] == "Object Created"
    described = created["detail"]["object"]
    assert (described["key"], described["size"], described["version-id"]) == ("a b+c.csv", 5, put)
    source = {"Bucket": "versioned", "Key": "a b+c.csv"}
    copied = s3.copy_object(Bucket="versioned", Key="copy.csv", CopySource=source)["VersionId"]
    [created] = eventually(lambda: [json.loads(each["Body"]) for each in factory.messages(url)])
    assert created["detail"]["object"]["version-id"] == copied
