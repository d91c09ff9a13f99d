"""Test of Athena's saved queries in CloudFormation."""

import json


def template(sql):
    query = {"Type": "AWS::Athena::NamedQuery", "Properties": {"Database": "taxi", "QueryString": sql}}
    outputs = {"Id": {"Value": {"Ref": "Query"}}}
    return json.dumps({"Resources": {"Query": query}, "Outputs": outputs})


def test_a_saved_query_is_created_replaced_and_deleted(factory):
    formation, athena = factory.aws.client("cloudformation"), factory.aws.client("athena")

    def wait(event):
        formation.get_waiter(event).wait(StackName="named", WaiterConfig={"Delay": 1})

    def saved():
        ids = athena.list_named_queries()["NamedQueryIds"]
        return {athena.get_named_query(NamedQueryId=each)["NamedQuery"]["QueryString"] for each in ids}

    formation.create_stack(StackName="named", TemplateBody=template("SELECT 1"))
    wait("stack_create_complete")
    assert saved() == {"SELECT 1"}
    formation.update_stack(StackName="named", TemplateBody=template("SELECT 2"))
    wait("stack_update_complete")
    assert saved() == {"SELECT 2"}
    (stack,) = formation.describe_stacks(StackName="named")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == athena.list_named_queries()["NamedQueryIds"][0]
    formation.delete_stack(StackName="named")
    wait("stack_delete_complete")
    assert saved() == set()
