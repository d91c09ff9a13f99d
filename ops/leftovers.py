"""What stays behind when a deployment fails, or stacks go? Stacks that never stood up, parts without a stack.

Stateful parts outlive their stack in some environments, and the next deployment fails on their names. A part
is told by its fixed name, and only looked for when its stack is not there: then nothing else owns it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment import stack_names
from ops.session import Session
from taxi_etl import names

NEVER_STOOD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
"""States of a stack that was never in use and can only be deleted."""
HALF_DELETED = "DELETE_FAILED"
"""The state of a stack that was in use, and of which something is left."""
_GONE = (
    *("404", "NoSuchBucket", "NotFound", "ResourceNotFoundException", "EntityNotFoundException"),
    *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
)


@dataclass(frozen=True)
class Leftover:
    """A part that was left; `holds` says what is in it, empty when nothing is."""

    kind: str
    name: str
    holds: str
    remove: Callable[[], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class BrokenStack:
    """A stack that can only be deleted."""

    name: str
    why: str
    remove: Callable[[], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Kept:
    """A part that stays, since it holds data or may do so; `why` says so, and what to do."""

    kind: str
    name: str
    why: str

    def to_json(self) -> dict[str, str]:
        """What `--json` prints about it."""
        return {"kind": self.kind, "name": self.name, "why": self.why}


def stack_states(session: Session) -> dict[str, str]:
    """The state of each of the environment's stacks, empty for one that is not there."""
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


def stand(session: Session) -> bool:
    """Whether both stacks are there and were in use, so that there is a deployment to look at."""
    unfit = ("", HALF_DELETED, *NEVER_STOOD)
    return not any(state in unfit for state in stack_states(session).values())


def broken_stacks(session: Session) -> Iterator[BrokenStack]:
    """The stacks that can only be deleted, the one that needs the other first."""
    for name, state in reversed(stack_states(session).items()):
        if state in NEVER_STOOD:
            yield BrokenStack(name, f"it is {state}: it can only be deleted", _delete_stack(session, name))


def half_deleted_stacks(session: Session) -> Iterator[Kept]:
    """The stacks whose deletion failed: trying again may take what holds data."""
    for name, state in stack_states(session).items():
        if state == HALF_DELETED:
            step = f"aws cloudformation delete-stack --stack-name {name}"
            yield Kept("stack", name, f"its deletion failed; see its events, mend the cause, then {step}")


def orphans(session: Session) -> Iterator[Leftover]:
    """The parts, by their fixed names, of those stacks that are not there."""
    lake, pipeline = stack_names(session.target.environment)
    states = stack_states(session)
    looks: list[Iterator[Leftover]] = []
    if not states[lake]:
        looks += [_bucket(session), _table(session), *_databases(session)]
        looks += [_queue(session, name) for name in (names.EVENT_QUEUE, names.EVENT_DEAD_LETTER_QUEUE)]
    if not states[pipeline]:
        looks += [_queue(session, names.CLOSE_DEAD_LETTER_QUEUE)]
    for look in looks:
        try:
            yield from look
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise


def _delete_stack(session: Session, name: str) -> Callable[[], Any]:
    return lambda: session.client("cloudformation").delete_stack(StackName=name)


def _physical(session: Session, name: str) -> str:
    return names.physical_name(name, session.target.environment)


def _bucket(session: Session) -> Iterator[Leftover]:
    s3 = session.client("s3")
    account = session.client("sts").get_caller_identity()["Account"]
    name = names.bucket_name(account, session.target.environment)
    found = s3.list_object_versions(Bucket=name, MaxKeys=1)
    holds = "objects" if found.get("Versions") or found.get("DeleteMarkers") else ""
    yield Leftover("bucket", name, holds, lambda: s3.delete_bucket(Bucket=name))


def _table(session: Session) -> Iterator[Leftover]:
    dynamodb, name = session.client("dynamodb"), _physical(session, names.LEDGER_TABLE)
    found = dynamodb.scan(TableName=name, Limit=1)  # ItemCount is hours old
    holds = "records" if found["Count"] else ""

    def delete() -> None:
        if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=name)
        dynamodb.delete_table(TableName=name)

    yield Leftover("table", name, holds, delete)


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
    holds = f"{waiting} messages" if waiting else ""
    yield Leftover("queue", name, holds, lambda: sqs.delete_queue(QueueUrl=url))
