#!/usr/bin/env bash
# GROUP BY ALL is rejected where one of the grouping columns is an unnest(), which every explicit form accepts.
# duckdb 2.0.0: GROUP BY with the column's position, alias or text counts the elements of lists; GROUP BY ALL, which
# stands for the same columns, raises a BinderException that says one cannot group on an UNNEST.
# Expected beforehand: the same result in all four forms.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0

venv/bin/python <<'PYTHON' | tee output
import duckdb
database = duckdb.connect()
print("duckdb", duckdb.__version__)
database.execute("CREATE TABLE t AS SELECT ['a', 'b', 'b'] AS reasons")
for group in ("1", "reason", "unnest(reasons)", "ALL"):
    try:
        found = database.execute(f"SELECT unnest(reasons) AS reason, count(*) FROM t GROUP BY {group}").fetchall()
        print("GROUP BY", group, "|", sorted(found))
    except duckdb.Error as error:
        print("GROUP BY", group, "|", type(error).__name__, str(error).splitlines()[0])
PYTHON

diff output - <<'EXPECTED'
duckdb 2.0.0
GROUP BY 1 | [('a', 1), ('b', 2)]
GROUP BY reason | [('a', 1), ('b', 2)]
GROUP BY unnest(reasons) | [('a', 1), ('b', 2)]
GROUP BY ALL | BinderException Binder Error: Cannot group on an UNNEST or UNLIST clause
EXPECTED
echo "as stated"
