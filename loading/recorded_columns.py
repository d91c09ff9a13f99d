"""Records the columns of loaded files in a property of their table."""

import json
from collections.abc import Iterable

from loading.engine import Table
from taxi_etl import tables


def record_source_columns(table: Table, names: Iterable[str]) -> bool:
    """Add source columns of loaded files to a table property; returns whether any of them is new."""
    known = set(json.loads(table.property(tables.SEEN_COLUMNS_PROPERTY) or "[]"))
    updated = known | set(names)
    if updated == known:
        return False
    table.set_property(tables.SEEN_COLUMNS_PROPERTY, json.dumps(sorted(updated)))
    return True


def record_cataloged_columns(table: Table, bucket: str, names: Iterable[str]) -> bool:
    """Record the columns of a bucket's cataloged files; return whether there are new ones."""
    recorded = json.loads(table.property(tables.CATALOGED_COLUMNS_PROPERTY) or "{}")
    updated = sorted({*recorded.get(bucket, ()), *names})
    if updated == recorded.get(bucket, []):
        return False
    recorded[bucket] = updated
    table.set_property(tables.CATALOGED_COLUMNS_PROPERTY, json.dumps(recorded, sort_keys=True))
    return True
