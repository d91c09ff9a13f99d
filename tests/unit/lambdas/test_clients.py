"""Tests of the AWS clients: one per service, with time limits that fit a function's timeout."""

import json
from typing import Any

import pytest

from lambdas import clients

SERVICES = {"dynamodb": "dynamodb", "s3": "s3", "sns": "sns", "step_functions": "stepfunctions"}
FACTORIES = {name: getattr(clients, name) for name in SERVICES}
"""The real functions, before fixtures replace them with fakes."""


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Create a client as in AWS, with credentials from the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return lambda name: FACTORIES[name]()


@pytest.mark.parametrize(("name", "service"), SERVICES.items())
def test_each_service_has_one_client_with_bounded_waits(make: Any, name: str, service: str) -> None:
    client = make(name)
    assert client.meta.service_model.service_name == service
    assert make(name) is client
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert config.max_pool_connections == clients.CONNECTIONS


def test_dynamodb_takes_plain_values_in_transactions(make: Any) -> None:
    sent: list[str] = []

    def intercept(request: Any, **_: Any) -> None:
        sent.append(request.body.decode())
        raise InterruptedError

    client = make("dynamodb")
    client.meta.events.register("before-send.dynamodb.TransactWriteItems", intercept)
    put = {"Put": {"TableName": "ledger", "Item": {"pk": "a", "sk": "b", "files": 2, "alone": True}}}
    with pytest.raises(InterruptedError):
        client.transact_write_items(TransactItems=[put])
    item = json.loads(sent[0])["TransactItems"][0]["Put"]["Item"]
    assert item == {"pk": {"S": "a"}, "sk": {"S": "b"}, "files": {"N": "2"}, "alone": {"BOOL": True}}
