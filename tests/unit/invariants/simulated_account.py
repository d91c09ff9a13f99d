"""Simulated AWS account: fake services, the real functions, a fake workflow and a clock.

Each upload puts a message into the queue, which delivers it to etl-orchestrator until it succeeds. An ended
execution sends an event to etl-close-execution, unless the event is lost; a schedule runs the reconciler.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from fakes.dynamodb import FakeTable
from fakes.s3 import Buckets
from fakes.step_functions import EXECUTIONS_ARN, MACHINE, Execution, StepFunctions

from invariants.fake_workflow import LAKE, POISON, Workflow
from invariants.fault_schedule import CallInterceptor, InvocationKilledError, PlannedFault
from lambdas import clients
from lambdas.close_execution import handler as finalizer
from lambdas.close_execution.reconciler import ReconcileError
from lambdas.etl_orchestrator import dispatch
from lambdas.etl_orchestrator import handler as orchestrator
from lambdas.etl_orchestrator.commands import StartError
from lambdas.observability import logger
from lambdas.validate_input import handler as validator
from taxi_etl.function_settings import FinalizerSettings, OrchestratorSettings, ValidatorSettings

HEADER = (
    b"VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,PULocationID,DOLocationID,trip_distance,"
    b"fare_amount,total_amount\n"
)
CONTENT = {"good": HEADER, "poison": HEADER + POISON, "unknown": b"station,temperature\n"}
MIN_CLAIM_AGE = timedelta(minutes=15)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:etl-pipeline-notifications"
ENVIRONMENT = {
    **OrchestratorSettings(
        MACHINE, True, "ledger", batch_max_files=3, batch_max_bytes=10**9, engine="glue"
    ).to_environment(),
    **ValidatorSettings(LAKE, 10**9, "reject", "glue", 10**6, 10**6, 10**6, 100).to_environment(),
    **FinalizerSettings(
        MACHINE,
        "ledger",
        LAKE,
        TOPIC,
        int(MIN_CLAIM_AGE.total_seconds()),
        "taxi-etl",
        chat_notifications=True,
    ).to_environment(),
}
FAULTS = (ClientError, BotoCoreError, ReconcileError, StartError, LookupError)
"""The exceptions with which an invocation may fail after an injected fault."""


@dataclass(frozen=True)
class Context:
    """The context object of a Lambda invocation with a minute left."""

    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:function"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass(frozen=True)
class Upload:
    """One uploaded file version, its kind of content and the message that announces it."""

    key: str
    version_id: str
    kind: str
    message: dict[str, str]


class Topic:
    """Fake SNS client that keeps the names of the executions that the finalizer published."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def publish(self, **arguments: Any) -> dict[str, str]:
        message = json.loads(json.loads(arguments["Message"])["default"])
        self.published.append(message["workflowExecutionId"].removeprefix(f"{EXECUTIONS_ARN}:"))
        return {"MessageId": str(len(self.published))}


class SimulatedAccount:
    """The account; each invocation of a function takes a second."""

    def __init__(self, batch_max_files: int = 3) -> None:
        self.now = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
        self.interceptor, self.ledger, self.s3, self.topic = (
            CallInterceptor(),
            FakeTable(),
            Buckets(),
            Topic(),
        )
        self.states = StepFunctions(lambda: self.now)
        self.workflow = Workflow(self.states, self.s3, self._validate, self._ended)
        self.uploads: list[Upload] = []
        self.queue: list[dict[str, str]] = []
        self.endings: list[dict[str, Any]] = []
        self.all_endings: list[dict[str, Any]] = []
        self.interrupted_files: set[tuple[str, str]] = set()
        self.batch_max_files = batch_max_files
        self.patches = pytest.MonkeyPatch()
        self._connect()

    def _connect(self) -> None:
        patch = self.patches.setattr
        patch(clients, "dynamodb", lambda: self.interceptor.intercept(self.ledger))
        patch(clients, "step_functions", lambda: self.interceptor.intercept(self.states))
        patch(clients, "sns", lambda: self.interceptor.intercept(self.topic))
        patch(clients, "s3", lambda: self.s3)
        patch(dispatch, "sleep", lambda seconds: None)
        for name, value in ENVIRONMENT.items():
            self.patches.setenv(name, value)
        for cached in (orchestrator._settings, orchestrator._dispatcher, validator._settings):
            cached.cache_clear()
        for cached in (finalizer._settings, finalizer._finalizer, finalizer._executions):
            cached.cache_clear()
        limits = replace(orchestrator._dispatcher().limits, execution_max_files=self.batch_max_files)
        dispatcher = replace(orchestrator._dispatcher(), limits=limits, clock=lambda: self.now)
        patch(orchestrator, "_dispatcher", lambda: dispatcher)
        timed = replace(finalizer._finalizer(), clock=lambda: self.now)
        patch(finalizer, "_finalizer", lambda: timed)
        self._level = logger.log_level
        logger.setLevel("CRITICAL")

    def close(self) -> None:
        """Undo all patches."""
        logger.setLevel(self._level)
        self.patches.undo()
        orchestrator._settings.cache_clear()

    def pass_time(self, **time: float) -> None:
        """Move the clock forward by the arguments of a timedelta."""
        self.now += timedelta(**time)

    # Actions of users and of S3

    def upload(self, name: str, kind: str = "good", *, announce: bool = True) -> Upload:
        """Upload another version of a file, and put its message into the queue."""
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

    def announce_again(self, upload: Upload) -> None:
        """Put the message of an upload into the queue once more."""
        copies = sum(upload.message["body"] == message["body"] for message in self.queue)
        self.queue.append(
            {**upload.message, "messageId": f"{upload.message['messageId']}-{copies + 1}-{self.now}"}
        )

    def delete(self, name: str) -> None:
        """Delete a file, which adds a delete marker."""
        self.s3.delete(LAKE, f"raw/taxi/{name}.csv", f"d{len(self.s3.calls)}-{self.now}")

    def switch_orchestration(self, *, on: bool) -> None:
        """Switch orchestration on or off, as a deployment does."""
        self.patches.setenv("ENABLE_ORCHESTRATION", str(on).lower())
        orchestrator._settings.cache_clear()

    def command(self, planned: PlannedFault | None = None, **command: Any) -> dict[str, Any] | None:
        """Run a command of the orchestrator; None when a fault made it fail."""
        return self._invoke(orchestrator.handler, command, planned)

    def start(self, upload: Upload, planned: PlannedFault | None = None) -> dict[str, Any] | None:
        """Start a file version, as `taxi-etl start` does."""
        files = [{"key": upload.key, "versionId": upload.version_id}]
        return self.command(planned, command="start", bucket=LAKE, files=files, trigger="manual")

    def start_in_console(self, key: str) -> None:
        """Start an execution in the console, without a claim."""
        name = f"manual-{len(self.states.executions)}"
        text = json.dumps({"bucket": LAKE, "key": key})
        self.states.start_execution(stateMachineArn=MACHINE, name=name, input=text)

    # Actions of AWS

    def deliver(self, messages: Sequence[dict[str, str]], planned: PlannedFault | None = None) -> None:
        """Deliver messages to the orchestrator; those that succeed leave the queue."""
        answer = self._invoke(orchestrator.handler, {"Records": list(messages)}, planned)
        if answer is None:
            return
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done = {message["messageId"] for message in messages} - failed
        self.queue = [message for message in self.queue if message["messageId"] not in done]

    def deliver_ending(self, ending: dict[str, Any], planned: PlannedFault | None = None) -> None:
        """Deliver an ending to the finalizer; a failed delivery is repeated later."""
        answer = self._invoke(finalizer.handler, {"detail": ending}, planned)
        if answer is not None and ending in self.endings:
            self.endings.remove(ending)

    def reconcile(self, planned: PlannedFault | None = None) -> None:
        """Run the reconciler, as its schedule does."""
        self._invoke(finalizer.handler, {"sweep": True}, planned)

    def interrupt(self, name: str, status: str, *, job_stops: bool) -> None:
        """End an execution by an abort, a timeout or a runtime error, which the workflow cannot catch."""
        causes = {"FAILED": ("States.QueryEvaluationError", "an expression gave nothing")}
        error, cause = causes.get(status, (None, None))
        self._note_interrupted_files(name)
        self.workflow.fail(name, status, error, cause, job_stops=job_stops)

    def kill_job(self, name: str) -> None:
        """End an execution because its job died; the workflow publishes the failure."""
        self._note_interrupted_files(name)
        self.workflow.published.append((name, "FAILED"))
        self.workflow.fail(name, "FAILED", "ExecutionFailed", "the job died", job_stops=True)

    def _note_interrupted_files(self, name: str) -> None:
        for item in self.ledger.items.values():
            if item.get("execution") == name and item["sk"] != "execution":
                self.interrupted_files.add((item["key"], item["sk"]))
        progress = self.workflow.progress.get(name)
        if progress and progress.manifest:
            self.interrupted_files |= {
                (file.version.key, file.version.version_id) for file in progress.manifest.accepted
            }

    def _validate(self, execution: Execution) -> dict[str, Any]:
        described = {"name": execution.name, "arn": f"{EXECUTIONS_ARN}:{execution.name}"}
        event = {"input": json.loads(execution.input), "execution": described}
        with self.interceptor.invocation(None):
            answer: dict[str, Any] = validator.handler(event, Context())
        return answer

    def _ended(self, execution: Execution) -> None:
        ending = {
            "name": execution.name,
            "status": execution.status,
            "error": execution.error,
            "cause": execution.cause,
            "redriveCount": execution.redrives,
        }
        self.endings.append(ending)
        self.all_endings.append(ending)

    def _invoke(
        self,
        handler: Callable[[Any, Any], dict[str, Any]],
        event: dict[str, Any],
        planned: PlannedFault | None,
    ) -> dict[str, Any] | None:
        """Invoke a function; None when it was killed or failed, which only an injected fault may cause."""
        self.pass_time(seconds=1)
        try:
            with self.interceptor.invocation(planned):
                return handler(event, Context())
        except (InvocationKilledError, *FAULTS):
            if planned is None or not planned.done:
                raise
            return None

    # Settling

    def settle(self, limit: int = 60) -> None:
        """Run everything without faults until nothing is left to do."""
        for _ in range(limit):
            while self.queue:
                self.deliver(self.queue[:10])
            for name in self.workflow.detached_jobs():
                self.workflow.advance(name)
            for name in self.workflow.running():
                self.workflow.advance(name)
            for ending in list(self.endings):
                self.deliver_ending(ending)
            if not (self.workflow.running() or self.workflow.detached_jobs()):
                self.pass_time(minutes=20)
                self.reconcile()
                if not (self.workflow.running() or self.open_claims()):
                    return
        raise AssertionError(
            f"the account does not settle: running {self.workflow.running()}, open {self.open_claims()}"
        )

    def open_claims(self) -> list[str]:
        """Return the names of the executions with open claims."""
        return [
            item["execution"]
            for item in self.ledger.items.values()
            if item["sk"] == "execution" and item["status"] != "closed"
        ]
