#!/usr/bin/env bash
# COPY … (RETURN_STATS) returns no minimum and maximum of an ENUM column, although it writes them into the footer.
# duckdb 2.0.0: for the same values as VARCHAR, both are returned. A writer of Iceberg metadata that takes its bounds from
# RETURN_STATS gets a data file without bounds for the column, so readers cannot skip it. The file itself has a plain
# text column with the right statistics. The bounds of a BOOLEAN are 1 and 0 there, but true and false in the footer.
# Expected beforehand: the bounds of the footer, in the same form.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0

venv/bin/python <<'PYTHON' | tee output
import duckdb
database = duckdb.connect()
print("duckdb", duckdb.__version__)
query = "SELECT 'a' AS t, 'a'::ENUM('a') AS e, i > 0 AS b FROM range(2) AS r(i)"
[row] = database.execute(f"COPY ({query}) TO 'f.parquet' (FORMAT parquet, RETURN_STATS)").fetchall()
footer = "SELECT path_in_schema, converted_type, stats_min_value, stats_max_value FROM parquet_metadata('f.parquet') " \
    "JOIN parquet_schema('f.parquet') AS s ON s.name = path_in_schema ORDER BY 1"
for name, kind, low, high in database.execute(footer).fetchall():
    returned = row[4][f'"{name}"']
    print(name, "footer:", kind, low, high, "| returned:", returned.get("min"), returned.get("max"))
PYTHON

diff output - <<'EXPECTED'
duckdb 2.0.0
b footer: None false true | returned: 0 1
e footer: UTF8 a a | returned: None None
t footer: UTF8 a a | returned: a a
EXPECTED
echo "as stated"
