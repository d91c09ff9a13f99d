"""E-mails, text messages, and a message for each protocol.

MiniStack 1.5.33: Drops e-mails and text messages, and with `MessageStructure = json` accepts any message.
AWS: Sends a subscriber the text of its protocol, or `default`. A message without `default` is an
InvalidParameter error, and a value that is not text counts as missing. Here, e-mails and text messages become
files in the account's folder `mail`.
Source: Amazon SNS API reference, "Publish", MessageStructure.
Delete when: MiniStack keeps e-mails where a program can read them, and refuses a message without `default`.
"""

import inspect
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.services import sns

from local_aws import settings
from local_aws.patches import patching

PROTOCOLS = ("email", "email-json", "sms")
_numbers = itertools.count(1)


def apply() -> None:
    """Check each publication, choose texts as AWS does, and keep what goes to people."""
    patching.replace(
        sns, "_resolve_message_for_protocol", "message message_structure protocol", _message_for_protocol
    )
    publish = patching.replace(
        sns,
        "publish_internal",
        "topic_arn message subject message_structure message_attributes message_group_id "
        "message_deduplication_id",
        lambda *given, **named: _publish(publish, *given, **named),
    )
    fanout = patching.replace(
        sns,
        "_fanout",
        "topic_arn msg_id message subject message_structure message_attributes message_group_id "
        "message_dedup_id",
        lambda *given, **named: _fanout(fanout, *given, **named),
    )
    reset = patching.replace(sns, "reset", "", lambda: _reset(reset))


def folder() -> Path:
    """Return the folder of sent e-mails and text messages; each is a file, numbered in order."""
    return settings.state() / "mail"


def _publish(
    publish: Callable[..., Any],
    topic_arn: str,
    message: Any,
    subject: str = "",
    *,
    message_structure: str = "",
    **more: Any,
) -> Any:
    if message_structure == "json":
        text = message if isinstance(message, str) else json.dumps(message)
        try:
            texts = _texts(text)
        except ValueError:
            raise sns.SnsPublishError(
                "InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse"
            ) from None
        if "default" not in texts:
            raise sns.SnsPublishError(
                "InvalidParameter",
                "Invalid parameter: Message Structure - No default entry in JSON message body",
            )
    return publish(topic_arn, message, subject, message_structure=message_structure, **more)


def _texts(message: str) -> dict[str, str]:
    """Return the texts by protocol. Raises ValueError for anything but a JSON object."""
    document = json.loads(message)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return {protocol: text for protocol, text in document.items() if isinstance(text, str)}


def _message_for_protocol(message: str, message_structure: str, protocol: str) -> str:
    if message_structure != "json":
        return message
    texts = _texts(message)
    return texts.get(protocol, texts["default"])


def _fanout(fanout: Callable[..., None], *given: Any, **named: Any) -> None:
    fanout(*given, **named)
    call = inspect.signature(fanout).bind(*given, **named)
    call.apply_defaults()
    sent = call.arguments
    attributes, subject = sent["message_attributes"] or {}, sent["subject"]
    topic = sns._topic_by_arn_any_scope(sent["topic_arn"])
    for subscription in topic["subscriptions"] if topic else ():
        protocol = subscription["protocol"]
        text = _message_for_protocol(sent["message"], sent["message_structure"], protocol)
        wanted = protocol in PROTOCOLS and sns._matches_filter_policy(subscription, attributes, text)
        if wanted and subscription["confirmed"]:
            if protocol == "email-json":
                text = sns._build_envelope(
                    sent["topic_arn"], sent["msg_id"], text, subject, attributes, False
                )
            _keep(protocol, subscription["endpoint"], subject or "AWS Notification Message", text)


def _keep(protocol: str, endpoint: str, subject: str, text: str) -> None:
    """Write one message as a file, complete as soon as it has its name."""
    mail = folder()
    mail.mkdir(exist_ok=True)
    address = "".join(letter if letter.isalnum() or letter in "@.+-_" else "_" for letter in endpoint)[:100]
    head = f"To: {endpoint}\n" + (f"Subject: {subject}\n" if protocol != "sms" else "")
    draft = mail / ".draft"
    draft.write_text(f"{head}\n{text}\n")
    draft.rename(mail / f"{next(_numbers):06}-{protocol}-{address}.txt")


def _reset(reset: Callable[[], None]) -> None:
    shutil.rmtree(folder(), ignore_errors=True)
    reset()
