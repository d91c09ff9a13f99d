#!/usr/bin/env bash
# pyiceberg's `update_snapshot().overwrite()` adds a manifest to the table for good with each data file that it replaces.
# pyiceberg 0.12.0 keeps manifests that list only removed data files in all later snapshots, and merges none, although
# `commit.manifest-merge.enabled` is true. `dynamic_partition_overwrite()` of the same table keeps one manifest.
# Expected beforehand: a manifest without live files is gone in the next snapshot, as with Iceberg's Java library.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'pyiceberg[sql-sqlite]==0.12.0' pyarrow==26.0.1

venv/bin/python <<'PYTHON' | tee output
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo
catalog = SqlCatalog("c", uri="sqlite:///catalog.db", warehouse="file:warehouse")
catalog.create_namespace("n")

def report(name, number):
    table = catalog.load_table("n.t")
    manifests = table.current_snapshot().manifests(table.io)
    live = [each for each in manifests if each.has_added_files() or each.has_existing_files()]
    print(f"{name} {number}: {len(manifests)} manifests, {len(live)} with live files, {table.scan().count()} rows")
    return table

rows = pa.table({"zone": ["a", "b"], "fare": [8.5, 9.5]})
properties = {"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "2"}
table = catalog.create_table("n.t", rows.schema, properties=properties)
with table.update_spec() as update:
    update.add_identity("zone")
table.append(rows)
for number in (1, 2, 3):
    table.dynamic_partition_overwrite(rows.slice(0, 1))
    table = report("dynamic_partition_overwrite", number)
for number in (1, 2, 3):
    [task] = table.scan(row_filter=EqualTo("zone", "a")).plan_files()
    transaction = table.transaction()
    overwrite = transaction.update_snapshot().overwrite()
    overwrite.delete_data_file(task.file)
    overwrite.append_data_file(task.file)
    overwrite.commit()
    transaction.commit_transaction()
    table = report("overwrite", number)
PYTHON

diff output - <<'EXPECTED'
dynamic_partition_overwrite 1: 1 manifests, 1 with live files, 2 rows
dynamic_partition_overwrite 2: 1 manifests, 1 with live files, 2 rows
dynamic_partition_overwrite 3: 1 manifests, 1 with live files, 2 rows
overwrite 1: 3 manifests, 2 with live files, 2 rows
overwrite 2: 4 manifests, 2 with live files, 2 rows
overwrite 3: 5 manifests, 2 with live files, 2 rows
EXPECTED
echo "as stated"
