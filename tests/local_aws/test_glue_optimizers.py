"""Tests of the table optimizer API."""

import pytest

CONFIGURATION = {"roleArn": "arn:aws:iam::000000000000:role/anything", "enabled": True}


def test_an_optimizer_is_stored_once_for_each_table_and_type(factory):
    glue = factory.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "taxi"})
    glue.create_table(DatabaseName="taxi", TableInput={"Name": "trips"})
    which = {
        "CatalogId": "000000000000",
        "DatabaseName": "taxi",
        "TableName": "trips",
        "Type": "compaction",
    }
    glue.create_table_optimizer(**which, TableOptimizerConfiguration=CONFIGURATION)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_table_optimizer(**which, TableOptimizerConfiguration=CONFIGURATION)
    shown = glue.get_table_optimizer(**which)["TableOptimizer"]
    assert (shown["type"], shown["configuration"]) == ("compaction", CONFIGURATION)
    glue.update_table_optimizer(**which, TableOptimizerConfiguration={**CONFIGURATION, "enabled": False})
    assert glue.get_table_optimizer(**which)["TableOptimizer"]["configuration"]["enabled"] is False
    glue.delete_table_optimizer(**which)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table_optimizer(**which)


def test_an_optimizer_for_a_missing_table_is_refused(factory):
    glue = factory.aws.client("glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.create_table_optimizer(
            CatalogId="000000000000",
            DatabaseName="taxi",
            TableName="none",
            Type="retention",
            TableOptimizerConfiguration=CONFIGURATION,
        )
