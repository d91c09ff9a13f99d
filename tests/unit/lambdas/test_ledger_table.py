"""Does the adapter tell a refusal from a fault?"""

import pytest
from botocore.exceptions import ClientError
from fakes.dynamodb import Table
from fakes.faults import fault

from lambdas.ledger_table import LedgerTable
from taxi_etl import ledger
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import Claim

A = FileVersion("lake", "raw/taxi/a.csv", "v-a")
NOW = "2024-06-01T12:00:00.000Z"
CLAIM = ledger.claim(Claim("one", "{}", "s3", (A,)), NOW)


def cancelled(*codes: str) -> ClientError:
    return fault("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


@pytest.mark.parametrize(
    "codes", [("None", "ConditionalCheckFailed"), ("TransactionConflict", "None"), ("TransactionConflict",)]
)
def test_a_transaction_that_others_got_in_the_way_of_is_refused(table: Table, codes: tuple[str, ...]) -> None:
    table.fail("transact_write_items", cancelled(*codes))
    assert LedgerTable(table, "ledger").transact(CLAIM) is False


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "ValidationError"),
        cancelled("ThrottlingError", "ConditionalCheckFailed"),
        fault("TransactionCanceledException"),
        fault("ProvisionedThroughputExceededException"),
        fault("TransactionInProgressException"),
    ],
)
def test_any_other_failure_of_a_transaction_is_a_fault(table: Table, error: ClientError) -> None:
    table.fail("transact_write_items", error)
    with pytest.raises(ClientError):
        LedgerTable(table, "ledger").transact(CLAIM)


def test_an_update_whose_condition_fails_is_refused_and_any_other_failure_a_fault(table: Table) -> None:
    adapter = LedgerTable(table, "ledger")
    assert adapter.update(ledger.hold(A, NOW)) is True
    assert adapter.update(ledger.hold(A, NOW)) is False
    table.fail("update_item", fault("ThrottlingException"))
    with pytest.raises(ClientError):
        adapter.update(ledger.hold(A, NOW))
