"""What failed deployments and deleted stacks leave behind: broken stacks, and parts without a stack.

Stateful parts outlive their stack in some environments, and the next deployment then fails because their
names are taken. A part is found by its fixed name, and only if its stack does not exist.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import stack_names
from ops.session import Session
from taxi_etl import names

NEVER_CREATED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
"""States of a stack whose creation failed; it can only be deleted."""
HALF_DELETED = "DELETE_FAILED"
"""The state of a stack whose deletion failed; some of its parts remain."""
_NOT_FOUND = (
    *("404", "NoSuchBucket", "NotFound", "ResourceNotFoundException", "EntityNotFoundException"),
    *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
)


@dataclass(frozen=True)
class Leftover:
    """A part without a stack; `content` names what it contains and is empty if it contains nothing."""

    kind: str
    name: str
    content: str
    remove: Callable[[], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class BrokenStack:
    """A stack that can only be deleted."""

    name: str
    reason: str
    remove: Callable[[], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Kept:
    """A part that is kept because it holds data or may do so; `reason` also names the next step."""

    kind: str
    name: str
    reason: str

    def to_json(self) -> dict[str, str]:
        """Return the JSON document of the part."""
        return {"kind": self.kind, "name": self.name, "why": self.reason}


def stack_states(session: Session) -> dict[str, str]:
    """Return the state of each stack by name, empty for a stack that does not exist."""
    found = dict.fromkeys(stack_names(session.target.environment), "")
    for name in found:
        try:
            (stack,) = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
        else:
            found[name] = stack["StackStatus"]
    return found


def is_deployed(session: Session) -> bool:
    """Return whether both stacks exist and are usable."""
    unusable = ("", HALF_DELETED, *NEVER_CREATED)
    return not any(state in unusable for state in stack_states(session).values())


def broken_stacks(session: Session) -> Iterator[BrokenStack]:
    """Yield the stacks that can only be deleted, the dependent stack first."""
    for name, state in reversed(stack_states(session).items()):
        if state in NEVER_CREATED:
            yield BrokenStack(name, f"it is {state} and can only be deleted", _delete_stack(session, name))


def half_deleted_stacks(session: Session) -> Iterator[Kept]:
    """Yield the stacks whose deletion failed; deleting them again may delete data."""
    for name, state in stack_states(session).items():
        if state == HALF_DELETED:
            reason = (
                "its deletion failed; see its events, fix the cause, then delete it: "
                f"aws cloudformation delete-stack --stack-name {name}"
            )
            yield Kept("stack", name, reason)


def orphans(session: Session) -> Iterator[Leftover]:
    """Yield the existing parts of the stacks that do not exist."""
    lake, pipeline = stack_names(session.target.environment)
    states = stack_states(session)
    searches: list[Iterator[Leftover]] = []
    if not states[lake]:
        searches += [_bucket(session), _table(session), *_databases(session)]
        searches += [_queue(session, name) for name in (names.EVENT_QUEUE, names.EVENT_DEAD_LETTER_QUEUE)]
    if not states[pipeline]:
        searches += [_queue(session, names.CLOSE_DEAD_LETTER_QUEUE)]
    for search in searches:
        try:
            yield from search
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_FOUND:
                raise


def _delete_stack(session: Session, name: str) -> Callable[[], Any]:
    """Return the call that deletes a stack. CDK protects a stack before it creates the stack's resources."""
    cloudformation = session.client("cloudformation")

    def delete() -> None:
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        cloudformation.delete_stack(StackName=name)

    return delete


def _physical(session: Session, name: str) -> str:
    return names.physical_name(name, session.target.environment)


def _bucket(session: Session) -> Iterator[Leftover]:
    s3 = session.client("s3")
    account = session.client("sts").get_caller_identity()["Account"]
    name = names.bucket_name(account, session.target.environment)
    found = s3.list_object_versions(Bucket=name, MaxKeys=1)
    content = "objects" if found.get("Versions") or found.get("DeleteMarkers") else ""
    yield Leftover("bucket", name, content, lambda: s3.delete_bucket(Bucket=name))


def _table(session: Session) -> Iterator[Leftover]:
    dynamodb, name = session.client("dynamodb"), _physical(session, names.LEDGER_TABLE)
    found = dynamodb.scan(TableName=name, Limit=1)  # ItemCount is updated every few hours only
    content = "items" if found["Count"] else ""

    def delete() -> None:
        if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=name)
        dynamodb.delete_table(TableName=name)

    yield Leftover("table", name, content, delete)


def _databases(session: Session) -> list[Iterator[Leftover]]:
    return [_database(session, name) for name in (names.RAW_DATABASE, names.TAXI_DATABASE)]


def _database(session: Session, fixed: str) -> Iterator[Leftover]:
    glue, name = session.client("glue"), names.database_name(fixed, session.target.environment)
    glue.get_database(Name=name)
    tables = glue.get_tables(DatabaseName=name)["TableList"]
    yield Leftover("database", name, "tables" if tables else "", lambda: glue.delete_database(Name=name))


def _queue(session: Session, fixed: str) -> Iterator[Leftover]:
    sqs, name = session.client("sqs"), _physical(session, fixed)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(counts))["Attributes"]
    waiting = sum(int(attributes[count]) for count in counts)
    content = f"{waiting} messages" if waiting else ""
    yield Leftover("queue", name, content, lambda: sqs.delete_queue(QueueUrl=url))
