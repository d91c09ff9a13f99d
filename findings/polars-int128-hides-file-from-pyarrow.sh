#!/usr/bin/env bash
# pyarrow reads no column of a Parquet file that Polars wrote with one Int128 column.
# polars 2.1.0 stores Int128 as 16 plain bytes, which Parquet allows, and notes the type in the metadata `ARROW:schema`.
# pyarrow 26.0.1 rejects that note, and so the file, even if another column is asked for. duckdb 2.0.0 reads all columns.
# Without the note, pyarrow does.
# Expected beforehand: pyarrow falls back to the Parquet type, or reads the other columns.
set -euo pipefail
cd "$(mktemp -d)"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.0

venv/bin/python <<'PYTHON' | tee output
from pathlib import Path
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
pl.DataFrame({"fare": [8.5], "id": pl.Series([5], dtype=pl.Int128)}).write_parquet("polars.parquet")
try:
    print(pq.read_table("polars.parquet", columns=["fare"]))
except pa.ArrowException as error:
    print("pyarrow", type(error).__name__, error)
print("duckdb", duckdb.sql("SELECT * FROM 'polars.parquet'").fetchall())
without_note = Path("polars.parquet").read_bytes().replace(b"ARROW:schema", b"ARROW:hidden")
print("pyarrow", [str(field.type) for field in pq.read_schema(pa.BufferReader(without_note))])
PYTHON

diff output - <<'EXPECTED'
pyarrow ArrowNotImplementedError Integers with more than 64 bits not implemented
duckdb [(8.5, b'\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00')]
pyarrow ['double', 'fixed_size_binary[16]']
EXPECTED
echo "as stated"
