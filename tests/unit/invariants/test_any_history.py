"""Test that the invariants hold after histories of uploads, faults and endings that Hypothesis draws.

The examples are the same in every run, so that a failure can be reproduced. To draw other examples, run
`INVARIANTS_EXAMPLES=20000 pytest tests/unit/invariants/test_any_history.py`. A failure is printed as the
shortest list of calls that fails; fix it, and add the list to `test_histories.py` as a test.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from invariants import invariants
from invariants.fault_schedule import InjectedFault, PlannedFault
from invariants.simulated_account import SimulatedAccount

EXAMPLES = 120
STEPS = 40
NAMES = st.sampled_from("ab")
KINDS = st.sampled_from(("good", "good", "good", "poison", "unknown"))
PLACES = st.integers(0, 20)
CALLS = st.integers(1, 12)
ACTIONS = st.sampled_from(
    ("deliver", "deliver backwards", "endings", "reconcile", "start", "advance", "end", "upload")
)
FAULTS = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(tuple(InjectedFault)), CALLS, ACTIONS),
)
Drawn = tuple[InjectedFault, int, str] | None


class AnyHistory(RuleBasedStateMachine):
    """The actions of users, AWS and faults, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.account = SimulatedAccount()
        self.repeatable: set[str] = set()

    @rule(name=NAMES, kind=KINDS)
    def upload(self, name: str, kind: str) -> None:
        self.account.upload(name, kind)

    @precondition(lambda self: self.account.uploads)
    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if ("lake", f"raw/taxi/{name}.csv") in self.account.s3.objects:
            self.account.delete(name)

    @precondition(lambda self: self.account.uploads)
    @rule(place=PLACES)
    def announce_again(self, place: int) -> None:
        self.account.announce_again(_at(self.account.uploads, place))

    @precondition(lambda self: self.account.queue)
    @rule(order=st.randoms(use_true_random=False), number=st.integers(1, 6), drawn=FAULTS)
    def deliver(self, order: Any, number: int, drawn: Drawn) -> None:
        messages = list(self.account.queue)
        order.shuffle(messages)
        self.account.deliver(messages[:number], self._planned_fault(drawn))

    @precondition(lambda self: self.account.workflow.running())
    @rule(place=PLACES, steps=st.integers(1, 6))
    def advance(self, place: int, steps: int) -> None:
        name = _at(self.account.workflow.running(), place)
        for _ in range(steps):
            if name in self.account.workflow.running():
                self.account.workflow.advance(name)

    @precondition(lambda self: self.account.workflow.detached_jobs())
    @rule(place=PLACES)
    def advance_detached_job(self, place: int) -> None:
        self.account.workflow.advance(_at(self.account.workflow.detached_jobs(), place))

    @precondition(lambda self: self.account.workflow.running())
    @rule(place=PLACES, status=st.sampled_from(("FAILED", "TIMED_OUT", "ABORTED")), job_stops=st.booleans())
    def interrupt(self, place: int, status: str, job_stops: bool) -> None:
        self.account.interrupt(_at(self.account.workflow.running(), place), status, job_stops=job_stops)

    @precondition(lambda self: self.account.workflow.running())
    @rule(place=PLACES)
    def kill_job(self, place: int) -> None:
        self.account.kill_job(_at(self.account.workflow.running(), place))

    @rule(topic_fails=st.booleans())
    def switch_topic(self, topic_fails: bool) -> None:
        self.account.workflow.topic_fails = topic_fails

    @precondition(lambda self: self.account.endings)
    @rule(place=PLACES, drawn=FAULTS)
    def deliver_ending(self, place: int, drawn: Drawn) -> None:
        ending = _at(self.account.endings, place)
        planned = self._planned_fault(drawn)
        self.account.deliver_ending(ending, planned)
        self._note_repeatable(planned, {ending["name"]})

    @precondition(lambda self: self.account.all_endings)
    @rule(place=PLACES)
    def deliver_ending_again(self, place: int) -> None:
        self.account.deliver_ending(_at(self.account.all_endings, place))

    @precondition(lambda self: self.account.endings)
    @rule(place=PLACES)
    def lose_ending(self, place: int) -> None:
        self.account.endings.remove(_at(self.account.endings, place))

    @rule(minutes=st.sampled_from((0, 1, 20)), drawn=FAULTS)
    def reconcile(self, minutes: int, drawn: Drawn) -> None:
        self.account.pass_time(minutes=minutes)
        planned = self._planned_fault(drawn)
        self.account.reconcile(planned)
        self._note_repeatable(planned, set(self.account.states.executions))

    @precondition(lambda self: self.account.uploads)
    @rule(place=PLACES, drawn=FAULTS)
    def start(self, place: int, drawn: Drawn) -> None:
        self.account.start(_at(self.account.uploads, place), self._planned_fault(drawn))

    @precondition(lambda self: self.account.uploads)
    @rule(place=PLACES)
    def start_in_console(self, place: int) -> None:
        self.account.start_in_console(_at(self.account.uploads, place).key)

    @precondition(lambda self: self.account.uploads)
    @rule(place=PLACES, drawn=FAULTS)
    def replay_file(self, place: int, drawn: Drawn) -> None:
        upload = _at(self.account.uploads, place)
        files = [{"key": upload.key, "versionId": upload.version_id}]
        self.account.command(self._planned_fault(drawn), command="replay", bucket="lake", files=files)

    @precondition(lambda self: self._recorded_executions())
    @rule(place=PLACES, drawn=FAULTS)
    def replay_execution(self, place: int, drawn: Drawn) -> None:
        self._replay(_at(self._recorded_executions(), place), self._planned_fault(drawn))

    @rule(drawn=FAULTS)
    def replay_held(self, drawn: Drawn) -> None:
        self.account.command(self._planned_fault(drawn), command="replay_held")

    @precondition(lambda self: self._redrivable())
    @rule(place=PLACES)
    def redrive(self, place: int) -> None:
        self.account.workflow.redrive(_at(self._redrivable(), place))

    @rule(on=st.booleans())
    def switch_orchestration(self, on: bool) -> None:
        self.account.switch_orchestration(on=on)

    def teardown(self) -> None:
        account = self.account
        try:
            account.workflow.topic_fails = False
            account.settle()
            invariants.check_all(account, self.repeatable)
            self._replay_everything()
            invariants.check_every_version_has_an_end(account)
            invariants.check_rows(account)
            invariants.check_all_current_are_loaded(account)
        finally:
            account.close()

    def _replay_everything(self) -> None:
        """Replay all held and failed files, without faults."""
        account = self.account
        account.switch_orchestration(on=True)
        account.command(command="replay_held")
        account.settle()
        for upload in account.uploads:
            if invariants.status(account, upload) == "failed":
                files = [{"key": upload.key, "versionId": upload.version_id}]
                account.command(command="replay", bucket="lake", files=files)
        account.settle()

    def _planned_fault(self, drawn: Drawn) -> PlannedFault | None:
        if drawn is None:
            return None
        fault, at, action = drawn
        return PlannedFault(fault, at, lambda: self._act(action))

    def _act(self, action: str) -> None:
        """Run the action of another actor during a function's call."""
        account = self.account
        running = account.workflow.running()
        actions: dict[str, Callable[[], Any]] = {
            "deliver": lambda: account.queue and account.deliver(account.queue),
            "deliver backwards": lambda: account.queue and account.deliver(account.queue[::-1]),
            "endings": lambda: [account.deliver_ending(ending) for ending in list(account.endings)],
            "reconcile": account.reconcile,
            "start": lambda: account.uploads and account.start(account.uploads[-1]),
            "advance": lambda: [account.workflow.advance(name) for name in running],
            "end": lambda: running and account.interrupt(running[0], "ABORTED", job_stops=True),
            "upload": lambda: account.upload("a"),
        }
        actions[action]()

    def _note_repeatable(self, planned: PlannedFault | None, names: set[str]) -> None:
        """Note the executions that a finalizer with a fault may publish more than once."""
        if planned and planned.done and planned.fault is not InjectedFault.CONCURRENT_ACTION:
            self.repeatable |= names

    def _recorded_executions(self) -> list[str]:
        return sorted(
            item["execution"] for item in self.account.ledger.items.values() if item["sk"] == "execution"
        )

    def _replay(self, name: str, planned: PlannedFault | None) -> None:
        answer = self.account.command(planned, command="replay", execution=name)
        if answer and "refused" in answer:
            # Validation did not complete the input of an execution that was started in the console.
            assert "has no file version of" in answer["refused"]

    def _redrivable(self) -> list[str]:
        return [
            name
            for name, execution in self.account.states.executions.items()
            if execution.status in ("FAILED", "TIMED_OUT", "ABORTED")
        ]


def _at(options: list[Any], place: int) -> Any:
    return options[place % len(options)]


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_the_invariants_hold_after_any_history() -> None:
    examples = os.environ.get("INVARIANTS_EXAMPLES")
    run_state_machine_as_test(
        AnyHistory,
        settings=settings(
            max_examples=int(examples) if examples else EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=examples is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
