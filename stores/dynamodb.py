"""DynamoDB requests and the table they are sent to.

Values are plain Python, as DynamoDB's resource API takes them. Every attribute name is a placeholder, because
many words are reserved. Names and values are collected from the expressions, because DynamoDB refuses
placeholders that are declared and not used.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from stores.errors import error_code

Key = Mapping[str, str]
Request = dict[str, Any]
"""The arguments of one DynamoDB call, `TableName` excepted."""

BATCH_GET_MAX = 100
CONDITION_CODES = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})
"""Cancellation reasons that mean a concurrent writer came first."""


class Table:
    """One DynamoDB table; `client` takes plain Python values, as `boto3.resource("dynamodb").meta.client`."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def transact(self, actions: Sequence[Request]) -> bool:
        """Write all actions or none; False when a condition failed or a concurrent write collided."""
        named = [
            {kind: {"TableName": self._name, **request} for kind, request in action.items()}
            for action in actions
        ]
        try:
            self._client.transact_write_items(TransactItems=named)
        except ClientError as error:
            reasons: list[dict[str, Any]] = error.response.get("CancellationReasons") or []
            codes = {str(reason.get("Code")) for reason in reasons}
            if error_code(error) == "TransactionCanceledException" and codes and codes <= CONDITION_CODES:
                return False
            raise
        return True

    def update(self, request: Request) -> bool:
        """Update one item; False when its condition failed."""
        try:
            self._client.update_item(TableName=self._name, **request)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def get(self, key: Key) -> dict[str, Any] | None:
        """Read one item consistently; None when there is no such item."""
        answer = self._client.get_item(TableName=self._name, Key=dict(key), ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def get_many(self, keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
        """Read items consistently, in no particular order; keys without an item are left out."""
        pending = [dict(key) for key in keys]
        for start in range(0, len(pending), BATCH_GET_MAX):
            batch = pending[start : start + BATCH_GET_MAX]
            unprocessed: dict[str, Any] = {self._name: {"Keys": batch, "ConsistentRead": True}}
            while unprocessed:
                answer = self._client.batch_get_item(RequestItems=unprocessed)
                yield from answer["Responses"].get(self._name, [])
                unprocessed = answer.get("UnprocessedKeys") or {}

    def query(self, request: Request) -> Iterator[dict[str, Any]]:
        """Read the items that a query finds, page by page."""
        for page in self._pages(request):
            yield from page["Items"]

    def query_page(self, request: Request) -> list[dict[str, Any]]:
        """Read the first page of a query only."""
        items: list[dict[str, Any]] = self._client.query(TableName=self._name, **request)["Items"]
        return items

    def count(self, request: Request) -> int:
        """Count the items that a query finds, without transferring them."""
        return sum(int(page["Count"]) for page in self._pages({**request, "Select": "COUNT"}))

    def _pages(self, request: Request) -> Iterator[dict[str, Any]]:
        arguments = {"TableName": self._name, **request}
        while True:
            page = self._client.query(**arguments)
            yield page
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def update(
    key: Key,
    changes: Mapping[str, Any],
    *,
    condition: str,
    remove: Sequence[str] = (),
    defaults: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Request:
    """Build an UpdateItem that sets `changes`, and sets `defaults` only where the attribute is absent.

    In the condition, `:name` is the new value of a changed attribute, or an entry of `values`.
    """
    defaults = defaults or {}
    sets = [f"#{name} = :{name}" for name in changes]
    sets += [f"#{name} = if_not_exists(#{name}, :{name})" for name in defaults]
    text = f"SET {', '.join(sets)}" if sets else ""
    if remove:
        text = f"{text} REMOVE {', '.join(f'#{name}' for name in remove)}".lstrip()
    known = {**changes, **defaults, **(values or {})}
    used = re.findall(r":(\w+)", f"{text} {condition}")
    return {
        "Key": dict(key),
        **expressions(UpdateExpression=text, ConditionExpression=condition),
        "ExpressionAttributeValues": {f":{name}": _plain(known[name]) for name in used},
    }


def query(index: str, condition: str, values: Mapping[str, Any], *, keep: str = "") -> Request:
    """Build a Query of an index, or of the table if `index` is empty; `keep` is a filter expression."""
    texts = {"KeyConditionExpression": condition, **({"FilterExpression": keep} if keep else {})}
    plain = {f":{name}": _plain(value) for name, value in values.items()}
    named = {"IndexName": index} if index else {"ConsistentRead": True}
    return {**named, **expressions(**texts), "ExpressionAttributeValues": plain}


def expressions(**texts: str) -> Request:
    """Return the expressions together with the attribute names they use."""
    names = sorted({name for text in texts.values() for name in re.findall(r"#(\w+)", text)})
    return {**texts, "ExpressionAttributeNames": {f"#{name}": name for name in names}}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value
