#!/usr/bin/env bash
# Spark reads a FIXED_LEN_BYTE_ARRAY column of a Parquet file as a string in one of its two decoders only.
# pyspark 4.1.1 (schema of `string`): the vectorized decoder fails with a type mismatch, the row decoder returns the
# text. Both read the column as `binary`, and a BYTE_ARRAY column as `string`.
# Expected beforehand: the setting `spark.sql.parquet.enableVectorizedReader` changes the speed, not what can be read.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1 pyarrow==26.0.1

venv/bin/python 2> log <<'PYTHON' | tee output
import re
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
values = [b"card", b"cash"]
pq.write_table(pa.table({"v": pa.array(values, pa.binary(4))}), "fixed.parquet")
pq.write_table(pa.table({"v": pa.array(values, pa.binary())}), "variable.parquet")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
for vectorized in ("true", "false"):
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
    for file, kind in (("fixed", "string"), ("fixed", "binary"), ("variable", "string")):
        try:
            found = [row.v for row in spark.read.schema(f"v {kind}").parquet(f"{file}.parquet").collect()]
        except Exception as error:
            found = re.search(r"Expected Spark type .*?\.", str(error))[0]
        print(f"vectorized={vectorized}", file, kind, found)
PYTHON

diff output - <<'EXPECTED'
vectorized=true fixed string Expected Spark type string, actual Parquet type FIXED_LEN_BYTE_ARRAY.
vectorized=true fixed binary [b'card', b'cash']
vectorized=true variable string ['card', 'cash']
vectorized=false fixed string ['card', 'cash']
vectorized=false fixed binary [b'card', b'cash']
vectorized=false variable string ['card', 'cash']
EXPECTED
echo "as stated"
