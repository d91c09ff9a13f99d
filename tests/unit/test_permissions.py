"""Tests of the evaluation of roles' permissions (tests/fixtures/permissions.py)."""

import pytest

from tests.fixtures.permissions import (
    Call,
    Permission,
    denied_calls,
    matches,
    needed_permissions,
    statement_permissions,
)

LAKE = "arn:aws:s3:::lake"
READ = Permission("Job", ("policy", 0), "s3:GetObject", f"{LAKE}/raw/*")
LIST = Permission("Job", ("policy", 1), "s3:ListBucket", LAKE, (("s3:prefix", ("raw/*",)),))


def call(action: str, resource: str, role: str = "Job", **context: str) -> Call:
    return Call(role, action, resource, tuple(context.items()), allowed=True)


def test_a_permission_is_needed_when_only_it_allows_a_call() -> None:
    calls = [call("s3:GetObject", f"{LAKE}/raw/a.csv")]
    wider = Permission("Job", ("policy", 2), "s3:GetObject", f"{LAKE}/*")
    assert needed_permissions([READ, LIST], calls) == {READ}
    assert needed_permissions([READ, wider], calls) == set(), "each of the two allows the call"


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (call("s3:GetObject", f"{LAKE}/raw/a.csv"), True),
        (call("s3:GetObject", f"{LAKE}/runs/a.json"), False),
        (call("s3:GetObjectVersion", f"{LAKE}/raw/a.csv"), False),
        (call("s3:GetObject", f"{LAKE}/raw/a.csv", role="Crawler"), False),
        (call("s3:ListBucket", LAKE, **{"s3:prefix": "raw/taxi/"}), True),
        (call("s3:ListBucket", LAKE, **{"s3:prefix": "runs/"}), False),
        (call("s3:ListBucket", LAKE), False),
    ],
)
def test_a_call_is_allowed_by_role_action_resource_and_condition(asked: Call, allowed: bool) -> None:
    assert denied_calls([READ, LIST], [asked]) == ([] if allowed else [asked])


def test_only_star_and_question_mark_are_wildcards() -> None:
    assert matches("a/*", "a/b/c")
    assert matches("a?c", "abc")
    assert not matches("a[b]c", "abc")
    assert not matches("a*", "ba")


def test_a_statement_grants_each_action_on_each_resource() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"{LAKE}/raw/*", f"{LAKE}/runs/*"],
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    }
    found = list(statement_permissions("Job", ("policy", 3), statement))
    assert len(found) == 4
    assert str(found[3]) == (
        "Job: s3:PutObject on arn:aws:s3:::lake/runs/* if aws:RequestedRegion is us-east-1"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"Effect": "Deny"},
        {"Action": "s3:*"},
        {"NotResource": "*"},
        {"Condition": {"StringNotLike": {"s3:prefix": "raw/*"}}},
        {"Condition": {"StringEquals": {"s3:prefix": "raw/*"}}},
    ],
)
def test_a_statement_that_cannot_be_evaluated_fails(more: dict[str, object]) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{LAKE}/*", **more}
    with pytest.raises(AssertionError):
        list(statement_permissions("Job", ("policy", 4), statement))
