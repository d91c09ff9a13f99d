"""Hours since the last file, as a gauge with an alarm: nothing fails when files stop arriving.

Files arrive monthly and an alarm evaluates a week at most, so the ledger is queried on the reconciler's
schedule.
"""

from datetime import datetime

from stores.ledger import Ledger
from taxi_etl.ledger import timestamp


def hours_since_last_file(ledger: Ledger, now: datetime) -> int:
    """Return the whole hours since a file's record last changed by an upload, load or replay.

    Before the first file, the hours count from the first call, so that the alarm covers new deployments.
    """
    since = ledger.last_change() or ledger.monitored_since(timestamp(now))
    return max(0, int((now - datetime.fromisoformat(since)).total_seconds() // 3600))
