"""The tables that a Glue crawler finds in Parquet and CSV files below an S3 prefix.

By default, a folder whose files share format and most columns is one table with the folder's name, and a
folder of several kinds is one table for each kind, with the common prefix of its file names. With
CombineCompatibleSchemas, all files of a target with the same format and compression are one table with all
their columns, however different these are. A name that is taken gets a hash. Column names and types come
from the Parquet footer, or from a CSV's header and first rows.
Source: AWS Glue developer guide, "How does a crawler determine when to create partitions?", "Creating a
single schema for each Amazon S3 include path", "Include and exclude patterns".

As a program it reads `{"targets": [S3 targets], "combine": true or false}` from stdin and writes Glue
TableInputs as JSON to stdout. The AWS variables select the account.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import boto3
import pyarrow
import pyarrow.parquet
from pyarrow import fs

SIMILAR = 0.7
"""The share of common column names from which two files are of one kind."""
SAMPLE_BYTES = 1 << 20
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
_CSV = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    },
}
Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class File:
    """One object: key, format `parquet` or `csv`, columns as (name, Hive type), size in bytes."""

    key: str
    format: str
    columns: Columns
    size: int


def tables(bucket: str, prefix: str, files: Iterable[File], *, combine: bool) -> list[dict[str, Any]]:
    """Return the TableInputs for these files of a target, the prefix of a bucket.

    `combine` is the table grouping policy CombineCompatibleSchemas.
    """
    return _combined(bucket, prefix, files) if combine else _by_similarity(bucket, files)


def unique_names(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the TableInputs with a hash of the location and format added to names that are taken."""
    named: dict[str, dict[str, Any]] = {}
    for table in found:
        name = table["Name"]
        if name in named:
            described = f"{table['StorageDescriptor']['Location']} {table['Parameters']}"
            name += f"_{hashlib.md5(described.encode(), usedforsecurity=False).hexdigest()}"
        named[name] = {**table, "Name": name}
    return list(named.values())


def is_excluded(key: str, pattern: str) -> bool:
    """Whether a key relative to its target matches an exclude pattern; only `**` crosses folders."""
    parts = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern))
    return re.fullmatch(expression, key) is not None


def _combined(bucket: str, prefix: str, files: Iterable[File]) -> list[dict[str, Any]]:
    compatible: dict[tuple[str, bool], list[File]] = {}
    for file in sorted(files, key=lambda file: file.key):
        compatible.setdefault((file.format, file.key.endswith(".gz")), []).append(file)
    name = _table_name(PurePosixPath(prefix).name)
    return [_table(name, f"s3://{bucket}/{prefix}", group) for group in compatible.values()]


def _by_similarity(bucket: str, files: Iterable[File]) -> list[dict[str, Any]]:
    folders: dict[str, list[File]] = {}
    for file in files:
        folders.setdefault(str(PurePosixPath(file.key).parent), []).append(file)
    found = []
    for folder, members in sorted(folders.items()):
        groups = _similar_groups(members)
        for group in groups:
            name = _table_name(PurePosixPath(folder).name if len(groups) == 1 else _common_name(group))
            found.append(_table(name, f"s3://{bucket}/{folder}/", group))
    return found


def hive_type(kind: pyarrow.DataType) -> str:
    """Return the Hive type that a crawler gives an Arrow type."""
    checks = (
        (pyarrow.types.is_boolean, "boolean"),
        (pyarrow.types.is_int64, "bigint"),
        (pyarrow.types.is_integer, "int"),
        (pyarrow.types.is_float32, "float"),
        (pyarrow.types.is_floating, "double"),
        (pyarrow.types.is_timestamp, "timestamp"),
        (pyarrow.types.is_date, "date"),
        (pyarrow.types.is_binary, "binary"),
    )
    if pyarrow.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return next((name for check, name in checks if check(kind)), "string")


def csv_columns(text: str) -> Columns:
    """Return names from the first line; types are bigint or double where all samples match, else string."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        return ()
    samples = [row for row in rows[1:] if len(row) >= len(rows[0])]
    return tuple(
        (name.strip().lower(), _csv_type([row[index].strip() for row in samples]))
        for index, name in enumerate(rows[0])
    )


def _csv_type(values: Sequence[str]) -> str:
    given = [value for value in values if value]
    if given and all(re.fullmatch(r"[+-]?\d{1,18}", value) for value in given):
        return "bigint"
    if given and all(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) for value in given):
        return "double"
    return "string"


def _similar_groups(files: Sequence[File]) -> list[list[File]]:
    """Group files by format and similar columns."""
    groups: list[list[File]] = []
    for file in sorted(files, key=lambda file: file.key):
        group = next((each for each in groups if _similar(each[0], file)), None)
        if group is None:
            groups.append([file])
        else:
            group.append(file)
    return groups


def _similar(one: File, other: File) -> bool:
    names, others = ({name for name, _ in file.columns} for file in (one, other))
    shared = len(names & others) / max(len(names | others), 1)
    return one.format == other.format and shared >= SIMILAR


def _table(name: str, location: str, group: Sequence[File]) -> dict[str, Any]:
    columns = dict(column for file in group for column in file.columns)
    form = _PARQUET if group[0].format == "parquet" else _CSV
    parameters = {
        "classification": group[0].format,
        "objectCount": str(len(group)),
        "sizeKey": str(sum(file.size for file in group)),
        **({"skip.header.line.count": "1"} if group[0].format == "csv" else {}),
    }
    described = [{"Name": column, "Type": type_name} for column, type_name in columns.items()]
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "StorageDescriptor": {"Columns": described, "Location": location, "Parameters": parameters, **form},
    }


def _common_name(group: Sequence[File]) -> str:
    """Return the common prefix of the names without numbers: yellow_tripdata of yellow_tripdata_2024-01."""
    names = [PurePosixPath(file.key).name.split(".")[0] for file in group]
    stems = [re.sub(r"[_-]?\d[\d_-]*$", "", name) for name in names]
    return os.path.commonprefix(stems) or names[0]  # noqa: RUF071  (names, not paths)


def _table_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_") or "table"


def _read(s3: Any, arrow: fs.S3FileSystem, bucket: str, key: str, size: int) -> File | None:
    """Return the file, None for a type that this crawler does not classify."""
    if key.endswith(".parquet"):
        with arrow.open_input_file(f"{bucket}/{key}") as opened:
            schema = pyarrow.parquet.read_schema(opened)
        return File(key, "parquet", tuple((f.name.lower(), hive_type(f.type)) for f in schema), size)
    if key.endswith((".csv", ".csv.gz")):
        stream = s3.get_object(Bucket=bucket, Key=key)["Body"]
        opened = gzip.GzipFile(fileobj=stream) if key.endswith(".gz") else stream
        text = opened.read(SAMPLE_BYTES).decode("utf-8-sig", errors="replace")
        return File(key, "csv", csv_columns(text[: text.rfind("\n") + 1] or text), size)
    return None


def _crawl(target: dict[str, Any], combine: bool) -> list[dict[str, Any]]:
    bucket, _, prefix = target["Path"].removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")
    arrow = fs.S3FileSystem(
        endpoint_override=os.environ["AWS_ENDPOINT_URL"], region=os.environ["AWS_DEFAULT_REGION"]
    )
    files = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            relative = entry["Key"].removeprefix(prefix)
            if entry["Size"] == 0 or any(
                is_excluded(relative, pattern) for pattern in target.get("Exclusions") or []
            ):
                continue
            try:
                file = _read(s3, arrow, bucket, entry["Key"], entry["Size"])
            except (pyarrow.ArrowException, OSError, EOFError):
                continue  # A crawler skips files that no classifier can read.
            if file:
                files.append(file)
    return tables(bucket, prefix, files, combine=combine)


if __name__ == "__main__":
    crawler = json.load(sys.stdin)
    found = [table for target in crawler["targets"] for table in _crawl(target, crawler["combine"])]
    json.dump(unique_names(found), sys.stdout)
