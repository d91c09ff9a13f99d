"""Does care look after the local account's tables, and leave those on AWS to Glue?"""

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
    """The local account with two tables; care is only noted down."""
    monkeypatch.setattr(type(taxi_etl.aws), "is_local", True)
    taxi_etl.aws.answers |= {
        "glue.GetJob": {"Job": {"DefaultArguments": ARGUMENTS}},
        "glue.GetTables": {"TableList": [{"Name": "yellow_trips"}, {"Name": "green_trips"}]},
    }
    taxi_etl.asked = []

    def run(job_arguments, tables, *, endpoint_url, credentials, retention_days):
        taxi_etl.asked.append((job_arguments, list(tables), retention_days))
        return [MaintenanceResult(table, 12, 3, 2, 1) for table in tables]

    monkeypatch.setattr(table_maintenance, "run", run)
    return taxi_etl


def test_all_tables_are_looked_after_with_the_settings_of_the_deployed_job(local):
    code, document = local.json("care")

    assert code == 0
    assert local.asked == [(ARGUMENTS, ["green_trips", "yellow_trips"], 9)]
    assert document["tables"][1] == {
        "table": "yellow_trips",
        "filesBefore": 12,
        "filesAfter": 3,
        "snapshotsExpired": 2,
        "orphansRemoved": 1,
    }


def test_named_tables_and_days_count(local):
    local.json("care", "green_trips", "--retention-days", "1")

    assert local.asked == [(ARGUMENTS, ["green_trips"], 1)]


def test_less_than_a_day_is_refused_since_a_load_may_be_under_way(local):
    assert local("care", "--retention-days", "0").exit_code == 2
    assert local.asked == []


def test_a_table_that_is_not_there_is_refused_with_those_that_are(local):
    code, document = local.json("care", "blue_trips")

    assert (code, document["error"]) == (1, "there is no table blue_trips")
    assert document["nextStep"] == "the tables are green_trips, yellow_trips"
    assert local.asked == []


def test_an_account_without_tables_is_told_to_load_a_file(local):
    local.aws.answers["glue.GetTables"] = {"TableList": []}

    code, document = local.json("care")

    assert (code, document["error"]) == (1, "there are no tables yet")


def test_on_aws_it_is_refused_because_glue_does_it(taxi_etl):
    code, document = taxi_etl.json("care")

    assert code == 1
    assert document["error"] == "Glue's table optimizers look after the tables of dev, each day"
    assert taxi_etl.aws.calls == []


def test_what_went_wrong_is_told(local, monkeypatch):
    def fail(*_, **__):
        raise LocalAwsError("table maintenance failed:\nno such place")

    monkeypatch.setattr(table_maintenance, "run", fail)

    code, document = local.json("care")

    assert code == 1
    assert "no such place" in document["error"]
