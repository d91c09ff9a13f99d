"""What is the world of these histories made of? A bucket, a queue, the real functions, and time.

Uploads announce themselves in the queue; the queue gives its messages to etl-orchestrator until it is done
with them; executions end and tell etl-close-execution, or do not; a schedule makes it sweep.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from fakes.dynamodb import Table
from fakes.s3 import Buckets
from fakes.step_functions import EXECUTION, MACHINE, Run, StepFunctions

from invariants.fake_workflow import LAKE, POISON, Workflow
from invariants.fault_schedule import Killed, Line, Plan
from lambdas import clients
from lambdas.close_execution import handler as closer
from lambdas.close_execution.reconciler import ReconcileError
from lambdas.etl_orchestrator import dispatch
from lambdas.etl_orchestrator import handler as orchestrator
from lambdas.etl_orchestrator.commands import CommandError
from lambdas.observability import logger
from lambdas.validate_input import handler as validator
from taxi_etl.function_settings import FinalizerSettings, OrchestratorSettings, ValidatorSettings

HEADER = (
    b"VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,PULocationID,DOLocationID,trip_distance,"
    b"fare_amount,total_amount\n"
)
CONTENT = {"good": HEADER, "poison": HEADER + POISON, "unknown": b"station,temperature\n"}
SWEEP_AFTER = timedelta(minutes=15)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications"
ENVIRONMENT = {
    **OrchestratorSettings(
        MACHINE, True, "ledger", batch_max_files=3, batch_max_bytes=10**9
    ).to_environment(),
    **ValidatorSettings(runs_bucket=LAKE, max_file_bytes=10**9).to_environment(),
    **FinalizerSettings(
        MACHINE, "ledger", LAKE, TOPIC, int(SWEEP_AFTER.total_seconds()), "taxi-etl"
    ).to_environment(),
}
FAULTS = (ClientError, BotoCoreError, ReconcileError, CommandError, LookupError)
"""How an invocation may fail that met a setback."""


@dataclass(frozen=True)
class Context:
    """An invocation of Lambda with a minute to live."""

    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:function"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass(frozen=True)
class Upload:
    """One version that was uploaded, and what it holds."""

    key: str
    version_id: str
    kind: str
    message: dict[str, str]


class Topic:
    """SNS: which executions the closer has told of."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def publish(self, **arguments: Any) -> dict[str, str]:
        message = json.loads(arguments["Message"])
        self.told.append(message["workflowExecutionId"].removeprefix(f"{EXECUTION}:"))
        return {"MessageId": str(len(self.told))}


class SimulatedAccount:
    """An account in which things happen; each takes a second."""

    def __init__(self, batch_max_files: int = 3) -> None:
        self.now = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
        self.line, self.ledger, self.s3, self.topic = Line(), Table(), Buckets(), Topic()
        self.states = StepFunctions(lambda: self.now)
        self.workflow = Workflow(self.states, self.s3, self._validate, self._ended)
        self.uploads: list[Upload] = []
        self.queue: list[dict[str, str]] = []
        self.endings: list[dict[str, Any]] = []
        self.all_endings: list[dict[str, Any]] = []
        self.harmed: set[tuple[str, str]] = set()
        self.batch_max_files = batch_max_files
        self.patches = pytest.MonkeyPatch()
        self._connect()

    def _connect(self) -> None:
        patch = self.patches.setattr
        patch(clients, "dynamodb", lambda: self.line.to(self.ledger))
        patch(clients, "step_functions", lambda: self.line.to(self.states))
        patch(clients, "sns", lambda: self.line.to(self.topic))
        patch(clients, "s3", lambda: self.s3)
        patch(dispatch, "sleep", lambda seconds: None)
        for name, value in ENVIRONMENT.items():
            self.patches.setenv(name, value)
        for cached in (orchestrator._settings, orchestrator._dispatcher, validator._settings):
            cached.cache_clear()
        for cached in (closer._settings, closer._finalizer, closer._executions):
            cached.cache_clear()
        limits = replace(orchestrator._dispatcher().limits, max_files=self.batch_max_files)
        dispatcher = replace(orchestrator._dispatcher(), limits=limits, clock=lambda: self.now)
        patch(orchestrator, "_dispatcher", lambda: dispatcher)
        finalizer = replace(closer._finalizer(), clock=lambda: self.now)
        patch(closer, "_finalizer", lambda: finalizer)
        self._level = logger.log_level
        logger.setLevel("CRITICAL")

    def close(self) -> None:
        """Put everything back."""
        logger.setLevel(self._level)
        self.patches.undo()
        orchestrator._settings.cache_clear()

    def pass_time(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    # What people and S3 do

    def upload(self, name: str, kind: str = "good", *, announce: bool = True) -> Upload:
        """Another version of a file, with its message in the queue."""
        number = len(self.uploads) + 1
        version_id, content = f"v{number}", CONTENT[kind]
        key = f"raw/taxi/{name}.csv"
        self.s3.upload(LAKE, key, content, version_id)
        described = {"key": key, "versionId": version_id, "size": len(content), "eTag": "e"}
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": LAKE}, "object": {**described, "sequencer": f"{number:04X}"}},
        }
        message = {"messageId": f"m{number}", "body": json.dumps({"Records": [record]})}
        done = Upload(key, version_id, kind, message)
        self.uploads.append(done)
        if announce:
            self.queue.append(message)
        return done

    def announce(self, upload: Upload) -> None:
        """The message about an upload once more."""
        copies = sum(upload.message["body"] == message["body"] for message in self.queue)
        self.queue.append(
            {**upload.message, "messageId": f"{upload.message['messageId']}-{copies + 1}-{self.now}"}
        )

    def delete(self, name: str) -> None:
        """Put a delete marker on a file."""
        self.s3.delete(LAKE, f"raw/taxi/{name}.csv", f"d{len(self.s3.calls)}-{self.now}")

    def switch(self, *, on: bool) -> None:
        """Switch orchestration on or off, as a deployment does."""
        self.patches.setenv("ENABLE_ORCHESTRATION", str(on).lower())
        orchestrator._settings.cache_clear()

    def command(self, plan: Plan | None = None, **command: Any) -> dict[str, Any] | None:
        """A command of the operator's; None when it failed."""
        return self._invoke(orchestrator.handler, command, plan)

    def start(self, upload: Upload, plan: Plan | None = None) -> dict[str, Any] | None:
        """`taxi-etl start` of a version."""
        files = [{"key": upload.key, "versionId": upload.version_id}]
        return self.command(plan, command="start", bucket=LAKE, files=files, trigger="manual")

    def start_in_console(self, key: str) -> None:
        """An execution that someone starts in the console, past the ledger."""
        name = f"by-hand-{len(self.states.runs)}"
        text = json.dumps({"bucket": LAKE, "key": key})
        self.states.start_execution(stateMachineArn=MACHINE, name=name, input=text)

    # What AWS does

    def deliver(self, messages: Sequence[dict[str, str]], plan: Plan | None = None) -> None:
        """Give queue messages to the orchestrator; those it is done with leave the queue."""
        answer = self._invoke(orchestrator.handler, {"Records": list(messages)}, plan)
        if answer is None:
            return
        again = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done = {message["messageId"] for message in messages} - again
        self.queue = [message for message in self.queue if message["messageId"] not in done]

    def tell(self, ending: dict[str, Any], plan: Plan | None = None) -> None:
        """Give an ending to the closer; one it could not take comes again."""
        answer = self._invoke(closer.handler, {"detail": ending}, plan)
        if answer is not None and ending in self.endings:
            self.endings.remove(ending)

    def sweep(self, plan: Plan | None = None) -> None:
        """The closer's schedule."""
        self._invoke(closer.handler, {"sweep": True}, plan)

    def break_off(self, name: str, status: str, *, job_stops: bool) -> None:
        """End an execution by what no state of the machine does: a stop, a timeout, a fault in a Choice."""
        causes = {"FAILED": ("States.QueryEvaluationError", "an expression gave nothing")}
        error, cause = causes.get(status, (None, None))
        self._harm(name)
        self.workflow.fail(name, status, error, cause, job_stops=job_stops)

    def lose_job(self, name: str) -> None:
        """End an execution because its job died; the machine tells of it itself."""
        self._harm(name)
        self.workflow.told.append((name, "FAILED"))
        self.workflow.fail(name, "FAILED", "ExecutionFailed", "the job died", job_stops=True)

    def _harm(self, name: str) -> None:
        for item in self.ledger.items.values():
            if item.get("execution") == name and item["sk"] != "execution":
                self.harmed.add((item["key"], item["sk"]))
        progress = self.workflow.progress.get(name)
        if progress and progress.manifest:
            self.harmed |= {
                (file.version.key, file.version.version_id) for file in progress.manifest.accepted
            }

    def _validate(self, run: Run) -> dict[str, Any]:
        execution = {"name": run.name, "arn": f"{EXECUTION}:{run.name}"}
        event = {"input": json.loads(run.input), "execution": execution}
        with self.line.invocation(None):
            answer: dict[str, Any] = validator.handler(event, Context())
        return answer

    def _ended(self, run: Run) -> None:
        ending = {
            "name": run.name,
            "status": run.status,
            "error": run.error,
            "cause": run.cause,
            "redriveCount": run.redrives,
        }
        self.endings.append(ending)
        self.all_endings.append(ending)

    def _invoke(
        self, handler: Callable[[Any, Any], dict[str, Any]], event: dict[str, Any], plan: Plan | None
    ) -> dict[str, Any] | None:
        """What a function answers; None when it died or failed, which only a setback may make it do."""
        self.pass_time(seconds=1)
        try:
            with self.line.invocation(plan):
                return handler(event, Context())
        except (Killed, *FAULTS):
            if plan is None or not plan.done:
                raise
            return None

    # How it comes to rest

    def settle(self, limit: int = 60) -> None:
        """Let everything go on undisturbed until nothing is left to do."""
        for _ in range(limit):
            while self.queue:
                self.deliver(self.queue[:10])
            for name in self.workflow.jobs_left_behind():
                self.workflow.advance(name)
            for name in self.workflow.running():
                self.workflow.advance(name)
            for ending in list(self.endings):
                self.tell(ending)
            if not (self.workflow.running() or self.workflow.jobs_left_behind()):
                self.pass_time(minutes=20)
                self.sweep()
                if not (self.workflow.running() or self.open_claims()):
                    return
        raise AssertionError(f"no rest: running {self.workflow.running()}, open {self.open_claims()}")

    def open_claims(self) -> list[str]:
        """Executions whose claim is open."""
        return [
            item["execution"]
            for item in self.ledger.items.values()
            if item["sk"] == "execution" and item["status"] != "closed"
        ]
