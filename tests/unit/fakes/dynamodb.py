"""Fake DynamoDB client with the ledger's operations, conditions, limits and paging."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fakes.expressions import InvalidExpressionError, check_placeholders, holds, updated
from fakes.faults import Faulty, fault

INDEXES = {"by-execution": ("execution", "sk"), "by-status": ("status", "updatedAt")}
TRANSACTION_MAX = 100
TRANSACTION_MAX_BYTES = 4 * 1024**2
ITEM_MAX_BYTES = 400 * 1024
HASH_MAX_BYTES, RANGE_MAX_BYTES = 2048, 1024
BATCH_GET_MAX = 100


class FakeTable(Faulty):
    """DynamoDB's client with one table; a query page and a batch get return at most `page_size` items."""

    def __init__(self, name: str = "ledger", page_size: int = 2) -> None:
        super().__init__()
        self.name = name
        self.page_size = page_size
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        """Apply all actions, or none when a condition fails."""
        self.note("transact_write_items", arguments)
        requests = [
            (kind, request) for action in arguments["TransactItems"] for kind, request in action.items()
        ]
        if not 1 <= len(requests) <= TRANSACTION_MAX:
            raise fault("ValidationException")
        keys = [self._key(request.get("Key") or request["Item"]) for _, request in requests]
        if len(set(keys)) != len(keys):
            raise fault("ValidationException")
        reasons = [
            {"Code": "None" if self._allowed(request) else "ConditionalCheckFailed"}
            for _, request in requests
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            raise fault("TransactionCanceledException", CancellationReasons=reasons)
        for kind, request in requests:
            self._apply(kind, request)
        if sum(item_bytes(self.items[key]) for key in keys) > TRANSACTION_MAX_BYTES:
            raise fault("ValidationException")
        return {}

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        """Apply one update if its condition holds."""
        self.note("update_item", arguments)
        if not self._allowed(arguments):
            raise fault("ConditionalCheckFailedException")
        self._apply("Update", arguments)
        return {}

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        """Return one item; reads must be consistent, because decisions depend on them."""
        self.note("get_item", arguments)
        assert arguments["ConsistentRead"] is True
        item = self.items.get(self._key(arguments["Key"]))
        return {"Item": deepcopy(item)} if item else {}

    def batch_get_item(self, **arguments: Any) -> dict[str, Any]:
        """Return the items of at most one page of keys, and the rest as unprocessed keys."""
        self.note("batch_get_item", arguments)
        wanted = arguments["RequestItems"][self.name]
        keys = [self._key(key) for key in wanted["Keys"]]
        if not 1 <= len(keys) <= BATCH_GET_MAX or len(set(keys)) != len(keys):
            raise fault("ValidationException")
        assert wanted["ConsistentRead"] is True
        found = [deepcopy(self.items[key]) for key in keys[: self.page_size] if key in self.items]
        answer: dict[str, Any] = {"Responses": {self.name: found}}
        if keys[self.page_size :]:
            left = wanted["Keys"][self.page_size :]
            answer["UnprocessedKeys"] = {self.name: {"Keys": left, "ConsistentRead": True}}
        return answer

    def query(self, **arguments: Any) -> dict[str, Any]:
        """Return a page of an index in its order."""
        self.note("query", arguments)
        check_placeholders(arguments)
        index = arguments.get("IndexName")
        hash_name, range_name = INDEXES[index] if index else ("pk", "sk")
        listed = [item for item in self.items.values() if hash_name in item and range_name in item]
        listed = [item for item in listed if holds(arguments["KeyConditionExpression"], item, arguments)]
        listed.sort(key=lambda item: (item[range_name], item["pk"], item["sk"]))
        if not arguments.get("ScanIndexForward", True):
            listed.reverse()
        start = arguments.get("ExclusiveStartKey", {}).get("position", 0)
        size = min(self.page_size, arguments.get("Limit", self.page_size))
        page = listed[start : start + size]
        condition = arguments.get("FilterExpression")
        kept = [deepcopy(item) for item in page if condition is None or holds(condition, item, arguments)]
        answer: dict[str, Any] = {"Count": len(kept)}
        if arguments.get("Select") != "COUNT":
            answer["Items"] = kept
        if len(listed) > start + size:
            answer["LastEvaluatedKey"] = {"position": start + size}
        return answer

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        """Return an item for a test's assertions."""
        return self.items[(pk, sk)]

    def _allowed(self, request: Mapping[str, Any]) -> bool:
        assert request["TableName"] == self.name
        check_placeholders(request)
        item = self.items.get(self._key(request.get("Key") or request["Item"]), {})
        return holds(request["ConditionExpression"], item, request)

    def _apply(self, kind: str, request: Mapping[str, Any]) -> None:
        if kind == "Put":
            self._store(self._key(request["Item"]), request["Item"])
            return
        key = self._key(request["Key"])
        after = updated(self.items.get(key, {}), request)
        if {"pk", "sk"} & after.keys() and key not in self.items:
            raise InvalidExpressionError("an update must not touch the key")
        self._store(key, {**after, **request["Key"]})

    def _store(self, key: tuple[str, str], item: Mapping[str, Any]) -> None:
        """Store an item; refuse one that exceeds the limits of items or of keys."""
        for hash_name, range_name in (("pk", "sk"), *INDEXES.values()):
            too_long = (
                len(item.get(hash_name, "").encode()) > HASH_MAX_BYTES
                or len(item.get(range_name, "").encode()) > RANGE_MAX_BYTES
            )
            if too_long:
                raise fault("ValidationException")
        if item_bytes(item) > ITEM_MAX_BYTES:
            raise fault("ValidationException")
        self.items[key] = deepcopy(dict(item))

    def _key(self, item: Mapping[str, Any]) -> tuple[str, str]:
        if not item["pk"] or not item["sk"]:
            raise fault("ValidationException")
        return item["pk"], item["sk"]


def item_bytes(value: Any) -> int:
    """Return the size of an item, or of one of its values, as DynamoDB counts it.

    Names and texts count in UTF-8, containers and their elements with DynamoDB's overhead, and numbers as the
    largest number.
    """
    if isinstance(value, Mapping):
        return 3 + sum(1 + len(name.encode()) + item_bytes(part) for name, part in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + item_bytes(part) for part in value)
    return len(value.encode()) if isinstance(value, str) else 21
