"""Do the promises hold after any history? Hypothesis draws uploads, faults, endings and their order.

The examples are the same in every run, so that a red build can be reproduced. To look for more, run
`PROMISES_EXAMPLES=20000 pytest tests/unit/invariants/test_any_history.py`: that many, others each time. What it
finds is printed as a list of calls, the shortest that fails: mend it, and keep it as a test beside those of
`test_histories.py`.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from invariants import invariants
from invariants.fault_schedule import InjectedFault, Plan
from invariants.simulated_account import SimulatedAccount
from lambdas.etl_orchestrator.commands import CommandError

EXAMPLES = 120
STEPS = 40
NAMES = st.sampled_from("ab")
KINDS = st.sampled_from(("good", "good", "good", "poison", "unknown"))
PLACES = st.integers(0, 20)
CALLS = st.integers(1, 12)
MEANWHILE = st.sampled_from(
    ("deliver", "deliver backwards", "tell", "sweep", "start", "advance", "end", "upload")
)
SETBACKS = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(tuple(InjectedFault)), CALLS, MEANWHILE),
)
Drawn = tuple[InjectedFault, int, str] | None


class AnyHistory(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = SimulatedAccount()
        self.told_twice: set[str] = set()

    @rule(name=NAMES, kind=KINDS)
    def upload(self, name: str, kind: str) -> None:
        self.world.upload(name, kind)

    @precondition(lambda self: self.world.uploads)
    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if ("lake", f"raw/taxi/{name}.csv") in self.world.s3.objects:
            self.world.delete(name)

    @precondition(lambda self: self.world.uploads)
    @rule(place=PLACES)
    def announce_again(self, place: int) -> None:
        self.world.announce(_at(self.world.uploads, place))

    @precondition(lambda self: self.world.queue)
    @rule(order=st.randoms(use_true_random=False), number=st.integers(1, 6), drawn=SETBACKS)
    def deliver(self, order: Any, number: int, drawn: Drawn) -> None:
        messages = list(self.world.queue)
        order.shuffle(messages)
        self.world.deliver(messages[:number], self._plan(drawn))

    @precondition(lambda self: self.world.workflow.running())
    @rule(place=PLACES, steps=st.integers(1, 6))
    def advance(self, place: int, steps: int) -> None:
        name = _at(self.world.workflow.running(), place)
        for _ in range(steps):
            if name in self.world.workflow.running():
                self.world.workflow.advance(name)

    @precondition(lambda self: self.world.workflow.jobs_left_behind())
    @rule(place=PLACES)
    def a_job_left_behind_goes_on(self, place: int) -> None:
        self.world.workflow.advance(_at(self.world.workflow.jobs_left_behind(), place))

    @precondition(lambda self: self.world.workflow.running())
    @rule(place=PLACES, status=st.sampled_from(("FAILED", "TIMED_OUT", "ABORTED")), job_stops=st.booleans())
    def break_off(self, place: int, status: str, job_stops: bool) -> None:
        self.world.break_off(_at(self.world.workflow.running(), place), status, job_stops=job_stops)

    @precondition(lambda self: self.world.workflow.running())
    @rule(place=PLACES)
    def lose_job(self, place: int) -> None:
        self.world.lose_job(_at(self.world.workflow.running(), place))

    @rule(deaf=st.booleans())
    def the_topic_fails_or_works(self, deaf: bool) -> None:
        self.world.workflow.deaf = deaf

    @precondition(lambda self: self.world.endings)
    @rule(place=PLACES, drawn=SETBACKS)
    def tell(self, place: int, drawn: Drawn) -> None:
        ending = _at(self.world.endings, place)
        plan = self._plan(drawn)
        self.world.tell(ending, plan)
        self._note(plan, {ending["name"]})

    @precondition(lambda self: self.world.all_endings)
    @rule(place=PLACES)
    def tell_again(self, place: int) -> None:
        self.world.tell(_at(self.world.all_endings, place))

    @precondition(lambda self: self.world.endings)
    @rule(place=PLACES)
    def lose_ending(self, place: int) -> None:
        self.world.endings.remove(_at(self.world.endings, place))

    @rule(minutes=st.sampled_from((0, 1, 20)), drawn=SETBACKS)
    def sweep(self, minutes: int, drawn: Drawn) -> None:
        self.world.pass_time(minutes=minutes)
        plan = self._plan(drawn)
        self.world.sweep(plan)
        self._note(plan, set(self.world.states.runs))

    @precondition(lambda self: self.world.uploads)
    @rule(place=PLACES, drawn=SETBACKS)
    def start(self, place: int, drawn: Drawn) -> None:
        self.world.start(_at(self.world.uploads, place), self._plan(drawn))

    @precondition(lambda self: self.world.uploads)
    @rule(place=PLACES)
    def start_in_console(self, place: int) -> None:
        self.world.start_in_console(_at(self.world.uploads, place).key)

    @precondition(lambda self: self.world.uploads)
    @rule(place=PLACES, drawn=SETBACKS)
    def replay_file(self, place: int, drawn: Drawn) -> None:
        upload = _at(self.world.uploads, place)
        files = [{"key": upload.key, "versionId": upload.version_id}]
        self.world.command(self._plan(drawn), command="replay", bucket="lake", files=files)

    @precondition(lambda self: self._on_record())
    @rule(place=PLACES, drawn=SETBACKS)
    def replay_execution(self, place: int, drawn: Drawn) -> None:
        self._replay(_at(self._on_record(), place), self._plan(drawn))

    @rule(drawn=SETBACKS)
    def replay_held(self, drawn: Drawn) -> None:
        self.world.command(self._plan(drawn), command="replay_held")

    @precondition(lambda self: self._redrivable())
    @rule(place=PLACES)
    def redrive(self, place: int) -> None:
        self.world.workflow.redrive(_at(self._redrivable(), place))

    @rule(on=st.booleans())
    def switch(self, on: bool) -> None:
        self.world.switch(on=on)

    def teardown(self) -> None:
        world = self.world
        try:
            world.workflow.deaf = False
            world.settle()
            invariants.check_all(world, self.told_twice)
            self._mend()
            invariants.check_every_version_has_an_end(world)
            invariants.check_rows(world)
            invariants.check_all_current_are_loaded(world)
        finally:
            world.close()

    def _mend(self) -> None:
        """The cause of every failure is gone: what was held is started, what failed is replayed."""
        world = self.world
        world.switch(on=True)
        world.command(command="replay_held")
        world.settle()
        for upload in world.uploads:
            if invariants.status(world, upload) == "failed":
                files = [{"key": upload.key, "versionId": upload.version_id}]
                world.command(command="replay", bucket="lake", files=files)
        world.settle()

    def _plan(self, drawn: Drawn) -> Plan | None:
        if drawn is None:
            return None
        setback, at, meanwhile = drawn
        return Plan(setback, at, lambda: self._act(meanwhile))

    def _act(self, what: str) -> None:
        """What others do while a function stands still."""
        world = self.world
        running = world.workflow.running()
        acts: dict[str, Callable[[], Any]] = {
            "deliver": lambda: world.queue and world.deliver(world.queue),
            "deliver backwards": lambda: world.queue and world.deliver(world.queue[::-1]),
            "tell": lambda: [world.tell(ending) for ending in list(world.endings)],
            "sweep": world.sweep,
            "start": lambda: world.uploads and world.start(world.uploads[-1]),
            "advance": lambda: [world.workflow.advance(name) for name in running],
            "end": lambda: running and world.break_off(running[0], "ABORTED", job_stops=True),
            "upload": lambda: world.upload("a"),
        }
        acts[what]()

    def _note(self, plan: Plan | None, names: set[str]) -> None:
        """A closer that died over its telling, or whose telling got no answer, may tell twice."""
        if plan and plan.done and plan.setback is not InjectedFault.MEANWHILE:
            self.told_twice |= names

    def _on_record(self) -> list[str]:
        return sorted(
            item["execution"] for item in self.world.ledger.items.values() if item["sk"] == "execution"
        )

    def _replay(self, name: str, plan: Plan | None) -> None:
        try:
            self.world.command(plan, command="replay", execution=name)
        except CommandError as refusal:
            # Validation never saw the file of an execution started by hand: nobody knows its version.
            assert "has no file version of" in str(refusal)

    def _redrivable(self) -> list[str]:
        return [
            name
            for name, run in self.world.states.runs.items()
            if run.status in ("FAILED", "TIMED_OUT", "ABORTED")
        ]


def _at(options: list[Any], place: int) -> Any:
    return options[place % len(options)]


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_the_promises_hold_after_any_history() -> None:
    more = os.environ.get("PROMISES_EXAMPLES")
    run_state_machine_as_test(
        AnyHistory,
        settings=settings(
            max_examples=int(more) if more else EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=more is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
