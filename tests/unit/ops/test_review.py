"""Does the review of infrastructure flag what must not slip through, and keep quiet about the rest?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops import review
from ops.template_changes import Replacement, Right, new_rights, replacements


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return resource("AWS::IAM::Policy", PolicyDocument={"Statement": list(statements)}, Roles=["role"])


def allow(action: Any, on: Any = "arn:x", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def rights(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    return [(right.action, right.resource) for right in new_rights(before, after)]


def test_a_property_that_cannot_change_in_place_replaces_its_resource() -> None:
    before = template(Lake=resource("AWS::S3::Bucket", BucketName="old", Tags=[]))
    after = template(Lake=resource("AWS::S3::Bucket", BucketName="new", Tags=[{"Key": "a", "Value": "b"}]))

    (found,) = replacements(before, after)

    assert found == Replacement("Lake", "AWS::S3::Bucket", "changes BucketName", True)
    assert found.loses_data


def test_a_property_that_can_change_in_place_is_no_replacement() -> None:
    before = template(Work=resource("AWS::Lambda::Function", FunctionName="f", MemorySize=128))
    after = template(Work=resource("AWS::Lambda::Function", FunctionName="f", MemorySize=256))

    assert replacements(before, after) == []


def test_a_property_that_replaces_only_at_times_is_flagged_as_perhaps() -> None:
    before = template(Ledger=resource("AWS::DynamoDB::Table", KeySchema=[{"AttributeName": "a"}]))
    after = template(Ledger=resource("AWS::DynamoDB::Table", KeySchema=[{"AttributeName": "b"}]))

    (found,) = replacements(before, after)

    assert (found.why, found.certain, found.loses_data) == ("changes KeySchema", False, True)


def test_a_changed_logical_id_or_type_is_a_removal() -> None:
    before = template(Queue1=resource("AWS::SQS::Queue"), Thing=resource("AWS::SNS::Topic"))
    after = template(Queue2=resource("AWS::SQS::Queue"), Thing=resource("AWS::SQS::Queue"))

    assert [(each.resource, each.why, each.loses_data) for each in replacements(before, after)] == [
        ("Queue1", "is removed, or its logical id changed", True),
        ("Thing", "becomes AWS::SQS::Queue", False),
    ]


def test_a_type_that_nobody_knows_does_not_stop_the_review() -> None:
    before = template(It=resource("Custom::Thing", Name="a"))
    after = template(It=resource("Custom::Thing", Name="b"))

    assert replacements(before, after) == []


def test_a_new_action_or_resource_is_a_new_right_and_a_lost_one_is_none() -> None:
    before = template(P=policy(allow(["s3:GetObject", "s3:PutObject"], ["arn:a", "arn:b"])))
    after = template(P=policy(allow(["s3:GetObject", "s3:DeleteObject"], "arn:a")))

    assert rights(before, after) == [("s3:DeleteObject", "arn:a")]
    assert rights(before, before) == []


def test_the_same_rights_in_other_statements_are_not_new() -> None:
    before = template(P=policy(allow(["a:X", "a:Y"], ["r1", "r2"])))
    after = template(P=policy(allow("a:Y", "r2"), allow("a:X", ["r2", "r1"]), allow("a:Y", "r1")))

    assert rights(before, after) == []


def test_a_dropped_condition_widens() -> None:
    limited = allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["raw/*"]}})

    (found,) = new_rights(template(P=policy(limited)), template(P=policy(allow("s3:ListBucket"))))

    assert (found.action, found.condition) == ("s3:ListBucket", "")
    assert not found.is_wide


@pytest.mark.parametrize(
    "statement",
    [allow("s3:*"), allow("s3:GetObject", "*"), allow("s3:Get*")],
)
def test_wildcards_are_called_wide(statement: dict[str, Any]) -> None:
    (found,) = new_rights(template(P=policy()), template(P=policy(statement)))

    assert found.is_wide


def test_a_principal_in_a_resources_policy_is_a_right() -> None:
    def queue(who: Any) -> dict[str, Any]:
        statement = allow("sqs:SendMessage", Principal=who)
        return template(Q=resource("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": statement}))

    (found,) = new_rights(queue({"Service": "s3.amazonaws.com"}), queue("*"))

    assert (found.who, found.is_wide) == ("*", True)


def test_another_trust_policy_is_a_right() -> None:
    def role(subject: str) -> dict[str, Any]:
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "idp"},
            "Condition": {"StringEquals": {"sub": subject}},
        }
        return template(R=resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [statement]}))

    (found,) = new_rights(role("repo:a/b"), role("repo:*"))

    assert (found.who, found.condition) == ("idp", "{StringEquals: {sub: repo:*}}")


def test_a_lifted_refusal_is_a_right_also_when_its_whole_policy_is_gone() -> None:
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:lake"}
    before = template(B=resource("AWS::S3::BucketPolicy", PolicyDocument={"Statement": [refusal]}))

    assert rights(before, template()) == [("no longer denied: s3:*", "arn:lake")]
    assert rights(template(), before) == []


def test_managed_policies_inline_policies_and_permissions_to_invoke_count() -> None:
    inline = {"PolicyName": "p", "PolicyDocument": {"Statement": [allow("a:Inline")]}}
    after = template(
        R=resource("AWS::IAM::Role", ManagedPolicyArns=["arn:admin"], Policies=[inline]),
        L=resource("AWS::Lambda::Permission", Action="lambda:Invoke", FunctionName="f", Principal="events"),
    )

    assert rights(template(), after) == [
        ("lambda:Invoke", "f"),
        ("a:Inline", "arn:x"),
        ("everything in", "arn:admin"),
    ]


def test_everything_but_is_not_taken_for_little() -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:x"}

    assert rights(template(P=policy()), template(P=policy(statement))) == [("everything but iam:*", "arn:x")]


def test_references_read_as_the_paths_of_what_they_name() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Stack/Lake/Bucket/Resource"}}
    objects = {"Fn::Join": ["", [{"Fn::GetAtt": ["LakeB1", "Arn"]}, "/runs/*"]]}
    after = template(LakeB1=bucket, P=policy(allow("s3:GetObject", objects)))

    assert rights(template(LakeB1=bucket, P=policy()), after) == [
        ("s3:GetObject", "${Lake/Bucket.Arn}/runs/*")
    ]


def write(directory: Path, stack: str, content: dict[str, Any]) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / f"{stack}.template.json").write_text(json.dumps(content))
    return directory


def test_the_page_flags_lost_data_and_wide_rights_on_top(tmp_path: Path) -> None:
    before = write(tmp_path / "a", "Lake", template(T=resource("AWS::DynamoDB::Table"), P=policy()))
    after = write(tmp_path / "b", "Lake", template(P=policy(allow("s3:*", "*"))))

    text = review.page(review.compare(before, after))

    assert text.startswith(review.MARKER)
    assert "⚠️ **Data may go: a stateful resource is replaced or removed.**" in text
    assert "⚠️ **New rights with wildcards.**" in text
    assert (
        "| `T` | AWS::DynamoDB::Table | is removed, or its logical id changed | yes, **holds data** |" in text
    )
    assert "| `P` |  | `s3:*` | `*` |  | **wide** |" in text


def test_the_page_says_when_nothing_changes_and_when_nothing_is_flagged(tmp_path: Path) -> None:
    before = write(tmp_path / "a", "One", template(F=resource("AWS::Lambda::Function", MemorySize=1)))
    same = write(tmp_path / "b", "One", template(F=resource("AWS::Lambda::Function", MemorySize=1)))
    other = write(tmp_path / "c", "One", template(F=resource("AWS::Lambda::Function", MemorySize=2)))
    write(tmp_path / "c", "Two", template(Q=resource("AWS::SQS::Queue")))

    assert "Nothing changes." in review.page(review.compare(before, same))
    text = review.page(review.compare(before, other))
    assert "No replacement, no new right." in text
    assert "- changed: F (AWS::Lambda::Function)" in text
    assert "#### Two\n\n- added: Q (AWS::SQS::Queue)" in text


def test_construct_paths_alone_are_no_change(tmp_path: Path) -> None:
    before = write(tmp_path / "a", "One", template(Q={"Type": "AWS::SQS::Queue", "Metadata": {"x": 1}}))
    after = write(tmp_path / "b", "One", template(Q={"Type": "AWS::SQS::Queue", "Metadata": {"x": 2}}))

    assert "Nothing changes." in review.page(review.compare(before, after))


def test_what_cdk_diff_said_is_folded_in_until_it_is_too_long(tmp_path: Path) -> None:
    before = write(tmp_path / "a", "One", template())
    after = write(tmp_path / "b", "One", template(Q=resource("AWS::SQS::Queue")))
    (after / "One.diff").write_text("[+] AWS::SQS::Queue Q\n")
    assert "<summary>cdk diff One</summary>\n\n~~~~~~\n[+] AWS::SQS::Queue Q\n~~~~~~" in review.page(
        review.compare(before, after)
    )

    (after / "One.diff").write_text("long\n" * 20_000)
    text = review.page(review.compare(before, after))
    assert text.endswith("\n`cdk diff One` is too long for a comment; the job's artifact has it.\n")
    assert "- added: Q" in text


def test_a_diff_that_is_too_long_does_not_push_out_the_next(tmp_path: Path) -> None:
    before = write(tmp_path / "a", "One", template())
    after = write(tmp_path / "b", "One", template(Q=resource("AWS::SQS::Queue")))
    write(after, "Two", template(Q=resource("AWS::SQS::Queue")))
    (after / "One.diff").write_text("long\n" * 20_000)
    (after / "Two.diff").write_text("short")

    text = review.page(review.compare(before, after))

    assert "`cdk diff One` is too long" in text
    assert "~~~~~~\nshort\n~~~~~~" in text


def test_a_page_of_many_changes_still_fits_a_comment_and_says_that_it_is_cut() -> None:
    many = [Right("h" * 200, "w" * 200, f"a:{number}", "r" * 400, "c" * 400) for number in range(500)]
    text = review.page([review.Change("One", [], many, [], [])])

    assert len(text) <= 60_000
    assert "⚠️ **New rights.**" in text
    assert text.endswith("This is not all; the job's artifact holds both apps.\n")


def test_the_rest_of_a_long_table_is_counted() -> None:
    many = [Right("h", "", f"a:{number:03}", "r", "") for number in range(130)]

    assert "| and 30 more ||||||" in review.page([review.Change("One", [], many, [], [])])


def test_the_command_says_which_directory_is_empty(tmp_path: Path) -> None:
    write(tmp_path / "b", "One", template())
    done = subprocess.run(
        [sys.executable, "-m", "ops.review", str(tmp_path / "a"), str(tmp_path / "b")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path / 'a'} holds no templates: run `cdk synth --output {tmp_path / 'a'}`\n"
    )
