"""Does a state machine's message reach subscribers with its attributes?"""

import json


def publishing(topic, **more):
    return {
        "Publish": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Arguments": {
                "TopicArn": topic,
                "Subject": "Outcome",
                "Message": {"status": "FAILED"},
                "MessageAttributes": {
                    "status": {"DataType": "String", "StringValue": "FAILED"},
                    "dataset": {"DataType": "String.Array", "StringValue": '["yellow", "green"]'},
                },
                **more,
            },
            "End": True,
        }
    }


def subscribed(workshop, topic, name, policy):
    url, arn = workshop.queue(name)
    workshop.aws.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    return url


def test_message_attributes_filter_the_subscribers(workshop):
    topic = workshop.aws.client("sns").create_topic(Name="news")["TopicArn"]
    failures = subscribed(workshop, topic, "failures", {"status": ["FAILED"], "dataset": ["green"]})
    successes = subscribed(workshop, topic, "successes", {"status": ["SUCCESS"]})
    outcome = workshop.run(publishing(topic))
    assert set(json.loads(outcome["output"])) == {"MessageId"}
    [message] = workshop.messages(failures)
    envelope = json.loads(message["Body"])
    assert envelope["MessageAttributes"]["status"] == {"Type": "String", "Value": "FAILED"}
    assert (envelope["Subject"], json.loads(envelope["Message"])) == ("Outcome", {"status": "FAILED"})
    assert workshop.messages(successes) == []


def test_a_missing_topic_has_its_own_error(workshop):
    missing = "arn:aws:sns:us-east-1:000000000000:missing"
    assert workshop.run(publishing(missing))["error"] == "SNS.NotFoundException"


def test_a_message_above_256_kib_has_its_own_error(workshop):
    topic = workshop.aws.client("sns").create_topic(Name="news")["TopicArn"]
    states = publishing(topic, Message="{% $pad('', 262143, 'x') %}")
    assert workshop.run(states)["error"] == "SNS.InvalidParameterException"
