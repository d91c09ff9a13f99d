#!/usr/bin/env bash
# DuckDB replaces a Parquet file's own column with the value of a folder named `column=value`, without a word.
# duckdb 2.0.0 (read_parquet of one file, default options): the column in the file is not read, its type changes to the
# folder's. pyarrow 26.0.1 reads the file's column. With hive_partitioning=false DuckDB does, too.
# Expected beforehand: a column in the file wins, or the contradiction is an error.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0 pyarrow==26.0.1

venv/bin/python <<'PYTHON' | tee output
import os
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
os.mkdir("payment=2")
file = "payment=2/part-0.parquet"
pq.write_table(pa.table({"payment": ["card", "cash"], "fare": [8.5, 9.5]}), file)
print("duckdb", duckdb.sql(f"SELECT payment, typeof(payment) FROM read_parquet('{file}')").fetchall())
print("duckdb", duckdb.sql(f"SELECT payment FROM read_parquet('{file}', hive_partitioning=false)").fetchall())
print("pyarrow", pq.read_table(file).column("payment").to_pylist())
PYTHON

diff output - <<'EXPECTED'
duckdb [(2, 'BIGINT'), (2, 'BIGINT')]
duckdb [('card',), ('cash',)]
pyarrow ['card', 'cash']
EXPECTED
echo "as stated"
