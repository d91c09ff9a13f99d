"""How are the ledger's requests sent? Nothing is decided here: the conditions are `taxi_etl.ledger`'s."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.clients import error_code
from taxi_etl import ledger
from taxi_etl.dynamodb_requests import Request
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import ExecutionRecord, FileRecord

BATCH_GET_MAX = 100
REFUSALS = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})
"""Why a transaction is cancelled when someone else was quicker; reading again tells what they did."""


class LedgerTable:
    """The ledger in DynamoDB; `client` takes plain Python values (`clients.dynamodb`)."""

    def __init__(self, client: Any, name: str) -> None:
        """The table of that name."""
        self._client = client
        self._name = name

    def transact(self, actions: Sequence[Request]) -> bool:
        """Send one transaction; False when others were quicker: a condition failed, or a write collided."""
        named = [
            {kind: {"TableName": self._name, **request} for kind, request in action.items()}
            for action in actions
        ]
        try:
            self._client.transact_write_items(TransactItems=named)
        except ClientError as error:
            reasons: list[dict[str, Any]] = error.response.get("CancellationReasons") or []
            codes = {str(reason.get("Code")) for reason in reasons}
            if error_code(error) == "TransactionCanceledException" and codes and codes <= REFUSALS:
                return False
            raise
        return True

    def update(self, request: Request) -> bool:
        """Send one update; False when its condition was refused."""
        try:
            self._client.update_item(TableName=self._name, **request)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def files(self, versions: Iterable[FileVersion]) -> dict[tuple[str, str, str], FileRecord]:
        """What is on record of these versions, by identity; read consistently, absent where nothing is."""
        keys = [ledger.file_key(version) for version in versions]
        items: list[dict[str, Any]] = []
        for start in range(0, len(keys), BATCH_GET_MAX):
            wanted: dict[str, Any] = {
                self._name: {"Keys": keys[start : start + BATCH_GET_MAX], "ConsistentRead": True}
            }
            while wanted:
                answer = self._client.batch_get_item(RequestItems=wanted)
                items += answer["Responses"].get(self._name, [])
                wanted = answer.get("UnprocessedKeys") or {}
        records = [FileRecord.from_item(item) for item in items]
        return {record.version.identity: record for record in records}

    def execution(self, name: str) -> ExecutionRecord | None:
        """An execution's item, read consistently."""
        answer = self._client.get_item(
            TableName=self._name, Key=ledger.execution_key(name), ConsistentRead=True
        )
        return ExecutionRecord.from_item(answer["Item"]) if "Item" in answer else None

    def item(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        """An item as it is, read consistently."""
        answer = self._client.get_item(TableName=self._name, Key=dict(key), ConsistentRead=True)
        found: dict[str, Any] | None = answer.get("Item")
        return found

    def first(self, request: Request) -> list[dict[str, Any]]:
        """The first page of what a query finds, and no more."""
        items: list[dict[str, Any]] = self._client.query(TableName=self._name, **request)["Items"]
        return items

    def query(self, request: Request) -> Iterator[dict[str, Any]]:
        """The items a query finds, page by page."""
        arguments = {"TableName": self._name, **request}
        while True:
            answer = self._client.query(**arguments)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
