"""Scenarios in which every permission of every role is needed at least once.

Most permissions are needed by any upload. These scenarios add rare events: a conflicting commit, a stopped
execution, a notification that cannot be published, a deleted file. Each restores the account.
"""

import json
from collections.abc import Callable
from pathlib import Path

from pyiceberg.exceptions import NoSuchTableError

from ops import tables
from taxi_etl.names import manifest_key
from taxi_etl.raw_folders import raw_folder
from taxi_etl.s3_uris import s3_uri
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY
from tests.e2e.app_controls import (
    deliver_events,
    loading_with_the_job,
    newest_job_run,
    reconciling_new_claims,
    rejected_file,
    trip_file,
    with_checksums,
)
from tests.e2e.conftest import App, eventually

Scenario = Callable[[App, Path], None]


def conflicting_job_runs(app: App, folder: Path) -> None:
    """A job run loads its files among conflicting writers, and a crawler's folder has its first file."""
    with loading_with_the_job(app):
        load_with_conflicting_writers(app, trip_file(folder, "2019-01", "green", dirty_share=0.1), "green")


def conflicting_small_batches(app: App, folder: Path) -> None:
    """The function loads its files among conflicting writers."""
    load_with_conflicting_writers(app, trip_file(folder, "2019-01", "yellow", dirty_share=0.1), "yellow")


def load_with_conflicting_writers(app: App, path: Path, dataset: str) -> None:
    """Load a file: a commit conflicts once, the optimizers exist already, and some rows are quarantined."""
    catalog = tables.glue_catalog(app.session)
    try:
        known = catalog.load_table((app.deployed.taxi_database_name, f"{dataset}_trips"))
        known.transaction().set_properties({OPTIMIZERS_PROPERTY: "other settings"}).commit_transaction()
    except NoSuchTableError:
        pass
    app.aws.faults(
        {"action": "glue:UpdateTable", "error": "ConcurrentModificationException"},
        {"action": "glue:CreateTableOptimizer", "error": "AlreadyExistsException"},
    )
    (outcome,) = app.follow(app.send(path, folders={path.name: raw_folder(dataset)}))
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
    with loading_with_the_job(app):
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


def file_deleted_before_its_small_batch(app: App, folder: Path) -> None:
    """The function is invoked again after its file was deleted."""
    (outcome,) = app.upload(trip_file(folder, "2019-03"))
    bucket = outcome.version.bucket
    app.session.client("s3").delete_object(Bucket=bucket, Key=outcome.version.key)
    manifest = s3_uri(bucket, manifest_key(outcome.execution))
    answer = app.session.client("lambda").invoke(
        FunctionName=app.deployed.small_batch_function_name, Payload=json.dumps({"manifest": manifest})
    )
    assert "FunctionError" not in answer


def declined_small_batch(app: App, folder: Path) -> None:
    """The function declines a batch after it staged one of its files."""
    app.upload(trip_file(folder, "2019-04"), with_checksums(trip_file(folder, "2019-05")))


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
    conflicting_job_runs,
    conflicting_small_batches,
    replay_without_held_files,
    file_deleted_before_validation,
    file_deleted_before_its_small_batch,
    claim_started_by_the_reconciler,
    # The other end-to-end tests cover these too.
    two_crawls,
    stopped_execution,
    notification_by_the_finalizer,
    lost_end_event,
    declined_small_batch,
)
