#!/usr/bin/env bash
# Some of Spark's string functions make different strings equal, because they replace bytes that are not UTF-8.
# pyspark 4.1.1 reads a BYTE_ARRAY column under the schema `string` and keeps its bytes. Comparison, `concat` and
# `trim` see two Latin-1 values; `to_json`, `upper` and `split` write U+FFFD into both, without an error.
# duckdb 2.0.0 refuses to read the column as text (binary_as_string), and its cast to text escapes the bytes.
# Expected beforehand: all functions treat the bytes alike, or an error.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1 duckdb==2.0.0 pyarrow==26.0.1

venv/bin/python 2> log <<'PYTHON' | tee output
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
values = [text.encode("latin-1") for text in ("né", "nè")]
pq.write_table(pa.table({"v": pa.array(values, pa.binary())}), "v.parquet")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.read.schema("v string").parquet("v.parquet")
for function in ("v", "concat(v, '')", "trim(v)", "to_json(struct(v))", "upper(v)", "split(v, ',')[0]"):
    found = rows.selectExpr(f"CAST({function} AS binary) AS made")
    print("spark", function, *sorted(bytes(row.made) for row in found.collect()), found.distinct().count())
try:
    duckdb.sql("SELECT v FROM read_parquet('v.parquet', binary_as_string=true)").fetchall()
except duckdb.Error as error:
    print("duckdb", type(error).__name__, str(error).split(": ")[-1])
print("duckdb", duckdb.sql("SELECT v::VARCHAR FROM 'v.parquet'").fetchall())
PYTHON

diff output - <<'EXPECTED'
spark v b'n\xe8' b'n\xe9' 2
spark concat(v, '') b'n\xe8' b'n\xe9' 2
spark trim(v) b'n\xe8' b'n\xe9' 2
spark to_json(struct(v)) b'{"v":"n\xef\xbf\xbd"}' b'{"v":"n\xef\xbf\xbd"}' 1
spark upper(v) b'N\xef\xbf\xbd' b'N\xef\xbf\xbd' 1
spark split(v, ',')[0] b'n\xef\xbf\xbd' b'n\xef\xbf\xbd' 1
duckdb InvalidInputException value "n\xE9" is not valid UTF8!
duckdb [('n\\xE9',), ('n\\xE8',)]
EXPECTED
echo "as stated"
