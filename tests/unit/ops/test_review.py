"""Tests of the review comment: what it flags, what it leaves out, and its limits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops import review
from ops.review import Permission, StackChange

Template = dict[str, Any]


def template(**resources: Any) -> Template:
    return {"Resources": resources}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return resource("AWS::IAM::Policy", PolicyDocument={"Statement": list(statements)}, Roles=["role"])


def allow(action: Any, on: Any = "arn:x", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def queue_policy(principal: Any, effect: str = "Allow") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "sqs:*", "Principal": principal, "Resource": "arn:queue"}
    return resource("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": [statement]}, Queues=["queue"])


def role(subject: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "idp"},
        "Condition": {"StringEquals": {"sub": subject}},
    }
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [statement]})


def write(directory: Path, stack: str, content: Template) -> None:
    (directory / f"{stack}.template.json").write_text(json.dumps(content))


LIMITED = allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["raw/*"]}})
REFERENCE = {"Fn::Join": ["", [{"Fn::GetAtt": ["LakeB1", "Arn"]}, "/runs/*"]]}
BUCKET = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Stack/Lake/Bucket/Resource"}}
INLINE = {"PolicyName": "p", "PolicyDocument": {"Statement": [allow("a:Inline")]}}
PERMISSION_CASES: dict[str, tuple[Template, Template, set[Permission]]] = {
    "a new action": (
        template(P=policy(allow(["s3:GetObject", "s3:PutObject"], ["arn:a", "arn:b"]))),
        template(P=policy(allow(["s3:GetObject", "s3:DeleteObject"], "arn:a"))),
        {Permission("AWS:role", "s3:DeleteObject", "arn:a")},
    ),
    "the same permissions in other statements": (
        template(P=policy(allow(["a:X", "a:Y"], ["r1", "r2"]))),
        template(P=policy(allow("a:Y", "r2"), allow("a:X", ["r2", "r1"]), allow("a:Y", "r1"))),
        set(),
    ),
    "a removed condition": (
        template(P=policy(LIMITED)),
        template(P=policy(allow("s3:ListBucket"))),
        {Permission("AWS:role", "s3:ListBucket", "arn:x")},
    ),
    "another principal of a resource policy": (
        template(Q=queue_policy({"Service": "s3.amazonaws.com"})),
        template(Q=queue_policy("*")),
        {Permission("*", "sqs:*", "arn:queue")},
    ),
    "another trust policy": (
        template(R=role("repo:a/b")),
        template(R=role("repo:*")),
        {
            Permission(
                "Federated:idp",
                "sts:AssumeRoleWithWebIdentity",
                "${R.Arn}",
                '{"StringEquals": {"sub": "repo:*"}}',
            )
        },
    ),
    "a removed Deny": (
        template(B=queue_policy("*", "Deny")),
        template(),
        {Permission("*", "no longer denied: sqs:*", "arn:queue")},
    ),
    "a new Deny": (
        template(),
        template(B=queue_policy("*", "Deny")),
        set(),
    ),
    "managed policies, inline policies and invoke permissions": (
        template(),
        template(
            R=resource("AWS::IAM::Role", ManagedPolicyArns=["arn:admin"], Policies=[INLINE]),
            L=resource(
                "AWS::Lambda::Permission", Action="lambda:Invoke", FunctionName="f", Principal="events"
            ),
        ),
        {
            Permission("${R}", "everything in", "arn:admin"),
            Permission("AWS:${R}", "a:Inline", "arn:x"),
            Permission("Service:events", "lambda:Invoke", "f"),
        },
    ),
    "NotAction": (
        template(P=policy()),
        template(P=policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:x"})),
        {Permission("AWS:role", "all except iam:*", "arn:x")},
    ),
    "a reference shown as the construct's path": (
        template(LakeB1=BUCKET, P=policy()),
        template(LakeB1=BUCKET, P=policy(allow("s3:GetObject", REFERENCE))),
        {Permission("AWS:role", "s3:GetObject", "${Lake/Bucket.Arn}/runs/*")},
    ),
}

OTHER_CASES: dict[str, tuple[Template, Template]] = {
    "replaced and removed": (
        template(
            Bucket=resource("AWS::S3::Bucket", BucketName="old"),
            Function=resource("AWS::Lambda::Function", FunctionName="f", MemorySize=128),
            Ledger=resource("AWS::DynamoDB::Table"),
            Key=resource("AWS::KMS::Key") | {"DeletionPolicy": "Retain"},
            Thing=resource("AWS::SNS::Topic"),
            Custom=resource("Custom::Thing", Name="a"),
        ),
        template(
            Bucket=resource("AWS::S3::Bucket", BucketName="new"),
            Function=resource("AWS::Lambda::Function", FunctionName="f", MemorySize=256),
            Thing=resource("AWS::SQS::Queue"),
            Custom=resource("Custom::Thing", Name="b"),
        ),
    ),
    "lost data": (
        template(T=resource("AWS::DynamoDB::Table"), P=policy()),
        template(P=policy(allow("s3:*", "*"))),
    ),
    "changed": (
        template(F=resource("AWS::Lambda::Function", MemorySize=1)),
        template(F=resource("AWS::Lambda::Function", MemorySize=2)),
    ),
    "added": ({}, template(Q=resource("AWS::SQS::Queue"))),
    "metadata": (
        template(Q={"Type": "AWS::SQS::Queue", "Metadata": {"x": 1}}),
        template(Q={"Type": "AWS::SQS::Queue", "Metadata": {"x": 2}}),
    ),
}


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StackChange]:
    """The change of each case, compared as the stacks of two apps: Node starts once."""
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    pairs = {name: case[:2] for name, case in PERMISSION_CASES.items()} | OTHER_CASES
    for name, (old, new) in pairs.items():
        write(before, name, old)
        write(after, name, new)
    return {change.stack: change for change in review.compare(before, after)}


def test_replaced_and_removed_resources_are_flagged_with_their_cause(changes: dict[str, StackChange]) -> None:
    found = changes["replaced and removed"].resources

    assert {each.resource: (each.impact, *each.causes) for each in found if each.ends} == {
        "Bucket": ("WILL_REPLACE", "BucketName"),
        "Ledger": ("WILL_DESTROY",),
        "Key": ("WILL_ORPHAN",),
        "Thing": ("WILL_REPLACE", "the type AWS::SQS::Queue"),
    }
    assert {each.resource for each in found if each.loses_data} == {"Bucket", "Key", "Ledger"}
    assert {each.resource for each in found if not each.ends} == {"Function", "Custom"}


@pytest.mark.parametrize("name", PERMISSION_CASES)
def test_new_permissions_are_found(changes: dict[str, StackChange], name: str) -> None:
    _, _, expected = PERMISSION_CASES[name]

    assert set(changes[name].permissions) == expected


@pytest.mark.parametrize(
    ("permission", "wildcard"),
    [
        (Permission("p", "s3:GetObject", "arn:x/*"), False),
        (Permission("p", "s3:Get*", "arn:x"), True),
        (Permission("p", "s3:GetObject", "*"), True),
        (Permission("*", "s3:GetObject", "arn:x"), True),
        (Permission("p", "all except iam:PassRole", "arn:x"), True),
    ],
)
def test_wildcards_are_flagged(permission: Permission, wildcard: bool) -> None:
    assert permission.has_wildcard is wildcard


def test_the_page_flags_lost_data_and_wildcards_on_top(changes: dict[str, StackChange]) -> None:
    text = review.page([changes["lost data"]])

    assert text.startswith(review.MARKER)
    assert "⚠️ **Data may be lost: a stateful resource is replaced or removed.**" in text
    assert "⚠️ **New permissions with wildcards.**" in text
    assert "- deleted: `T` (`AWS::DynamoDB::Table`), **holds data**" in text
    assert "- `AWS:role` may `s3:*` on `*`, **wildcard**" in text
    assert "<summary>Difference of lost data</summary>\n\n~~~~~~\n" in text
    assert "[-] AWS::DynamoDB::Table T destroy" in text


def test_changes_without_risk_are_listed_for_each_stack(changes: dict[str, StackChange]) -> None:
    text = review.page([changes["changed"], changes["added"]])

    assert "No replaced or removed resource, no new permission." in text
    assert "#### changed\n\n- changed: `F` (`AWS::Lambda::Function`)" in text
    assert "#### added\n\n- added: `Q` (`AWS::SQS::Queue`)" in text


def test_a_change_of_metadata_only_is_not_a_change(changes: dict[str, StackChange]) -> None:
    assert "Nothing changes." in review.page([changes["metadata"]])


PERMISSION = Permission("p", "a:b", "r")


def test_a_long_difference_is_left_out_and_does_not_displace_the_next() -> None:
    text = review.page(
        [
            StackChange("One", permissions=[PERMISSION], text="long\n" * 20_000),
            StackChange("Two", permissions=[PERMISSION], text="short"),
        ]
    )

    assert "The difference of One is too long for a comment; the job's artifact holds both apps." in text
    assert "~~~~~~\nshort\n~~~~~~" in text


def test_a_page_with_many_changes_is_cut_to_fit_a_comment() -> None:
    many = [Permission("w" * 200, f"a:{number}", "r" * 400, "c" * 400) for number in range(500)]
    text = review.page([StackChange("One", permissions=many)])

    assert len(text) <= 60_000
    assert "⚠️ **New permissions.**" in text
    assert text.endswith("The comment is cut here; the job's artifact holds both apps.\n")


def test_the_omitted_lines_of_a_long_list_are_counted() -> None:
    many = [Permission("p", f"a:{number:03}", "r") for number in range(130)]

    assert "- and 30 more" in review.page([StackChange("One", permissions=many)])


def test_text_from_a_template_cannot_break_out_of_its_line_or_block() -> None:
    escaping = Permission("p", "a:b`\n\n# heading", "r")
    text = review.page([StackChange("One", permissions=[escaping], text="~~~~~~\n@everyone")])

    assert "- `p` may `a:b' # heading` on `r`" in text
    assert "~ ~ ~~ ~ ~\n@everyone\n~~~~~~" in text


def run(*arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "ops.review", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_stacks_that_only_one_app_has(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for directory, stack in ((before, "Old"), (after, "New")):
        directory.mkdir()
        write(directory, stack, template(Q=resource("AWS::SQS::Queue")))
    done = run(before, after)

    assert done.returncode == 0
    assert "#### New\n\n- added: `Q`" in done.stdout
    assert "#### Old\n\n- deleted: `Q`" in done.stdout


def test_the_command_names_a_directory_without_templates(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path)

    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path} holds no templates: run `cdk synth --output {tmp_path}`\n"
