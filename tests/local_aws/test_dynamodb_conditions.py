"""Tests that conditions of queries decide by each item, and are checked in each request."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def table(factory):
    """A table with 40 items in one partition; returns what to ask about it."""
    client = factory.aws.client("dynamodb")
    client.create_table(
        TableName="numbers",
        KeySchema=[
            {"AttributeName": "kind", "KeyType": "HASH"},
            {"AttributeName": "place", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "kind", "AttributeType": "S"},
            {"AttributeName": "place", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for place in range(40):
        client.put_item(TableName="numbers", Item={"kind": {"S": "even"}, "place": {"N": str(place)}})

    def query(condition: str, **values: str) -> list[int]:
        found = client.query(
            TableName="numbers",
            KeyConditionExpression=condition,
            ExpressionAttributeValues={
                f":{name}": {"S" if name == "kind" else "N": value} for name, value in values.items()
            },
        )
        return [int(item["place"]["N"]) for item in found["Items"]]

    return query


def test_a_condition_holds_for_each_item_by_its_own_values(table):
    assert table("kind = :kind AND place >= :from", kind="even", **{"from": "37"}) == [37, 38, 39]
    assert table("kind = :kind AND place >= :from", kind="even", **{"from": "39"}) == [39]
    assert table("kind = :kind AND place < :from", kind="even", **{"from": "2"}) == [0, 1]


def test_a_condition_with_a_syntax_error_is_rejected_each_time(table):
    for _ in range(2):
        with pytest.raises(ClientError, match="Syntax error"):
            table("kind = :kind AND place >=", kind="even")
