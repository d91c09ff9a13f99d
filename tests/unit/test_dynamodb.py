"""Tests of which DynamoDB errors mean a failed condition, and which are faults."""

import pytest
from botocore.exceptions import ClientError
from fakes.dynamodb import FakeTable
from fakes.faults import fault

from stores.dynamodb import Table, expressions, update

KEY = {"pk": "a", "sk": "b"}
PUT = {"Put": {"Item": KEY, **expressions(ConditionExpression="attribute_not_exists(#pk)")}}
UPDATE = update(KEY, {"size": 1}, condition="attribute_not_exists(#pk)")


@pytest.fixture
def dynamodb(table: FakeTable) -> Table:
    """The table under test, with the fake as its client."""
    return Table(table, "ledger")


def canceled(*codes: str) -> ClientError:
    return fault("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


@pytest.mark.parametrize(
    "codes", [("None", "ConditionalCheckFailed"), ("TransactionConflict", "None"), ("TransactionConflict",)]
)
def test_a_transaction_canceled_by_a_concurrent_write_is_refused(
    dynamodb: Table, table: FakeTable, codes: tuple[str, ...]
) -> None:
    table.fail("transact_write_items", canceled(*codes))
    assert dynamodb.transact([PUT]) is False


@pytest.mark.parametrize(
    "error",
    [
        canceled("None", "ValidationError"),
        canceled("ThrottlingError", "ConditionalCheckFailed"),
        fault("TransactionCanceledException"),
        fault("ProvisionedThroughputExceededException"),
        fault("TransactionInProgressException"),
    ],
)
def test_any_other_failure_of_a_transaction_is_a_fault(
    dynamodb: Table, table: FakeTable, error: ClientError
) -> None:
    table.fail("transact_write_items", error)
    with pytest.raises(ClientError):
        dynamodb.transact([PUT])


def test_an_update_whose_condition_fails_is_refused(dynamodb: Table) -> None:
    assert dynamodb.update(UPDATE) is True
    assert dynamodb.update(UPDATE) is False


def test_any_other_failure_of_an_update_is_a_fault(dynamodb: Table, table: FakeTable) -> None:
    table.fail("update_item", fault("ThrottlingException"))
    with pytest.raises(ClientError):
        dynamodb.update(UPDATE)
