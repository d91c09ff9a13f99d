#!/usr/bin/env bash
# SQL of Trino (Athena) that sqlglot translates to DuckDB's dialect runs without an error and returns other results.
# sqlglot 30.30.0 (read="trino", write="duckdb") with duckdb 2.0.0: a division of integers becomes one of doubles;
# date_diff counts crossed boundaries instead of whole units; EXTRACT(DOW …) gives 0 for Sunday, although the function
# day_of_week is translated to ISODOW; split_part and regexp_extract return an empty text instead of null.
# The results that Trino documents are in the last column; Trino itself does not run here.
# Expected beforehand: a translation with Trino's results, or an error for what has none.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.0

venv/bin/python <<'PYTHON' | tee output
import duckdb
import sqlglot
for query, documented in (
    ("SELECT sum(x) / count(*) FROM (VALUES 1, 2) AS t (x)", "1"),
    ("SELECT date_diff('hour', TIMESTAMP '2024-01-01 10:59:00', TIMESTAMP '2024-01-01 11:01:00')", "0"),
    ("SELECT extract(DOW FROM DATE '2024-01-07')", "7"),
    ("SELECT day_of_week(DATE '2024-01-07')", "7"),
    ("SELECT split_part('a.b', '.', 3)", "None"),
    ("SELECT regexp_extract('abc', '[0-9]+')", "None"),
):
    translated = sqlglot.transpile(query, read="trino", write="duckdb")[0]
    [(found,)] = duckdb.connect().execute(translated).fetchall()
    print(translated.removeprefix("SELECT ")[:30], "|", repr(found), "| Trino:", documented)
PYTHON

diff output - <<'EXPECTED'
SUM(x) / COUNT(*) FROM (VALUES | 1.5 | Trino: 1
DATE_DIFF('HOUR', CAST('2024-0 | 1 | Trino: 0
EXTRACT(DAYOFWEEK FROM CAST('2 | 0 | Trino: 7
ISODOW(CAST('2024-01-07' AS DA | 7 | Trino: 7
SPLIT_PART('a.b', '.', 3) | '' | Trino: None
REGEXP_EXTRACT('abc', '[0-9]+' | '' | Trino: None
EXPECTED
echo "as stated"
