#!/usr/bin/env bash
# Spark and DuckDB read a UTC-adjusted Parquet timestamp as different wall clocks under the same explicit type.
# pyspark 4.1.1 (schema `timestamp_ntz`) returns the wall clock of UTC in every session time zone, although a cast of
# the inferred `timestamp` to that type returns the wall clock of the session's zone. duckdb 2.0.0 (option `schema`,
# type TIMESTAMP) returns the wall clock of the session's zone, but of UTC for INT96, whose inferred type has no zone.
# Neither reports that the file holds instants.
# Expected beforehand: an error, as for a schema of `date`, or the same wall clock as the cast.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1 duckdb==2.0.0 pyarrow==26.0.1

venv/bin/python 2> log <<'PYTHON' | tee output
from datetime import datetime
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
noon = datetime(2024, 1, 15, 12)
pq.write_table(pa.table({"t": pa.array([noon], pa.timestamp("us", "UTC"))}), "utc-adjusted.parquet")
int96 = pa.table({"t": pa.array([noon], pa.timestamp("ns"))})
pq.write_table(int96, "int96.parquet", use_deprecated_int96_timestamps=True)
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
database = duckdb.connect()
for zone in ("UTC", "America/New_York"):
    spark.conf.set("spark.sql.session.timeZone", zone)
    database.execute(f"SET TimeZone = '{zone}'")
    for file in ("utc-adjusted.parquet", "int96.parquet"):
        given = spark.read.schema("t timestamp_ntz").parquet(file).selectExpr("string(t)")
        cast = spark.read.parquet(file).selectExpr("string(CAST(t AS timestamp_ntz))")
        typed = database.sql(f"""
            SELECT t::VARCHAR FROM read_parquet('{file}',
                schema = MAP {{'t': {{name: 't', type: 'TIMESTAMP', default_value: NULL}}}})
        """)
        inferred = database.sql(f"SELECT typeof(t), t::TIMESTAMP::VARCHAR FROM '{file}'")
        print(zone, file)
        print("  spark schema", given.first()[0], "cast", cast.first()[0])
        print("  duckdb schema", typed.fetchall()[0][0], "cast from", *inferred.fetchall()[0])
try:
    spark.read.schema("t date").parquet("utc-adjusted.parquet").collect()
except Exception as error:
    print("spark date", "SchemaColumnConvertNotSupportedException" in str(error))
PYTHON

diff output - <<'EXPECTED'
UTC utc-adjusted.parquet
  spark schema 2024-01-15 12:00:00 cast 2024-01-15 12:00:00
  duckdb schema 2024-01-15 12:00:00 cast from TIMESTAMP WITH TIME ZONE 2024-01-15 12:00:00
UTC int96.parquet
  spark schema 2024-01-15 12:00:00 cast 2024-01-15 12:00:00
  duckdb schema 2024-01-15 12:00:00 cast from TIMESTAMP 2024-01-15 12:00:00
America/New_York utc-adjusted.parquet
  spark schema 2024-01-15 12:00:00 cast 2024-01-15 07:00:00
  duckdb schema 2024-01-15 07:00:00 cast from TIMESTAMP WITH TIME ZONE 2024-01-15 07:00:00
America/New_York int96.parquet
  spark schema 2024-01-15 12:00:00 cast 2024-01-15 07:00:00
  duckdb schema 2024-01-15 12:00:00 cast from TIMESTAMP 2024-01-15 12:00:00
spark date True
EXPECTED
echo "as stated"
