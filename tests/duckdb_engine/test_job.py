"""Tests of the whole job on the local account's S3 and Glue, as the function runs it: without pyarrow."""

import sys

import boto3
import pytest

from duckdb_engine import file_io
from duckdb_engine.job import load
from loading.engine import Declined
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.documents import AcceptedFile, JobResult, Manifest
from tests.duckdb_engine.lake import FolderStorage
from tests.duckdb_engine.test_loading import A
from tests.fixtures.file_checks import BUCKET, validated
from tests.fixtures.local_account import aws, local_account
from tests.fixtures.trip_files import trips

__all__ = ["aws", "local_account"]
MANIFEST = f"s3://{BUCKET}/runs/one/manifest.json"


@pytest.fixture
def bucket(aws, monkeypatch, tmp_path):
    """A versioned bucket and a Glue database, which boto3 finds by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.account.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws.account.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    file_io.s3_client.cache_clear()
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    aws.client("glue").create_database(
        DatabaseInput={"Name": "taxi", "LocationUri": f"s3://{BUCKET}/warehouse/taxi.db"}
    )
    # The function has no pyarrow: importing it anywhere below fails.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    return s3


def upload(s3, folder, content: bytes) -> None:
    """Upload a file and the manifest that accepts it."""
    storage = FolderStorage(folder)
    storage.put(A, content)
    storage.versions[A] = s3.put_object(Bucket=BUCKET, Key=A, Body=content)["VersionId"]
    accepted = validated(storage, A)
    assert isinstance(accepted, AcceptedFile)
    s3.put_object(
        Bucket=BUCKET,
        Key="runs/one/manifest.json",
        Body=Manifest("one", BUCKET, "s3", (accepted,)).dumps().encode(),
    )


def load_manifest() -> JobResult:
    result, _ = load(
        MANIFEST,
        database="taxi",
        warehouse=f"s3://{BUCKET}/warehouse",
        max_quarantine_share=0.5,
        anomaly_policy=AnomalyPolicy.WARN,
        command="taxi-etl --environment local",
        run_id="run-1",
    )
    return result


def keys(s3, prefix: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_a_file_is_loaded_and_replaced(bucket, tmp_path):
    upload(bucket, tmp_path, trips(3, 2))
    first = load_manifest()
    upload(bucket, tmp_path, trips(4, 1))

    second = load_manifest()

    assert [(file.written, file.quarantined) for file in first.files] == [(3, 2)]
    assert [(file.written, file.quarantined) for file in second.files] == [(4, 1)]
    assert (
        JobResult.loads(bucket.get_object(Bucket=BUCKET, Key="runs/one/result.json")["Body"].read()) == second
    )
    table = boto3.client("glue").get_table(DatabaseName="taxi", Name="green_trips")["Table"]
    assert table["Parameters"]["table_type"] == "ICEBERG"
    assert table["StorageDescriptor"]["Location"].startswith(f"s3://{BUCKET}/warehouse/")


def test_a_declined_manifest_leaves_no_data_file_and_no_result(bucket, tmp_path):
    upload(bucket, tmp_path, trips(1, 3))

    with pytest.raises(Declined, match="3 of 4 rows failed validation"):
        load_manifest()

    assert [key for key in keys(bucket, "warehouse/") if key.endswith(".parquet")] == []
    assert keys(bucket, "runs/") == ["runs/one/manifest.json"]
