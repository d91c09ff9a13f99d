"""Tests of selected histories with faults and races, each run until the account settles."""

from collections.abc import Iterator

import pytest

from invariants import invariants
from invariants.fake_workflow import LAKE
from invariants.fault_schedule import InjectedFault, PlannedFault
from invariants.simulated_account import SimulatedAccount, Upload
from taxi_etl.identity import source_id

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def account() -> Iterator[SimulatedAccount]:
    """An empty account."""
    account = SimulatedAccount()
    yield account
    account.close()


def settle_and_check(account: SimulatedAccount) -> None:
    """Let the account settle, and check all invariants."""
    account.settle()
    invariants.check_all(account, repeatable=set())


def rows(account: SimulatedAccount, upload: Upload) -> list[str]:
    """Return the versions of a file that have rows in the table."""
    return account.workflow.table.rows.get(source_id(LAKE, upload.key), [])


def running(account: SimulatedAccount) -> str:
    """Return the only running execution."""
    (name,) = account.workflow.running()
    return name


def start_job(account: SimulatedAccount) -> str:
    """Advance the only running execution until its job has read the current versions."""
    name = running(account)
    account.workflow.advance(name)
    account.workflow.advance(name)
    return name


def test_one_message_delivered_ten_times_is_one_execution(account: SimulatedAccount) -> None:
    upload = account.upload("a")
    for _ in range(10):
        account.deliver([upload.message])

    settle_and_check(account)

    assert len(account.states.executions) == 1
    assert rows(account, upload) == [upload.version_id]


@pytest.mark.parametrize(
    "fault", [InjectedFault.KILLED_BEFORE, InjectedFault.KILLED_AFTER, InjectedFault.RESPONSE_LOST]
)
@pytest.mark.parametrize("call", range(1, 5))
def test_a_start_interrupted_at_any_call_is_completed_by_the_next_delivery(
    account: SimulatedAccount, fault: InjectedFault, call: int
) -> None:
    upload = account.upload("a")
    planned = PlannedFault(fault, call)
    account.deliver(account.queue, planned)
    assert planned.done

    account.deliver(account.queue)

    assert len(account.states.executions) == 1
    settle_and_check(account)
    assert len(account.states.executions) == 1
    assert invariants.status(account, upload) == "loaded"


def test_a_claim_without_another_delivery_is_started_by_the_reconciler(account: SimulatedAccount) -> None:
    upload = account.upload("a", announce=False)
    account.start(upload, PlannedFault(InjectedFault.KILLED_AFTER, 2))
    assert not account.states.executions

    settle_and_check(account)

    assert invariants.status(account, upload) == "loaded"


@pytest.mark.parametrize("call", range(1, 5))
def test_two_orchestrators_with_overlapping_batches_start_each_file_once(
    account: SimulatedAccount, call: int
) -> None:
    first, second, third = (account.upload(name) for name in "abc")
    other_batch = [second.message, third.message]
    planned = PlannedFault(InjectedFault.CONCURRENT_ACTION, call, lambda: account.deliver(other_batch))

    account.deliver([first.message, second.message], planned)
    settle_and_check(account)

    started = [execution.input.count('"key"') for execution in account.states.executions.values()]
    assert sum(started) == 3
    assert {invariants.status(account, each) for each in (first, second, third)} == {"loaded"}


def test_a_claim_whose_orchestrator_died_is_not_taken_over(account: SimulatedAccount) -> None:
    first, second = account.upload("a"), account.upload("b")
    died = PlannedFault(InjectedFault.KILLED_AFTER, 2)
    planned = PlannedFault(
        InjectedFault.CONCURRENT_ACTION, 2, lambda: account.deliver([second.message], died)
    )

    account.deliver([first.message, second.message], planned)

    assert sorted(execution.input.count('"key"') for execution in account.states.executions.values()) == [
        1,
        1,
    ]
    settle_and_check(account)


def test_a_repeated_ending_leaves_a_file_to_the_replay_that_owns_it_now(
    account: SimulatedAccount,
) -> None:
    upload = account.upload("a")
    account.deliver(account.queue)
    account.kill_job(start_job(account))
    # The finalizer describes the execution, reads the claim, acquires the lease and records the file.
    account.deliver_ending(account.all_endings[0], PlannedFault(InjectedFault.KILLED_AFTER, 4))
    files = [{"key": upload.key, "versionId": upload.version_id}]
    account.command(command="replay", bucket=LAKE, files=files)
    account.pass_time(minutes=2)

    account.deliver_ending(account.all_endings[0])

    assert invariants.status(account, upload) == "running"
    settle_and_check(account)
    assert invariants.status(account, upload) == "loaded"


@pytest.mark.parametrize("call", range(1, 7))
def test_two_concurrent_finalizers_publish_once(account: SimulatedAccount, call: int) -> None:
    upload = account.upload("a")
    account.deliver(account.queue)
    name = start_job(account)
    account.interrupt(name, "ABORTED", job_stops=True)
    ending = account.all_endings[0]
    planned = PlannedFault(InjectedFault.CONCURRENT_ACTION, call, lambda: account.deliver_ending(ending))

    account.deliver_ending(ending, planned)

    assert planned.done
    settle_and_check(account)
    assert account.topic.published == [name]
    assert invariants.status(account, upload) == "failed"


def test_an_older_versions_late_event_changes_nothing(account: SimulatedAccount) -> None:
    older, newer = account.upload("a"), account.upload("a")
    account.deliver([newer.message])
    account.deliver([older.message])

    settle_and_check(account)

    assert invariants.status(account, older) == "superseded"
    assert rows(account, newer) == [newer.version_id]
    assert not account.topic.published


def test_a_file_uploaded_again_during_its_job_run_is_loaded_by_the_newer_one(
    account: SimulatedAccount,
) -> None:
    older = account.upload("a")
    account.deliver(account.queue)
    start_job(account)
    newer = account.upload("a")

    settle_and_check(account)

    assert invariants.status(account, older) == "superseded"
    assert invariants.status(account, newer) == "loaded"
    assert rows(account, newer) == [newer.version_id]


def test_a_newer_version_committed_between_read_and_commit_stays(account: SimulatedAccount) -> None:
    older = account.upload("a")
    account.deliver(account.queue)
    first = start_job(account)
    account.workflow.advance(first)
    newer = account.upload("a")
    account.deliver(account.queue)
    second = next(name for name in account.workflow.running() if name != first)
    for _ in range(6):
        if second in account.workflow.running():
            account.workflow.advance(second)

    settle_and_check(account)

    assert invariants.status(account, older) == "superseded"
    assert rows(account, newer) == [newer.version_id]


def test_a_file_deleted_during_its_job_run_fails_and_its_older_rows_stay(account: SimulatedAccount) -> None:
    older = account.upload("a")
    settle_and_check(account)
    newer = account.upload("a")
    account.deliver(account.queue)
    start_job(account)
    account.delete("a")

    settle_and_check(account)

    assert invariants.status(account, newer) == "failed"
    assert rows(account, older) == [older.version_id]
    assert [outcome for _, outcome in account.workflow.published] == ["SUCCESS", "FAILED"]


@pytest.mark.parametrize("first", ["event", "start"])
def test_a_manual_start_and_the_event_are_one_execution(account: SimulatedAccount, first: str) -> None:
    upload = account.upload("a")
    if first == "event":
        account.deliver(account.queue)
        account.start(upload)
    else:
        account.start(upload)
        account.deliver(account.queue)

    settle_and_check(account)

    assert len(account.states.executions) == 1


def test_a_held_file_is_loaded_once_by_a_replay_and_its_late_event(
    account: SimulatedAccount,
) -> None:
    account.switch_orchestration(on=False)
    upload = account.upload("a")
    account.deliver(account.queue)
    settle_and_check(account)
    assert invariants.status(account, upload) == "held"
    account.switch_orchestration(on=True)
    account.announce_again(upload)
    account.command(
        PlannedFault(InjectedFault.CONCURRENT_ACTION, 2, lambda: account.deliver(account.queue)),
        command="replay_held",
    )

    settle_and_check(account)

    assert len(account.states.executions) == 1
    assert invariants.status(account, upload) == "loaded"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
@pytest.mark.parametrize("ending", ["delivered", "delivered twice", "lost"])
@pytest.mark.parametrize("committed", [False, True])
def test_an_ending_that_the_workflow_cannot_publish_is_published_once(
    account: SimulatedAccount, status: str, ending: str, committed: bool
) -> None:
    """FAILED is an error in a Choice state here; a file whose result was written stays loaded."""
    upload = account.upload("a")
    account.deliver(account.queue)
    name = start_job(account)
    for _ in range(3 if committed else 1):
        account.workflow.advance(name)
    account.interrupt(name, status, job_stops=True)
    if ending == "lost":
        account.endings.clear()
    if ending == "delivered twice":
        account.deliver_ending(account.all_endings[0])
        account.deliver_ending(account.all_endings[0])

    settle_and_check(account)

    assert account.topic.published == [name]
    assert invariants.status(account, upload) == ("loaded" if committed else "failed")


def test_an_execution_started_in_the_console_is_closed_although_its_ending_is_lost(
    account: SimulatedAccount,
) -> None:
    upload = account.upload("a", announce=False)
    account.start_in_console(upload.key)
    name = start_job(account)
    account.interrupt(name, "ABORTED", job_stops=True)
    account.endings.clear()

    settle_and_check(account)

    assert account.topic.published == [name]
    assert invariants.status(account, upload) == "failed"


def test_an_ending_delivered_after_a_redrive_does_not_close_the_execution(
    account: SimulatedAccount,
) -> None:
    upload = account.upload("a")
    account.deliver(account.queue)
    name = start_job(account)
    account.interrupt(name, "TIMED_OUT", job_stops=True)
    account.workflow.redrive(name)
    account.deliver_ending(account.all_endings[0])

    settle_and_check(account)

    assert account.states.executions[name].status == "SUCCEEDED"
    assert invariants.status(account, upload) == "loaded"


def test_a_redrive_whose_ending_is_lost_is_found_by_the_reconciler(account: SimulatedAccount) -> None:
    upload = account.upload("a")
    account.deliver(account.queue)
    name = start_job(account)
    account.interrupt(name, "TIMED_OUT", job_stops=True)
    settle_and_check(account)
    account.workflow.redrive(name)
    while account.workflow.running():
        account.workflow.advance(name)
    account.endings.clear()

    settle_and_check(account)

    assert invariants.status(account, upload) == "loaded"
    assert account.topic.published == [name]
