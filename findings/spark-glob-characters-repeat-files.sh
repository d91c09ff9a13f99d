#!/usr/bin/env bash
# Spark reads files twice if one path of a scan has a glob character and globbing is off (option `__globPaths__`).
# pyspark 4.1.1: each path with one of {}[]*?\ is replaced by all paths of the scan, so that every other file is read
# once more for each of them. A single path is read once. With globbing on, the path is a pattern and not found.
# Expected beforehand: without globbing, each path is one file.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1

printf 'x\na\n' > a.csv
printf 'x\nb\n' > 'b [1].csv'
printf 'x\nc\n' > 'c [1].csv'
venv/bin/python 2> log <<'PYTHON' | tee output
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
reader = spark.read.option("header", "true").option("__globPaths__", "false").schema("x string")
for paths in (["b [1].csv"], ["a.csv", "b [1].csv"], ["a.csv", "b [1].csv", "c [1].csv"]):
    print(paths, sorted(row.x for row in reader.csv(paths).collect()))
PYTHON

diff output - <<'EXPECTED'
['b [1].csv'] ['b']
['a.csv', 'b [1].csv'] ['a', 'a', 'b']
['a.csv', 'b [1].csv', 'c [1].csv'] ['a', 'a', 'a', 'b', 'b', 'c', 'c']
EXPECTED
echo "as stated"
