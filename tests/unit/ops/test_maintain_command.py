"""Tests of `maintain`: table maintenance in the local account only."""

import json

import pytest

from local_aws import table_maintenance
from local_aws.errors import LocalAwsError
from local_aws.table_maintenance import MaintenanceResult

ARGUMENTS = {
    "--conf": "spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog",
    "--catalog": "glue_catalog",
    "--database": "taxi_local",
    "--retention-days": "9",
}


@pytest.fixture
def local(taxi_etl, monkeypatch):
    """The local account with two tables; maintenance is recorded, not run."""
    monkeypatch.setattr(type(taxi_etl.aws), "is_local", True)
    taxi_etl.aws.answers |= {
        "glue.GetJob": {"Job": {"DefaultArguments": ARGUMENTS}},
        "glue.GetTables": {"TableList": [{"Name": "yellow_trips"}, {"Name": "green_trips"}]},
    }
    taxi_etl.maintained = []

    def run(job_arguments, tables, *, endpoint_url, credentials, retention_days):
        taxi_etl.maintained.append((job_arguments, list(tables), retention_days))
        return [MaintenanceResult(table, 12, 3, 2, 1) for table in tables]

    monkeypatch.setattr(table_maintenance, "run", run)
    return taxi_etl


def test_all_tables_are_maintained_with_the_settings_of_the_deployed_job(local):
    code, document = local.json("maintain")

    assert code == 0
    assert local.maintained == [(ARGUMENTS, ["green_trips", "yellow_trips"], 9)]
    assert document["tables"][1] == {
        "table": "yellow_trips",
        "filesBefore": 12,
        "filesAfter": 3,
        "snapshotsExpired": 2,
        "orphansRemoved": 1,
    }


def test_tables_and_retention_can_be_chosen(local):
    local.json("maintain", "green_trips", "--retention-days", "1")

    assert local.maintained == [(ARGUMENTS, ["green_trips"], 1)]


def test_a_retention_of_less_than_a_day_is_wrong_usage(local):
    assert local("maintain", "--retention-days", "0").exit_code == 2
    assert local.maintained == []


def test_an_unknown_table_is_an_error_with_the_existing_tables(local):
    code, document = local.json("maintain", "blue_trips")

    assert (code, document["error"]) == (1, "table blue_trips does not exist")
    assert document["nextStep"] == "choose from green_trips, yellow_trips"
    assert local.maintained == []


def test_without_tables_the_next_step_is_to_load_a_file(local):
    local.aws.answers["glue.GetTables"] = {"TableList": []}

    code, document = local.json("maintain")

    assert (code, document["error"]) == (1, "there are no tables yet")


def test_on_aws_it_is_an_error_because_glue_maintains_the_tables(taxi_etl):
    code, document = taxi_etl.json("maintain")

    assert code == 1
    assert document["error"] == "the tables of dev are maintained by Glue's table optimizers"
    assert taxi_etl.aws.calls == []


def test_a_failure_is_printed(local, monkeypatch):
    def fail(*_, **__):
        raise LocalAwsError("table maintenance failed:\nno such place")

    monkeypatch.setattr(table_maintenance, "run", fail)

    code, document = local.json("maintain")

    assert code == 1
    assert "no such place" in document["error"]


def test_care_is_a_deprecated_name_of_maintain(local):
    result = local("--json", "care", "green_trips")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["tables"][0]["table"] == "green_trips"
    assert "deprecated" in result.stderr
