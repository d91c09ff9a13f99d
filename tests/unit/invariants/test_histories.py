"""What happens to a file in histories worth telling? Each with its faults, and to the end."""

from collections.abc import Iterator

import pytest

from invariants import invariants
from invariants.fake_workflow import LAKE
from invariants.fault_schedule import InjectedFault, Plan
from invariants.simulated_account import SimulatedAccount, Upload
from taxi_etl.identity import source_id

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def world() -> Iterator[SimulatedAccount]:
    """An account in which nothing has happened."""
    world = SimulatedAccount()
    yield world
    world.close()


def settled(world: SimulatedAccount) -> None:
    """Let everything come to rest, and check every promise."""
    world.settle()
    invariants.check_all(world, told_twice=set())


def rows(world: SimulatedAccount, upload: Upload) -> list[str]:
    """The versions of a file whose rows are in the table."""
    return world.workflow.table.rows.get(source_id(LAKE, upload.key), [])


def running(world: SimulatedAccount) -> str:
    """The one execution that runs."""
    (name,) = world.workflow.running()
    return name


def validated(world: SimulatedAccount) -> str:
    """The one execution, up to where its job has looked for the first time."""
    name = running(world)
    world.workflow.advance(name)
    world.workflow.advance(name)
    return name


def test_one_message_ten_times_in_ten_batches_is_one_execution(world: SimulatedAccount) -> None:
    upload = world.upload("a")
    for _ in range(10):
        world.deliver([upload.message])

    settled(world)

    assert len(world.states.runs) == 1
    assert rows(world, upload) == [upload.version_id]


@pytest.mark.parametrize(
    "setback", [InjectedFault.KILLED_BEFORE, InjectedFault.KILLED_AFTER, InjectedFault.UNANSWERED]
)
@pytest.mark.parametrize("call", range(1, 5))
def test_a_start_that_breaks_off_at_any_call_is_made_whole_by_the_next_delivery(
    world: SimulatedAccount, setback: InjectedFault, call: int
) -> None:
    upload = world.upload("a")
    plan = Plan(setback, call)
    world.deliver(world.queue, plan)
    assert plan.done

    world.deliver(world.queue)

    assert len(world.states.runs) == 1
    settled(world)
    assert len(world.states.runs) == 1
    assert invariants.status(world, upload) == "loaded"


def test_a_claim_that_nobody_asks_for_again_is_started_by_the_sweep(world: SimulatedAccount) -> None:
    upload = world.upload("a", announce=False)
    world.start(upload, Plan(InjectedFault.KILLED_AFTER, 2))
    assert not world.states.runs

    settled(world)

    assert invariants.status(world, upload) == "loaded"


@pytest.mark.parametrize("call", range(1, 5))
def test_two_orchestrators_with_overlapping_batches_start_each_file_once(
    world: SimulatedAccount, call: int
) -> None:
    first, second, third = (world.upload(name) for name in "abc")
    rival = [second.message, third.message]
    plan = Plan(InjectedFault.MEANWHILE, call, lambda: world.deliver(rival))

    world.deliver([first.message, second.message], plan)
    settled(world)

    started = [run.input.count('"key"') for run in world.states.runs.values()]
    assert sum(started) == 3
    assert {invariants.status(world, each) for each in (first, second, third)} == {"loaded"}


def test_a_claim_whose_owner_died_is_not_taken_over_by_a_rival(world: SimulatedAccount) -> None:
    first, second = world.upload("a"), world.upload("b")
    died = Plan(InjectedFault.KILLED_AFTER, 2)
    plan = Plan(InjectedFault.MEANWHILE, 2, lambda: world.deliver([second.message], died))

    world.deliver([first.message, second.message], plan)

    assert sorted(run.input.count('"key"') for run in world.states.runs.values()) == [1, 1]
    settled(world)


def test_a_closer_that_comes_back_leaves_a_file_to_the_replay_that_has_it_now(
    world: SimulatedAccount,
) -> None:
    upload = world.upload("a")
    world.deliver(world.queue)
    world.lose_job(validated(world))
    # A closer describes the execution, reads the claim, takes the ending, writes the file: here it dies.
    world.tell(world.all_endings[0], Plan(InjectedFault.KILLED_AFTER, 4))
    files = [{"key": upload.key, "versionId": upload.version_id}]
    world.command(command="replay", bucket=LAKE, files=files)
    world.pass_time(minutes=2)

    world.tell(world.all_endings[0])

    assert invariants.status(world, upload) == "running"
    settled(world)
    assert invariants.status(world, upload) == "loaded"


@pytest.mark.parametrize("call", range(1, 7))
def test_two_closers_at_once_tell_once(world: SimulatedAccount, call: int) -> None:
    upload = world.upload("a")
    world.deliver(world.queue)
    name = validated(world)
    world.break_off(name, "ABORTED", job_stops=True)
    ending = world.all_endings[0]
    plan = Plan(InjectedFault.MEANWHILE, call, lambda: world.tell(ending))

    world.tell(ending, plan)

    assert plan.done
    settled(world)
    assert world.topic.told == [name]
    assert invariants.status(world, upload) == "failed"


def test_an_older_versions_event_after_the_newer_ones_changes_nothing(world: SimulatedAccount) -> None:
    older, newer = world.upload("a"), world.upload("a")
    world.deliver([newer.message])
    world.deliver([older.message])

    settled(world)

    assert invariants.status(world, older) == "superseded"
    assert rows(world, newer) == [newer.version_id]
    assert not world.topic.told


def test_a_file_uploaded_again_during_its_run_is_loaded_by_the_newer_run(world: SimulatedAccount) -> None:
    older = world.upload("a")
    world.deliver(world.queue)
    validated(world)
    newer = world.upload("a")

    settled(world)

    assert invariants.status(world, older) == "superseded"
    assert invariants.status(world, newer) == "loaded"
    assert rows(world, newer) == [newer.version_id]


def test_a_newer_version_that_commits_between_look_and_commit_stays(world: SimulatedAccount) -> None:
    older = world.upload("a")
    world.deliver(world.queue)
    first = validated(world)
    world.workflow.advance(first)
    newer = world.upload("a")
    world.deliver(world.queue)
    second = next(name for name in world.workflow.running() if name != first)
    for _ in range(6):
        if second in world.workflow.running():
            world.workflow.advance(second)

    settled(world)

    assert invariants.status(world, older) == "superseded"
    assert rows(world, newer) == [newer.version_id]


def test_a_file_deleted_during_its_run_has_failed_and_the_older_rows_stay(world: SimulatedAccount) -> None:
    older = world.upload("a")
    settled(world)
    newer = world.upload("a")
    world.deliver(world.queue)
    validated(world)
    world.delete("a")

    settled(world)

    assert invariants.status(world, newer) == "failed"
    assert rows(world, older) == [older.version_id]
    assert [outcome for _, outcome in world.workflow.told] == ["SUCCESS", "FAILED"]


@pytest.mark.parametrize("first", ["event", "start"])
def test_a_start_beside_the_event_is_one_execution(world: SimulatedAccount, first: str) -> None:
    upload = world.upload("a")
    if first == "event":
        world.deliver(world.queue)
        world.start(upload)
    else:
        world.start(upload)
        world.deliver(world.queue)

    settled(world)

    assert len(world.states.runs) == 1


def test_a_file_held_while_switched_off_is_loaded_once_by_replay_and_its_late_event(
    world: SimulatedAccount,
) -> None:
    world.switch(on=False)
    upload = world.upload("a")
    world.deliver(world.queue)
    settled(world)
    assert invariants.status(world, upload) == "held"
    world.switch(on=True)
    world.announce(upload)
    world.command(Plan(InjectedFault.MEANWHILE, 2, lambda: world.deliver(world.queue)), command="replay_held")

    settled(world)

    assert len(world.states.runs) == 1
    assert invariants.status(world, upload) == "loaded"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
@pytest.mark.parametrize("ending", ["told", "told twice", "lost"])
@pytest.mark.parametrize("committed", [False, True])
def test_an_ending_that_the_machine_cannot_tell_is_told_once(
    world: SimulatedAccount, status: str, ending: str, committed: bool
) -> None:
    """FAILED is a fault inside a Choice here; after the result is written, what was loaded stays loaded."""
    upload = world.upload("a")
    world.deliver(world.queue)
    name = validated(world)
    for _ in range(3 if committed else 1):
        world.workflow.advance(name)
    world.break_off(name, status, job_stops=True)
    if ending == "lost":
        world.endings.clear()
    if ending == "told twice":
        world.tell(world.all_endings[0])
        world.tell(world.all_endings[0])

    settled(world)

    assert world.topic.told == [name]
    assert invariants.status(world, upload) == ("loaded" if committed else "failed")


def test_an_execution_started_in_the_console_is_closed_also_when_its_ending_is_lost(
    world: SimulatedAccount,
) -> None:
    upload = world.upload("a", announce=False)
    world.start_in_console(upload.key)
    name = validated(world)
    world.break_off(name, "ABORTED", job_stops=True)
    world.endings.clear()

    settled(world)

    assert world.topic.told == [name]
    assert invariants.status(world, upload) == "failed"


def test_an_ending_that_is_told_after_a_redrive_is_not_taken_for_the_new_one(world: SimulatedAccount) -> None:
    upload = world.upload("a")
    world.deliver(world.queue)
    name = validated(world)
    world.break_off(name, "TIMED_OUT", job_stops=True)
    world.workflow.redrive(name)
    world.tell(world.all_endings[0])

    settled(world)

    assert world.states.runs[name].status == "SUCCEEDED"
    assert invariants.status(world, upload) == "loaded"


def test_a_redrive_whose_ending_is_lost_is_found_in_the_list_of_executions(world: SimulatedAccount) -> None:
    upload = world.upload("a")
    world.deliver(world.queue)
    name = validated(world)
    world.break_off(name, "TIMED_OUT", job_stops=True)
    settled(world)
    world.workflow.redrive(name)
    while world.workflow.running():
        world.workflow.advance(name)
    world.endings.clear()

    settled(world)

    assert invariants.status(world, upload) == "loaded"
    assert world.topic.told == [name]
