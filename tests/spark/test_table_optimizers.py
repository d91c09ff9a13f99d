"""Tests of the optimizers and the properties that the job gives its tables."""

from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

KEY = "raw/taxi/green_tripdata_2024-01.csv"
HEADER = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,trip_distance,PULocationID,fare_amount"
CONTENT = f"{HEADER}\n2,2024-01-05 10:00:00,2024-01-05 10:20:00,3.5,74,18.4\n".encode()
ROLE = "arn:aws:iam::123456789012:role/optimizers"
EXPECTED = {
    "compaction": {
        "roleArn": ROLE,
        "enabled": True,
        "compactionConfiguration": {"icebergConfiguration": {"strategy": "binpack", "minInputFiles": 5}},
    },
    "retention": {
        "roleArn": ROLE,
        "enabled": True,
        "retentionConfiguration": {
            "icebergConfiguration": {
                "snapshotRetentionPeriodInDays": 9,
                "numberOfSnapshotsToRetain": 1,
                "cleanExpiredFiles": True,
                "runRateInHours": 168,
            }
        },
    },
    "orphan_file_deletion": {
        "roleArn": ROLE,
        "enabled": True,
        "orphanFileDeletionConfiguration": {
            "icebergConfiguration": {"orphanFileRetentionPeriodInDays": 9, "runRateInHours": 168}
        },
    },
}


@pytest.fixture
def glue(monkeypatch):
    """A Glue client that validates requests and returns the responses that a test has added."""
    client = boto3.client(
        "glue", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    monkeypatch.setattr("loading.table_optimizers.boto3.client", lambda name: client)
    with Stubber(client) as stub:
        yield stub


def expected_request(table: str, kind: str, database: str) -> dict:
    return {
        "CatalogId": "123456789012",
        "DatabaseName": database,
        "TableName": table,
        "Type": kind,
        "TableOptimizerConfiguration": EXPECTED[kind],
    }


def load(lake, days: int = 9):
    if KEY not in lake.storage.versions:
        lake.storage.put(KEY, CONTENT)
    return lake.load(KEY, arguments=["--optimizer-role", ROLE, "--retention-days", str(days)])


def test_each_table_gets_three_optimizers_once(lake, glue, capsys):
    for table in ("green_trips", "quarantined_trips"):
        for kind in EXPECTED:
            glue.add_response("create_table_optimizer", {}, expected_request(table, kind, lake.database))

    load(lake)
    load(lake)

    glue.assert_no_pending_responses()
    assert "WARNING" not in capsys.readouterr().out, "the second job run calls no Glue API"


def test_without_a_role_no_optimizer_is_created(lake, glue):
    lake.storage.put(KEY, CONTENT)

    assert lake.load(KEY).counts()["loaded"] == 1


def test_tables_have_a_target_file_size(lake, glue):
    lake.storage.put(KEY, CONTENT)
    lake.load(KEY)

    properties = dict(lake.query("SHOW TBLPROPERTIES {green}"))

    assert properties["write.target-file-size-bytes"] == "268435456"


def test_tables_of_an_earlier_version_get_missing_properties_and_keep_changed_ones(lake, glue):
    lake.storage.put(KEY, CONTENT)
    lake.load(KEY)
    lake.query("ALTER TABLE {green} UNSET TBLPROPERTIES ('write.metadata.delete-after-commit.enabled')")
    lake.query("ALTER TABLE {green} SET TBLPROPERTIES ('write.target-file-size-bytes' = '1048576')")

    lake.load(KEY)

    properties = dict(lake.query("SHOW TBLPROPERTIES {green}"))
    assert properties["write.metadata.delete-after-commit.enabled"] == "true"
    assert properties["write.target-file-size-bytes"] == "1048576"


def test_old_metadata_files_are_deleted_with_a_commit(lake, glue):
    lake.storage.put(KEY, CONTENT)
    lake.load(KEY)

    limit = "SET TBLPROPERTIES ('write.metadata.previous-versions-max' = '{}')"
    for kept in (4, 3, 2):  # each a commit with a metadata file of its own
        lake.query(f"ALTER TABLE {{green}} {limit.format(kept)}")

    log = lake.query("SELECT file FROM {green}.metadata_log_entries")
    logged = sorted(Path(file.removeprefix("file:")) for (file,) in log)
    assert sorted(logged[0].parent.glob("*.metadata.json")) == logged
    assert len(logged) == 3  # the current one and two before it
