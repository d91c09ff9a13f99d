#!/usr/bin/env bash
# DuckDB's strict CSV reader drops empty fields behind the last column without reporting them.
# duckdb 2.0.0 (columns given, strict_mode=true, store_rejects=true): "1,2,3," and "1,2,3,," are whole rows; a surplus
# field with a value, or a missing one, is a reject.
# Expected beforehand: strict mode reports every line with another number of fields than columns.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0

printf 'a,b,c\n1,2,3\n1,2,3,\n1,2,3,,\n1,2,3,4\n1,2\n' > lines.csv
venv/bin/python <<'PYTHON' | tee output
import duckdb
database = duckdb.connect()
print(database.execute("""
    SELECT * FROM read_csv('lines.csv', columns={'a': 'VARCHAR', 'b': 'VARCHAR', 'c': 'VARCHAR'}, header=true,
        delim=',', quote='"', escape='"', auto_detect=false, strict_mode=true, store_rejects=true)
""").fetchall())
print(database.execute("SELECT line, error_type, csv_line FROM reject_errors ORDER BY line").fetchall())
PYTHON

diff output - <<'EXPECTED'
[('1', '2', '3'), ('1', '2', '3'), ('1', '2', '3')]
[(5, 'TOO MANY COLUMNS', '1,2,3,4'), (6, 'MISSING COLUMNS', '1,2')]
EXPECTED
echo "as stated"
