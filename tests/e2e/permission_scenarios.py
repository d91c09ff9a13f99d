"""Scenarios in which every permission of every role is needed at least once.

Most permissions are needed by any upload. These scenarios add rare events: a conflicting commit, a stopped
execution, a notification that cannot be published, a deleted file. Each restores the account.
"""

from collections.abc import Callable
from pathlib import Path

from pyiceberg.exceptions import NoSuchTableError

from ops import tables
from taxi_etl.raw_folders import raw_folder
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY
from tests.e2e.app_controls import (
    deliver_events,
    newest_job_run,
    reconciling_new_claims,
    rejected_file,
    trip_file,
)
from tests.e2e.conftest import App, eventually

Scenario = Callable[[App, Path], None]


def load_with_conflicting_writers(app: App, folder: Path) -> None:
    """A commit conflicts once, another job run has created the optimizers, some rows are quarantined, and a
    crawler's folder has its first file."""
    catalog = tables.glue_catalog(app.session)
    try:
        known = catalog.load_table((app.deployed.taxi_database_name, "green_trips"))
        known.transaction().set_properties({OPTIMIZERS_PROPERTY: "other settings"}).commit_transaction()
    except NoSuchTableError:
        pass
    app.aws.faults(
        {"action": "glue:UpdateTable", "error": "ConcurrentModificationException"},
        {"action": "glue:CreateTableOptimizer", "error": "AlreadyExistsException"},
    )
    path = trip_file(folder, "2019-01", "green", dirty_share=0.1)
    (outcome,) = app.follow(app.send(path, folders={path.name: raw_folder("green")}))
    assert (outcome.status, app.aws.fault_counts()) == ("loaded", [1, 1])
    app.aws.faults()


def two_crawls(app: App, _folder: Path) -> None:
    """The second crawl updates the tables that the first created."""
    glue = app.session.client("glue")

    def state() -> str:
        return str(glue.get_crawler(Name=app.deployed.crawler_name)["Crawler"]["State"])

    for _ in range(2):
        eventually(lambda: state() == "READY", "a READY crawler")
        glue.start_crawler(Name=app.deployed.crawler_name)
    eventually(lambda: state() == "READY", "a READY crawler")


def stopped_execution(app: App, folder: Path) -> None:
    """The job run stops with its execution and leaves no result for the finalizer."""
    app.aws.settings(hold_job_runs=True)
    (version,) = app.send(trip_file(folder, "2019-02"))
    newest_job_run(app, "STARTING")
    states = app.session.client("stepfunctions")
    found = states.list_executions(stateMachineArn=app.deployed.state_machine_arn, statusFilter="RUNNING")
    states.stop_execution(executionArn=found["executions"][0]["executionArn"])
    newest_job_run(app, "STOPPED")
    app.aws.settings(hold_job_runs=False)
    (outcome,) = app.follow([version])
    assert outcome.status == "failed"


def notification_by_the_finalizer(app: App, folder: Path) -> None:
    """The workflow's five attempts to publish fail."""
    app.aws.wait_scale(0)
    app.aws.faults({"action": "sns:Publish", "error": "InternalError", "status": 500, "times": 5})
    (outcome,) = app.upload(rejected_file(folder, "green_tripdata_2019-03.csv.gz"))
    (message,) = app.messages(outcome.execution)
    assert message["error"]["Error"] == "NotificationFailed"
    app.aws.wait_scale(1)


def claim_started_by_the_reconciler(app: App, folder: Path) -> None:
    """A replay is throttled until only the reconciler can start it."""
    (rejected,) = app.upload(rejected_file(folder, "green_tripdata_2019-04.csv.gz"))
    app.aws.faults({"action": "states:StartExecution", "error": "ThrottlingException", "times": 4})
    assert app.command("replay", "--execution", rejected.execution)[0] == 1
    with reconciling_new_claims(app):
        app.session.client("lambda").invoke(
            FunctionName=app.deployed.close_function_name, Payload=b'{"sweep": true}'
        )
    (outcome,) = app.follow([rejected.version])
    assert outcome.execution.startswith(f"{rejected.execution}-2-")


def replay_without_held_files(app: App, _folder: Path) -> None:
    """The command looks for held files and finds none."""
    code, document = app.command("replay", "--held")
    assert (code, "no file is waiting" in document["error"]) == (1, True)


def file_deleted_before_validation(app: App, folder: Path) -> None:
    """The file is deleted while its event is in the queue."""
    deliver_events(app, enabled=False)
    (version,) = app.send(rejected_file(folder, "green_tripdata_2019-05.csv.gz"))
    app.session.client("s3").delete_object(Bucket=version.bucket, Key=version.key)
    deliver_events(app, enabled=True)
    (outcome,) = app.follow([version])
    assert outcome.reasons[0].startswith("not_found")


def lost_end_event(app: App, folder: Path) -> None:
    """The finalizer is killed three times; the reconciler closes the execution."""
    name = app.deployed.close_function_name
    app.aws.faults({"action": "states:DescribeExecution", "kills": name, "times": 3})
    versions = app.send(rejected_file(folder, "green_tripdata_2019-06.csv.gz"))
    eventually(lambda: app.pending()["closer, dead letters"] == 1, "the end event in the dead-letter queue")
    with reconciling_new_claims(app):
        app.session.client("lambda").invoke(FunctionName=name, Payload=b'{"sweep": true}')
    assert [outcome.status for outcome in app.follow(versions)] == ["rejected"]
    app.session.client("sqs").purge_queue(QueueUrl=app.deployed.close_dead_letter_queue_url)


SCENARIOS: tuple[Scenario, ...] = (
    load_with_conflicting_writers,
    replay_without_held_files,
    file_deleted_before_validation,
    claim_started_by_the_reconciler,
    # The other end-to-end tests cover these too.
    two_crawls,
    stopped_execution,
    notification_by_the_finalizer,
    lost_end_event,
)
