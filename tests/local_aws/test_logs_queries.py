"""Tests of saved log queries in CloudFormation."""

import json

import pytest
from botocore.exceptions import WaiterError


def template(**properties):
    query = {"Type": "AWS::Logs::QueryDefinition", "Properties": properties}
    outputs = {"Id": {"Value": {"Ref": "Query"}}}
    return json.dumps({"Resources": {"Query": query}, "Outputs": outputs})


def query_id(formation):
    (stack,) = formation.describe_stacks(StackName="queries")["Stacks"]
    return stack["Outputs"][0]["OutputValue"]


def test_a_saved_query_is_created_updated_and_deleted(factory):
    formation = factory.aws.client("cloudformation")
    formation.create_stack(
        StackName="queries", TemplateBody=template(Name="errors", QueryString="fields @message")
    )
    formation.get_waiter("stack_create_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})
    made = query_id(formation)
    assert len(made) == 36
    formation.update_stack(
        StackName="queries", TemplateBody=template(Name="errors", QueryString="fields @timestamp")
    )
    formation.get_waiter("stack_update_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})
    assert query_id(formation) == made
    formation.delete_stack(StackName="queries")
    formation.get_waiter("stack_delete_complete").wait(StackName="queries", WaiterConfig={"Delay": 1})


def test_a_query_without_a_query_string_is_refused(factory):
    formation = factory.aws.client("cloudformation")
    formation.create_stack(StackName="empty", TemplateBody=template(Name="errors"))
    with pytest.raises(WaiterError):
        formation.get_waiter("stack_create_complete").wait(
            StackName="empty", WaiterConfig={"Delay": 1, "MaxAttempts": 10}
        )
