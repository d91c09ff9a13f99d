#!/usr/bin/env bash
# Spark's CSV reader does not mark a line whose last value opens a quote and never closes it.
# pyspark 4.1.1 (PERMISSIVE, with a column for corrupt records): the value loses its quote and the row looks whole.
# An unclosed quote in an earlier value swallows the rest of the line, and that row is marked.
# Expected beforehand: both rows are marked as corrupt.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1

printf 'a,b,c\n1,2,3\n1,2,"up\n1,"2,3\n' > lines.csv
venv/bin/python 2> log <<'PYTHON' | tee output
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
options = {"header": "true", "mode": "PERMISSIVE", "escape": '"', "columnNameOfCorruptRecord": "corrupt"}
rows = spark.read.options(**options).schema("a string, b string, c string, corrupt string").csv("lines.csv")
for row in rows.collect():
    print(tuple(row))
PYTHON

diff output - <<'EXPECTED'
('1', '2', '3', None)
('1', '2', 'up', None)
('1', '2,3', None, '1,"2,3')
EXPECTED
echo "as stated"
