"""Tests of the text that each protocol's subscribers receive."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.fixtures.local_account import eventually

TEXTS = {"default": '{"status": "FAILED"}', "email": "It failed.\nFix it.", "sms": "failed"}


@pytest.fixture
def topic(factory):
    return factory.aws.client("sns").create_topic(Name="news")["TopicArn"]


@pytest.fixture
def publish(factory, topic):
    def publish(message, **more):
        factory.aws.client("sns").publish(
            TopicArn=topic, Subject="Outcome", Message=json.dumps(message), MessageStructure="json", **more
        )

    return publish


@pytest.fixture
def subscribe(factory, topic):
    def subscribe(protocol, endpoint, **attributes):
        factory.aws.client("sns").subscribe(
            TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
        )

    return subscribe


@pytest.fixture
def mail(factory):
    """A function that returns the kept messages by file name."""
    folder = Path(factory.aws.account.state_dir) / "mail"
    return lambda: {path.name: path.read_text() for path in sorted(folder.glob("*.txt"))}


def test_people_receive_the_text_of_their_protocol(subscribe, publish, mail):
    subscribe("email", "ann@example.com")
    subscribe("sms", "+15550100")
    publish(TEXTS)

    assert {name[6:]: text for name, text in mail().items()} == {
        "-email-ann@example.com.txt": "To: ann@example.com\nSubject: Outcome\n\nIt failed.\nFix it.\n",
        "-sms-+15550100.txt": "To: +15550100\n\nfailed\n",
    }


def test_an_email_json_subscriber_receives_the_default_in_an_envelope(subscribe, publish, mail):
    subscribe("email-json", "ann@example.com")
    publish(TEXTS)

    [text] = mail().values()
    envelope = json.loads(text.partition("\n\n")[2])
    assert (envelope["Subject"], envelope["Message"]) == ("Outcome", '{"status": "FAILED"}')


@pytest.mark.parametrize(
    ("texts", "delivered"),
    [
        (TEXTS, '{"status": "FAILED"}'),
        ({**TEXTS, "sqs": "queued"}, "queued"),
        ({**TEXTS, "sqs": {"not": "text"}}, '{"status": "FAILED"}'),
    ],
    ids=["default", "its own", "not text"],
)
def test_a_queue_receives_the_default_unless_it_has_a_text(factory, subscribe, publish, texts, delivered):
    url, arn = factory.queue("inbox")
    subscribe("sqs", arn)
    publish(texts)

    [message] = eventually(lambda: factory.messages(url))
    assert json.loads(message["Body"])["Message"] == delivered


def test_a_function_receives_the_default(factory, topic, subscribe, publish):
    url, _ = factory.queue("copies")
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    message = event['Records'][0]['Sns']['Message']\n"
        f"    boto3.client('sqs').send_message(QueueUrl={url!r}, MessageBody=message)\n"
    )
    subscribe("lambda", factory.function("copy", code))
    publish(TEXTS)

    [message] = eventually(lambda: factory.messages(url))
    assert message["Body"] == '{"status": "FAILED"}'


def test_a_filter_policy_also_applies_to_people(subscribe, publish, mail):
    subscribe("email", "ann@example.com", FilterPolicy='{"status": ["SUCCESS"]}')
    publish(TEXTS, MessageAttributes={"status": {"DataType": "String", "StringValue": "FAILED"}})
    assert mail() == {}


def test_a_message_of_one_text_goes_to_people_too(factory, topic, subscribe, mail):
    subscribe("email", "ann@example.com")
    factory.aws.client("sns").publish(TopicArn=topic, Message="hello")

    [text] = mail().values()
    assert text == "To: ann@example.com\nSubject: AWS Notification Message\n\nhello\n"


@pytest.mark.parametrize("message", [{"email": "no default"}, {"default": {}}, ["default"]])
def test_a_message_without_a_default_is_refused(publish, message):
    with pytest.raises(ClientError) as refused:
        publish(message)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


def test_a_state_machine_publishes_an_object_of_texts(factory, topic, subscribe, mail):
    subscribe("email", "ann@example.com")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": topic, "Message": TEXTS, "MessageStructure": "json", "Subject": "Outcome"},
        "End": True,
    }
    assert factory.run({"Publish": state})["status"] == "SUCCEEDED"

    [text] = mail().values()
    assert text.endswith("\n\nIt failed.\nFix it.\n")


def test_an_emptied_account_has_no_mail(factory, subscribe, publish, mail):
    subscribe("email", "ann@example.com")
    publish(TEXTS)
    assert mail()

    factory.aws.reset()

    assert mail() == {}
