"""What must happen so that every right of every role is needed once? Stories, each leaves the app well.

Most rights are used by any upload; here is also what seldom happens: a commit that another writer beat, an
execution that was stopped, a message that could not be sent, a file that was gone.
"""

from collections.abc import Callable
from pathlib import Path

from pyiceberg.exceptions import NoSuchTableError

from ops import tables
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY
from tests.e2e.app_controls import broken, deliver_events, new_run, sweeping_at_once, trips
from tests.e2e.conftest import App, eventually

Story = Callable[[App, Path], None]


def a_load_that_others_get_in_the_way_of(app: App, folder: Path) -> None:
    """Another writer is quicker once, another run has made the table's optimizers, and some rows are held."""
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
    (outcome,) = app.upload(trips(folder, "2019-01", "green", dirty_share=0.1))
    assert (outcome.status, app.aws.fault_counts()) == ("loaded", [1, 1])
    app.aws.faults()


def two_crawls(app: App, _folder: Path) -> None:
    """What the first finds is new, or not; the second finds it again."""
    glue = app.session.client("glue")

    def state() -> str:
        return str(glue.get_crawler(Name=app.deployed.crawler_name)["Crawler"]["State"])

    for _ in range(2):
        eventually(lambda: state() == "READY", "a crawler at rest")
        glue.start_crawler(Name=app.deployed.crawler_name)
    eventually(lambda: state() == "READY", "a crawler at rest")


def a_stopped_execution(app: App, folder: Path) -> None:
    """Its job run is stopped with it, and leaves no result for the closer to read."""
    app.aws.settings(hold_job_runs=True)
    (version,) = app.send(trips(folder, "2019-02"))
    new_run(app, "STARTING")
    states = app.session.client("stepfunctions")
    found = states.list_executions(stateMachineArn=app.deployed.state_machine_arn, statusFilter="RUNNING")
    states.stop_execution(executionArn=found["executions"][0]["executionArn"])
    new_run(app, "STOPPED")
    app.aws.settings(hold_job_runs=False)
    (outcome,) = app.follow([version])
    assert outcome.status == "failed"


def a_message_that_only_the_closer_can_send(app: App, folder: Path) -> None:
    """The workflow's five attempts to publish fail."""
    app.aws.wait_scale(0)
    app.aws.faults({"action": "sns:Publish", "error": "InternalError", "status": 500, "times": 5})
    (outcome,) = app.upload(broken(folder, "green_tripdata_2019-03.csv.gz"))
    (message,) = app.messages(outcome.execution)
    assert message["error"]["Error"] == "NotificationFailed"
    app.aws.wait_scale(1)


def a_claim_that_nobody_started(app: App, folder: Path) -> None:
    """A replay is throttled for so long that only the sweep starts it."""
    (rejected,) = app.upload(broken(folder, "green_tripdata_2019-04.csv.gz"))
    app.aws.faults({"action": "states:StartExecution", "error": "ThrottlingException", "times": 4})
    assert app.command("replay", "--execution", rejected.execution)[0] == 1
    with sweeping_at_once(app):
        app.session.client("lambda").invoke(
            FunctionName=app.deployed.close_function_name, Payload=b'{"sweep": true}'
        )
    (outcome,) = app.follow([rejected.version])
    assert outcome.execution.startswith(f"{rejected.execution}-2-")


def a_question_for_files_on_hold(app: App, _folder: Path) -> None:
    """There are none."""
    code, document = app.command("replay", "--held")
    assert (code, "nothing was waiting" in document["error"]) == (1, True)


def a_file_that_is_gone_before_anyone_looks(app: App, folder: Path) -> None:
    """It is deleted while its event waits."""
    deliver_events(app, enabled=False)
    (version,) = app.send(broken(folder, "green_tripdata_2019-05.csv.gz"))
    app.session.client("s3").delete_object(Bucket=version.bucket, Key=version.key)
    deliver_events(app, enabled=True)
    (outcome,) = app.follow([version])
    assert outcome.reasons[0].startswith("not_found")


def an_ending_that_the_closer_never_heard_of(app: App, folder: Path) -> None:
    """It dies of it three times; the event is kept, and the sweep closes the execution."""
    name = app.deployed.close_function_name
    app.aws.faults({"action": "states:DescribeExecution", "kills": name, "times": 3})
    versions = app.send(broken(folder, "green_tripdata_2019-06.csv.gz"))
    eventually(lambda: app.pending()["closer, dead letters"] == 1, "the ending's event given up")
    with sweeping_at_once(app):
        app.session.client("lambda").invoke(FunctionName=name, Payload=b'{"sweep": true}')
    assert [outcome.status for outcome in app.follow(versions)] == ["rejected"]
    app.session.client("sqs").purge_queue(QueueUrl=app.deployed.close_dead_letter_queue_url)


STORIES: tuple[Story, ...] = (
    a_load_that_others_get_in_the_way_of,
    a_question_for_files_on_hold,
    a_file_that_is_gone_before_anyone_looks,
    a_claim_that_nobody_started,
    # What the other end-to-end tests tell too.
    two_crawls,
    a_stopped_execution,
    a_message_that_only_the_closer_can_send,
    an_ending_that_the_closer_never_heard_of,
)
