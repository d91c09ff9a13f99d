"""For how long has no file come? A gauge on which an alarm rings, since nothing fails when nothing happens.

An alarm looks back a week at most, and files come monthly; so the ledger, which remembers, is asked on the
sweep's schedule and the answer is one number. CloudWatch keeps whether it was told already.
"""

from datetime import datetime

from lambdas.ledger_table import LedgerTable
from taxi_etl import ledger
from taxi_etl.ledger import FileStatus


def hours_since_last_file(table: LedgerTable, now: datetime) -> int:
    """Whole hours since a file's record last changed: it came, was loaded or was replayed.

    While no file has ever come, since this function was first asked: a new deployment is watched too.
    """
    newest = [item["updatedAt"] for status in FileStatus for item in table.first(ledger.newest(status))]
    since = max(newest) if newest else _watched_since(table, ledger.stamp(now))
    return max(0, int((now - datetime.fromisoformat(since)).total_seconds() // 3600))


def _watched_since(table: LedgerTable, now: str) -> str:
    table.update(ledger.begin_watch(now))
    item = table.item(ledger.WATCH_KEY)
    return str(item["since"]) if item else now
