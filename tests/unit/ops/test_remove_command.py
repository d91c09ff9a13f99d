"""Tests of `remove`: it counts first, removes the rows of one file only, and repeating it changes nothing."""

import json
import shlex
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
import test_tables
from conftest import file_item
from fake_aws import error
from jsonschema import Draft202012Validator
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from ops import removal, tables
from taxi_etl.identity import source_id

ROOT = Path(__file__).resolve().parents[3]
KEY = "raw/taxi/a.csv"
URI = f"s3://lake/{KEY}"
SOURCE = source_id("lake", KEY)
ARN = "arn:aws:iam::123456789012:user/ann"


class FakeTable:
    """Rows by source; `conflicts` is how many deletes fail before one succeeds."""

    def __init__(self, rows, conflicts=0):
        self.rows, self.conflicts, self.properties = dict(rows), conflicts, []

    def scan(self, condition):
        self.wanted = condition.split("'")[1::2]
        return self

    def plan_files(self):
        return [Task(self.rows[each]) for each in self.wanted if each in self.rows]

    def delete(self, condition, snapshot_properties):
        if self.conflicts:
            self.conflicts -= 1
            raise removal.ValidationException("stale")
        for each in condition.split("'")[1::2]:
            self.rows.pop(each, None)
        self.properties.append(snapshot_properties)


class Task:
    def __init__(self, count):
        self.file = type("File", (), {"record_count": count})


class FakeCatalog:
    def __init__(self, **tables):
        self.tables = tables

    def table_exists(self, identifier):
        return identifier[1] in self.tables

    def load_table(self, identifier):
        assert identifier[0] == "taxi_dev"
        return self.tables[identifier[1]]


@pytest.fixture
def loaded(taxi_etl, monkeypatch):
    """A file with 8 rows in a table, 1 in quarantine and 1 of a failed version, among other files."""
    taxi_etl.catalog = FakeCatalog(
        yellow_trips=FakeTable({SOURCE: 8, "other": 8}),
        quarantined_trips=FakeTable({SOURCE: 1, f"failed-{SOURCE}": 1}),
    )
    monkeypatch.setattr(tables, "glue_catalog", lambda session: taxi_etl.catalog)
    taxi_etl.records = [file_item(KEY, "v1", "loaded"), file_item(KEY, "v0", "superseded")]

    def update(request):
        if taxi_etl.records[0]["status"] != {"S": "loaded"}:
            return error("ConditionalCheckFailedException")
        taxi_etl.records[0]["status"] = {"S": "removed"}
        return {}

    taxi_etl.aws.answers |= {
        "dynamodb.Query": lambda _: {"Items": deepcopy(taxi_etl.records), "Count": len(taxi_etl.records)},
        "dynamodb.UpdateItem": update,
        "sts.GetCallerIdentity": {"Arn": ARN},
        "sns.Publish": {"MessageId": "m"},
    }
    return taxi_etl


def test_without_yes_it_counts_and_changes_nothing(loaded):
    code, document = loaded.json("remove", URI)
    assert (code, document) == (
        0,
        {
            "bucket": "lake",
            "key": KEY,
            "tables": {"yellow_trips": 8, "quarantined_trips": 2},
            "versions": ["v1"],
            "done": False,
        },
    )
    assert loaded.catalog.tables["yellow_trips"].rows == {SOURCE: 8, "other": 8}
    assert not loaded.aws.requests("sns.Publish")
    assert f"taxi-etl --environment dev remove {URI} --yes" in loaded("remove", URI).stderr


def test_it_removes_the_rows_of_this_file_only_records_it_and_notifies(loaded):
    code, document = loaded.json("remove", URI, "--yes")
    assert (code, document["done"]) == (0, True)
    assert loaded.catalog.tables["yellow_trips"].rows == {"other": 8}
    assert loaded.catalog.tables["quarantined_trips"].rows == {}
    assert loaded.catalog.tables["yellow_trips"].properties == [
        {"taxi-etl.removed": URI, "taxi-etl.removed-by": ARN}
    ]
    [update] = loaded.aws.requests("dynamodb.UpdateItem")
    assert update["Key"] == {"pk": f"lake/{KEY}", "sk": "v1"}
    assert ARN in update["ExpressionAttributeValues"].values()
    [published] = loaded.aws.requests("sns.Publish")
    assert published["MessageStructure"] == "json"
    texts = json.loads(published["Message"])
    assert texts["email"] == (
        f"10 rows of {URI} were removed from the tables by {ARN}.\n\n"
        "Tables:\n- yellow_trips: 8 rows removed\n- quarantined_trips: 2 rows removed\n\n"
        f"Next:\nTo load the file again: `taxi-etl --environment dev replay {URI}`."
    )
    assert texts["sms"].startswith(f"Taxi ETL REMOVED: a.csv: 10 rows of {URI} were removed")
    message = json.loads(texts["default"])
    assert (message["status"], message["tables"]) == ("REMOVED", {"yellow_trips": 8, "quarantined_trips": 2})
    assert message["message"] == f"10 rows of {URI} were removed from the tables by {ARN}."
    assert message["nextStep"] == f"To load the file again: `taxi-etl --environment dev replay {URI}`."
    assert published["MessageAttributes"]["dataset"]["StringValue"] == '["yellow"]'
    assert published["Subject"] == "Taxi ETL REMOVED: a.csv"
    schema = json.loads((ROOT / "docs" / "notifications.schema.json").read_text())
    assert [each.message for each in Draft202012Validator(schema).iter_errors(message)] == []
    assert list(message) == schema["$defs"]["removed"]["required"]


def test_repeating_it_changes_nothing(loaded):
    loaded.json("remove", URI, "--yes")
    code, document = loaded.json("remove", URI, "--yes")
    assert (code, document["tables"], document["versions"], document["done"]) == (0, {}, [], False)
    assert len(loaded.aws.requests("sns.Publish")) == 1


def test_nothing_is_removed_if_the_caller_is_unknown(loaded):
    loaded.aws.answers["sts.GetCallerIdentity"] = error("Throttling")
    assert loaded.json("remove", URI, "--yes")[0] == 1
    assert loaded.catalog.tables["yellow_trips"].rows == {SOURCE: 8, "other": 8}


@pytest.mark.parametrize(("stopped_by", "published"), [("sns.Publish", 2), ("dynamodb.UpdateItem", 2)])
def test_a_removal_that_stopped_halfway_is_completed_and_notified(loaded, stopped_by, published):
    answer = loaded.aws.answers[stopped_by]
    loaded.aws.answers[stopped_by] = error("AccessDenied")
    assert loaded.json("remove", URI, "--yes")[0] == 1
    assert (loaded.catalog.tables["yellow_trips"].rows, loaded.records[0]["status"]) == (
        {"other": 8},
        {"S": "loaded"},
    )
    loaded.aws.answers[stopped_by] = answer
    code, document = loaded.json("remove", URI, "--yes")
    assert (code, document["tables"], document["versions"]) == (0, {}, ["v1"])
    assert loaded.records[0]["status"] == {"S": "removed"}
    published_texts = [json.loads(each["Message"]) for each in loaded.aws.requests("sns.Publish")]
    messages = [json.loads(texts["default"])["message"] for texts in published_texts]
    assert len(messages) == published
    assert messages[-1] == f"All rows of {URI} were removed from the tables by {ARN}."


def test_a_file_that_was_never_loaded_has_nothing_to_remove(loaded):
    loaded.records.clear()
    result = loaded("remove", "s3://lake/raw/taxi/never.csv", "--yes")
    assert result.exit_code == 0
    assert "nothing to remove: no table holds rows of s3://lake/raw/taxi/never.csv" in result.stderr
    assert not loaded.aws.requests("sns.Publish")


@pytest.mark.parametrize("status", ["failed", "rejected", "superseded", "held", "removed"])
def test_rows_of_a_file_whose_newest_version_did_not_load_are_removed(loaded, status):
    loaded.records[:] = [file_item(KEY, "v2", status)]
    code, document = loaded.json("remove", URI, "--yes")
    assert (code, document["done"], document["versions"]) == (0, True, [])
    assert loaded.catalog.tables["yellow_trips"].rows == {"other": 8}
    assert not loaded.aws.requests("dynamodb.UpdateItem")


def test_a_file_with_rows_in_quarantine_only_is_announced_under_its_dataset(loaded):
    del loaded.catalog.tables["yellow_trips"].rows[SOURCE]
    loaded.records[0] = file_item(KEY, "v1", "loaded", dataset="yellow")
    assert loaded.json("remove", URI, "--yes")[1]["tables"] == {"quarantined_trips": 2}
    [published] = loaded.aws.requests("sns.Publish")
    assert published["MessageAttributes"]["dataset"]["StringValue"] == '["yellow"]'


@pytest.mark.parametrize(
    "key",
    ["raw/taxi/it's a [b]c[/d].csv", "raw/taxi/größe & 'x' + %20 ü\u0301.csv", 'raw/taxi/$(x) `y` "z"?#.csv'],
)
def test_any_key_can_be_removed_and_its_commands_can_be_copied(loaded, key):
    uri = f"s3://lake/{key}"
    loaded.catalog.tables["yellow_trips"].rows[source_id("lake", key)] = 3
    loaded.records[:] = [file_item(key, "v1", "loaded")]
    planned = loaded("remove", uri).stderr
    assert shlex.split(planned.split("to remove: ")[1]) == [
        *("taxi-etl", "--environment", "dev", "remove", uri, "--yes")
    ]
    done = loaded("remove", uri, "--yes").stderr
    assert shlex.split(done.split("again: ")[1]) == ["taxi-etl", "--environment", "dev", "replay", uri]
    assert loaded.catalog.tables["yellow_trips"].rows == {SOURCE: 8, "other": 8}
    assert f"no table holds rows of {uri}" in loaded("remove", uri, "--yes").stderr


@pytest.mark.parametrize("status", ["received", "running"])
def test_a_file_that_is_being_loaded_is_refused(loaded, status):
    loaded.records.append(file_item(KEY, "v2", status, execution="nightly"))
    code, document = loaded.json("remove", URI, "--yes")
    assert code == 1
    assert "is being loaded by execution nightly" in document["error"]
    assert loaded.catalog.tables["yellow_trips"].rows == {SOURCE: 8, "other": 8}


@pytest.mark.parametrize(("conflicts", "code"), [(4, 0), (5, 1)])
def test_conflicting_commits_are_tried_again(loaded, conflicts, code):
    loaded.catalog.tables["yellow_trips"].conflicts = conflicts
    assert loaded.json("remove", URI, "--yes")[0] == code
    assert loaded.records[0]["status"] == {"S": "loaded" if code else "removed"}


@pytest.mark.parametrize("text", [KEY, "s3://lake", "https://lake/raw/taxi/a.csv"])
def test_anything_but_a_uri_is_wrong_usage(loaded, text):
    assert loaded("remove", text).exit_code == 2


def test_pyiceberg_deletes_the_rows_of_one_partition_and_notes_the_file(tmp_path, monkeypatch):
    schema = Schema(
        NestedField(1, "source_id", StringType(), required=False),
        NestedField(2, "fare_amount", LongType(), required=False),
    )
    monkeypatch.setattr(test_tables, "SCHEMA", schema)
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "source_id"))
    monkeypatch.setattr(test_tables, "UNPARTITIONED_PARTITION_SPEC", spec)
    catalog = test_tables.Folder(str(tmp_path))
    catalog.table_exists = lambda identifier: identifier[-1] in catalog.tables
    table = catalog.create("yellow_trips")
    for source, count in ((SOURCE, 3), ("other", 4), (SOURCE, 2)):
        table.append(pa.table({"source_id": [source] * count, "fare_amount": list(range(count))}))
    deployment = SimpleNamespace(taxi_database_name="taxi")
    assert removal._rows(catalog, deployment, "yellow_trips", "lake", KEY) == 5
    assert removal._rows(catalog, deployment, "green_trips", "lake", KEY) == 0
    found = removal.Removal("lake", KEY, {"yellow_trips": 5}, ())
    removal._delete(catalog, deployment, "yellow_trips", found, ARN)
    assert removal._rows(catalog, deployment, "yellow_trips", "lake", KEY) == 0
    remaining = catalog.tables["yellow_trips"]
    assert remaining.scan().to_arrow()["source_id"].unique().to_pylist() == ["other"]
    assert remaining.current_snapshot().summary["taxi-etl.removed"] == URI
    assert not any(task.delete_files for task in remaining.scan().plan_files())
