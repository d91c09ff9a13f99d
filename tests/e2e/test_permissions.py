"""Has every role all the rights it needs, and no other? Proven by what the deployed app did with them.

Roles are enforced in the account of all end-to-end tests, so whatever these did, was allowed. Where they have
not needed a right yet, the stories of `tests.e2e.permission_scenarios` do.
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

from tests.e2e.app_controls import broken, trips
from tests.e2e.conftest import App
from tests.e2e.permission_scenarios import STORIES
from tests.e2e.unverifiable_permissions import UNSHOWN, UnverifiablePermission
from tests.fixtures.permissions import Call, Right, denied, granted, listed, made, matches, needed, roles


@dataclass(frozen=True)
class Shown:
    """The rights of the deployed roles, and every call that was made with them."""

    rights: list[Right]
    calls: set[Call]


@pytest.fixture(scope="module")
def shown(app: App, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What was done with the rights, once the stories have been told that are still needed."""
    folder = tmp_path_factory.mktemp("stories")
    rights = granted(app)
    for story in STORIES:
        if unneeded(rights, made(app)):
            story(app, folder)
    return Shown(rights, made(app))


def unneeded(rights: list[Right], calls: set[Call]) -> list[Right]:
    """The rights that no call needed, and that should have been."""
    found = set(rights) - needed(rights, calls)
    return [right for right in rights if right in found and not any(names(entry, right) for entry in UNSHOWN)]


def names(entry: UnverifiablePermission, right: Right) -> bool:
    """Whether the list names this right."""
    action, _, prefix = entry.action.partition(" if ")
    conditions = [pattern for _, wanted in right.condition for pattern in wanted]
    return (
        matches(entry.role, right.role)
        and matches(action, right.action)
        and matches(entry.resource, right.resource)
        and (not prefix or conditions == [prefix])
    )


def test_the_deployed_policies_allow_every_call_that_was_made(shown: Shown) -> None:
    assert {call.role for call in shown.calls} == {right.role for right in shown.rights} - {
        "JobOptimizerRole"
    }
    assert [str(call) for call in shown.calls if not call.allowed] == []
    assert [str(call) for call in denied(shown.rights, shown.calls)] == []


def test_the_accounts_policy_simulator_agrees(app: App, shown: Shown) -> None:
    iam = app.session.client("iam")
    arns = {name: iam.get_role(RoleName=physical)["Role"]["Arn"] for physical, name in roles(app).items()}
    plain = sorted((call for call in shown.calls if not call.context), key=str)  # it takes no context
    one_each = {right: call for right in shown.rights for call in plain if right.allows(call)}
    assert {"WorkflowStateMachineRole", "JobRole"} <= {right.role for right in one_each}
    for call in one_each.values():
        asked = {"ActionNames": [call.action], "ResourceArns": [call.resource]}
        answer = iam.simulate_principal_policy(PolicySourceArn=arns[call.role], **asked)
        assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed", str(call)


def test_every_permission_is_needed_or_listed_as_unverifiable(shown: Shown) -> None:
    assert [str(right) for right in unneeded(shown.rights, shown.calls)] == []


def test_the_list_of_unverifiable_permissions_is_minimal(shown: Shown) -> None:
    were_needed = needed(shown.rights, shown.calls)
    for entry in UNSHOWN:
        named = {right for right in shown.rights if names(entry, right)}
        assert named, f"no role has such a right: {entry}"
        assert [str(right) for right in named & were_needed] == [], "needed here after all"


def test_removing_any_statement_would_deny_a_call(shown: Shown) -> None:
    statements = groupby(shown.rights, key=lambda right: (right.role, right.statement))
    for place, members in ((place, list(members)) for place, members in statements):
        if all(any(names(entry, right) for entry in UNSHOWN) for right in members):
            continue
        rest = [right for right in shown.rights if right not in members]
        assert denied(rest, shown.calls), f"nothing needs statement {place}: {[*map(str, members)]}"


def test_a_file_fails_with_a_notification_when_manifests_cannot_be_written(
    app: App, shown: Shown, tmp_path: Path
) -> None:
    with without(app, "ValidateInputRole", "s3:PutObject", "*/runs/*"):
        (outcome,) = app.upload(broken(tmp_path, "green_tripdata_2018-01.csv.gz"))
    (message,) = app.messages(outcome.execution)
    assert (outcome.status, message["status"]) == ("failed", "VALIDATION_FAILED")
    assert "not authorized to perform: s3:PutObject" in message["error"]["Cause"]


def test_the_finalizer_notifies_when_the_workflow_cannot_publish(
    app: App, shown: Shown, tmp_path: Path
) -> None:
    app.aws.wait_scale(0)
    with without(app, "WorkflowStateMachineRole", "sns:Publish", "*"):
        (outcome,) = app.upload(broken(tmp_path, "green_tripdata_2018-02.csv.gz"))
    (message,) = app.messages(outcome.execution)
    app.aws.wait_scale(1)
    assert outcome.status == "rejected"
    assert (message["status"], message["error"]["Error"]) == ("FAILED", "NotificationFailed")


def test_a_job_run_fails_with_a_notification_when_raw_files_cannot_be_read(
    app: App, shown: Shown, tmp_path: Path
) -> None:
    with without(app, "JobRole", "s3:GetObject", "*/raw/taxi/*"):
        (outcome,) = app.upload(trips(tmp_path, "2018-03", "green"))
    (message,) = app.messages(outcome.execution)
    assert (outcome.status, message["status"]) == ("failed", "FAILED")
    assert "HeadObject operation: Forbidden" in message["error"]["Cause"]


def test_another_account_has_no_access_to_queue_topic_or_bucket(app: App) -> None:
    def stranger(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=app.aws.account.endpoint_url,
            region_name=app.aws.account.region,
            aws_access_key_id="111122223333",  # the account, to the emulator
            aws_secret_access_key="test",
        )

    sqs, sns, s3 = stranger("sqs"), stranger("sns"), stranger("s3")
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
    """Meanwhile the role lacks the right to an action on the resources of that pattern."""
    iam = app.session.client("iam")
    physical = next(physical for physical, name in roles(app).items() if name == role)
    (name,) = iam.list_role_policies(RoleName=physical)["PolicyNames"]
    policy = {"RoleName": physical, "PolicyName": name}
    kept = iam.get_role_policy(**policy)["PolicyDocument"]
    rest = []
    for statement in kept["Statement"]:
        places = [place for place in listed(statement["Resource"]) if not matches(resource, place)]
        if action not in listed(statement["Action"]):
            rest.append(statement)
        elif places:
            rest.append({**statement, "Resource": places})
    assert rest != kept["Statement"]
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({**kept, "Statement": rest}))
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(kept))
