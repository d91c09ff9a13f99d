"""Tests of the permissions that Glue requests need."""

import pytest

GLUE = "arn:aws:glue:us-east-1:000000000000"
CATALOG, DATABASE, TABLE = f"{GLUE}:catalog", f"{GLUE}:database/taxi", f"{GLUE}:table/taxi/trips"
OPTIMIZER = "arn:aws:iam::000000000000:role/optimizer"


@pytest.fixture
def call(factory):
    """A function that calls Glue with a role, in an account with one table, and returns the error's code."""
    glue = factory.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "taxi"})
    glue.create_table(DatabaseName="taxi", TableInput={"Name": "trips"})
    factory.aws.settings(enforce_roles=True)
    called = factory.caller()
    return lambda operation, **arguments: called("glue", operation, **arguments)


@pytest.mark.parametrize("missing", [CATALOG, DATABASE, TABLE])
def test_a_table_request_needs_permission_on_table_database_and_catalog(factory, call, missing):
    everything = {CATALOG, DATABASE, TABLE}
    factory.allow(*(("glue:GetTable", place) for place in everything - {missing}))
    assert call("get_table", DatabaseName="taxi", Name="trips") == "AccessDeniedException"
    factory.allow(*(("glue:GetTable", place) for place in everything))
    assert call("get_table", DatabaseName="taxi", Name="trips") == ""


@pytest.mark.parametrize("missing", [CATALOG, DATABASE])
def test_a_database_request_needs_permission_on_database_and_catalog(factory, call, missing):
    factory.allow(*(("glue:GetDatabase", place) for place in {CATALOG, DATABASE} - {missing}))
    assert call("get_database", Name="taxi") == "AccessDeniedException"
    factory.allow(*(("glue:GetDatabase", place) for place in (CATALOG, DATABASE)))
    assert call("get_database", Name="taxi") == ""


def test_create_table_needs_permission_on_the_new_name(factory, call):
    new = {"DatabaseName": "taxi", "TableInput": {"Name": "more"}}
    factory.allow(*(("glue:CreateTable", place) for place in (CATALOG, DATABASE, TABLE)))
    assert call("create_table", **new) == "AccessDeniedException"
    factory.allow(*(("glue:CreateTable", place) for place in (CATALOG, DATABASE, f"{GLUE}:table/taxi/more")))
    assert call("create_table", **new) == ""


def test_a_job_or_crawler_request_needs_permission_on_it(factory, call):
    factory.allow(("glue:GetJob", f"{GLUE}:job/ours"), ("glue:GetCrawler", f"{GLUE}:crawler/ours"))
    assert call("get_job", JobName="theirs") == "AccessDeniedException"
    assert call("get_job", JobName="ours") == "EntityNotFoundException"
    assert call("get_crawler", Name="theirs") == "AccessDeniedException"
    assert call("get_crawler", Name="ours") == "EntityNotFoundException"


def test_passing_a_role_to_glue_needs_iam_pass_role(factory, call):
    optimizer = {
        "CatalogId": "000000000000",
        "DatabaseName": "taxi",
        "TableName": "trips",
        "Type": "compaction",
        "TableOptimizerConfiguration": {"roleArn": OPTIMIZER, "enabled": True},
    }
    factory.allow(("glue:CreateTableOptimizer", "*"))
    assert call("create_table_optimizer", **optimizer) == "AccessDeniedException"
    factory.allow(("glue:CreateTableOptimizer", "*"), ("iam:PassRole", OPTIMIZER))
    assert call("create_table_optimizer", **optimizer) == ""
    (passed,) = [call for call in factory.aws.calls() if call["action"] == "iam:PassRole" and call["allowed"]]
    assert passed["context"] == {"iam:PassedToService": "glue.amazonaws.com"}
