"""Tests that every role has all permissions that it needs, and no others.

Roles are enforced in the account of all end-to-end tests. Permissions that the other tests have not needed
are exercised by the scenarios of `tests.e2e.permission_scenarios`. The module's name places it after the
tests of pipeline and recovery: they need most permissions, and expect tables without the scenarios' rows.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.app_controls import loading_with_the_job, rejected_file, trip_file
from tests.e2e.conftest import App
from tests.e2e.permission_scenarios import SCENARIOS
from tests.e2e.unverifiable_permissions import UNVERIFIABLE, UnverifiablePermission
from tests.fixtures.permissions import (
    Call,
    Permission,
    as_list,
    denied_calls,
    granted_permissions,
    matches,
    needed_permissions,
    recorded_calls,
    role_names,
)


@dataclass(frozen=True)
class Usage:
    """The permissions of the deployed roles, and every call of these roles."""

    permissions: list[Permission]
    calls: set[Call]


@pytest.fixture(scope="module")
def usage(app: App, tmp_path_factory: pytest.TempPathFactory) -> Usage:
    """The usage after all scenarios that still exercise an unneeded permission."""
    folder = tmp_path_factory.mktemp("scenarios")
    permissions = granted_permissions(app)
    for scenario in SCENARIOS:
        if unneeded(permissions, recorded_calls(app)):
            scenario(app, folder)
    return Usage(permissions, recorded_calls(app))


def unneeded(permissions: list[Permission], calls: set[Call]) -> list[Permission]:
    """Return the permissions that no call needed, apart from the unverifiable ones."""
    found = set(permissions) - needed_permissions(permissions, calls)
    return [
        permission
        for permission in permissions
        if permission in found and not any(covers(entry, permission) for entry in UNVERIFIABLE)
    ]


def covers(entry: UnverifiablePermission, permission: Permission) -> bool:
    """Return whether an entry of the list covers this permission."""
    action, _, prefix = entry.action.partition(" if ")
    conditions = [pattern for _, wanted in permission.condition for pattern in wanted]
    return (
        matches(entry.role, permission.role)
        and matches(action, permission.action)
        and matches(entry.resource, permission.resource)
        and (not prefix or conditions == [prefix])
    )


def test_the_deployed_policies_allow_every_call_that_was_made(usage: Usage) -> None:
    assert {call.role for call in usage.calls} == {permission.role for permission in usage.permissions} - {
        "JobOptimizerRole"
    }
    assert [str(call) for call in usage.calls if not call.allowed] == []
    assert [str(call) for call in denied_calls(usage.permissions, usage.calls)] == []


def test_the_accounts_policy_simulator_agrees(app: App, usage: Usage) -> None:
    iam = app.session.client("iam")
    arns = {
        name: iam.get_role(RoleName=physical)["Role"]["Arn"] for physical, name in role_names(app).items()
    }
    # The simulator takes no context.
    without_context = sorted((call for call in usage.calls if not call.context), key=str)
    one_each = {
        permission: call
        for permission in usage.permissions
        for call in without_context
        if permission.allows(call)
    }
    assert {"WorkflowStateMachineRole", "JobRole"} <= {permission.role for permission in one_each}
    for call in one_each.values():
        request = {"ActionNames": [call.action], "ResourceArns": [call.resource]}
        answer = iam.simulate_principal_policy(PolicySourceArn=arns[call.role], **request)
        assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed", str(call)


def test_every_permission_is_needed_or_listed_as_unverifiable(usage: Usage) -> None:
    assert [str(permission) for permission in unneeded(usage.permissions, usage.calls)] == []


def test_the_list_of_unverifiable_permissions_is_minimal(usage: Usage) -> None:
    needed = needed_permissions(usage.permissions, usage.calls)
    for entry in UNVERIFIABLE:
        named = {permission for permission in usage.permissions if covers(entry, permission)}
        assert named, f"no role has such a permission: {entry}"
        assert [str(permission) for permission in named & needed] == [], (
            "the local account verifies them: remove them from the list"
        )


def test_removing_any_statement_would_deny_a_call(usage: Usage) -> None:
    statements = groupby(usage.permissions, key=lambda permission: (permission.role, permission.statement))
    for place, members in ((place, list(members)) for place, members in statements):
        if all(any(covers(entry, permission) for entry in UNVERIFIABLE) for permission in members):
            continue
        rest = [permission for permission in usage.permissions if permission not in members]
        assert denied_calls(rest, usage.calls), f"no call needs statement {place}: {[*map(str, members)]}"


def test_a_file_fails_with_a_notification_when_manifests_cannot_be_written(
    app: App, usage: Usage, tmp_path: Path
) -> None:
    with without(app, "ValidateInputRole", "s3:PutObject", "*/runs/*"):
        (outcome,) = app.upload(rejected_file(tmp_path, "green_tripdata_2018-01.csv.gz"))
    (message,) = app.messages(outcome.execution)
    assert (outcome.status, message["status"]) == ("failed", "VALIDATION_FAILED")
    assert "not authorized to perform: s3:PutObject" in message["error"]["Cause"]


def test_the_finalizer_notifies_when_the_workflow_cannot_publish(
    app: App, usage: Usage, tmp_path: Path
) -> None:
    app.aws.wait_scale(0)
    with without(app, "WorkflowStateMachineRole", "sns:Publish", "*"):
        (outcome,) = app.upload(rejected_file(tmp_path, "green_tripdata_2018-02.csv.gz"))
    (message,) = app.messages(outcome.execution)
    app.aws.wait_scale(1)
    assert outcome.status == "rejected"
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "NotificationFailed")


def test_a_job_run_fails_with_a_notification_when_raw_files_cannot_be_read(
    app: App, usage: Usage, tmp_path: Path
) -> None:
    with loading_with_the_job(app), without(app, "JobRole", "s3:GetObject", "*/raw/taxi/*"):
        (outcome,) = app.upload(trip_file(tmp_path, "2018-03", "green"))
    (message,) = app.messages(outcome.execution)
    assert (outcome.status, message["status"]) == ("failed", "FAILED")
    assert "the pipeline may not read the object" in message["error"]["Cause"]
    assert message["files"][0]["reasons"][0]["code"] == "access_denied"


def test_another_account_has_no_access_to_queue_topic_or_bucket(app: App) -> None:
    def other_account_client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=app.aws.account.endpoint_url,
            region_name=app.aws.account.region,
            aws_access_key_id="111122223333",  # the emulator takes it as the account
            aws_secret_access_key="test",
        )

    sqs, sns, s3 = other_account_client("sqs"), other_account_client("sns"), other_account_client("s3")
    bucket, topic = app.deployed.bucket_name, app.deployed.topic_arn
    attempts: list[Callable[[], Any]] = [
        lambda: sqs.send_message(QueueUrl=app.deployed.queue_url, MessageBody="{}"),
        lambda: sqs.receive_message(QueueUrl=app.deployed.queue_url),
        lambda: sns.publish(TopicArn=topic, Message="{}"),
        lambda: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com"),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.put_object(Bucket=bucket, Key="raw/taxi/theirs.csv", Body=b"id"),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match=r"AccessDenied|AuthorizationError"):
            attempt()


@contextmanager
def without(app: App, role: str, action: str, resource: str) -> Iterator[None]:
    """Remove a role's permission for an action on matching resources within the block."""
    iam = app.session.client("iam")
    physical = next(physical for physical, name in role_names(app).items() if name == role)
    (name,) = iam.list_role_policies(RoleName=physical)["PolicyNames"]
    policy = {"RoleName": physical, "PolicyName": name}
    kept = iam.get_role_policy(**policy)["PolicyDocument"]
    rest = []
    for statement in kept["Statement"]:
        places = [place for place in as_list(statement["Resource"]) if not matches(resource, place)]
        if action not in as_list(statement["Action"]):
            rest.append(statement)
        elif places:
            rest.append({**statement, "Resource": places})
    assert rest != kept["Statement"]
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({**kept, "Statement": rest}))
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(kept))
