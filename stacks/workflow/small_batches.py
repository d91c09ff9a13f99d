"""The states that load a small batch with DuckDB in a function; only apps with `engine = auto` have them.

$load has the engine that loads the batch (`engine`), why the function did not load it (`declined`), and the
cost of the function (`costUsd`). The Glue job loads everything that the function does not.
"""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.settings import Settings
from stacks.workflow.jsonata import caught_failure, render
from stacks.workflow.lambda_task import InvokeFunction
from stacks.workflow.states import INPUT, LAMBDA_MARGIN_SECONDS, NO_CRAWL
from taxi_etl.engines import Engine

FITS = render(f"$validation.engine = '{Engine.DUCKDB}'")
NOT_LOADED = render(f"$load.engine = '{Engine.GLUE}'")


def choose_engine(scope: Construct) -> sfn.Choice:
    """Choose by the validator's decision after the rejected files of a batch were reported.

    Without rejected files, CheckValidation chooses in the same way: each state costs as much as the requests
    of a small file.
    """
    return sfn.Choice.jsonata(scope, "ChooseEngine")


def run_small_batch(scope: Construct, *, function: lambda_.Function, settings: Settings) -> InvokeFunction:
    """Invoke the function once; it loads the batch, or declines it and leaves the tables unchanged."""
    return InvokeFunction(
        scope,
        "RunSmallBatch",
        comment="Loads the manifest's files with DuckDB, in seconds; declines what the Glue job has to load",
        function=function,
        payload=sfn.TaskInput.from_object({"manifest": "{% $validation.manifest %}"}),
        task_timeout=sfn.Timeout.duration(
            Duration.seconds(settings.small_batch_timeout_seconds + LAMBDA_MARGIN_SECONDS)
        ),
        assign={
            "load": render(
                f"($answer := $states.result.Payload; {{'engine': $exists($answer.summary) "
                f"? '{Engine.DUCKDB}' : '{Engine.GLUE}', "
                "'declined': $answer.declined, 'costUsd': $answer.costUsd})"
            ),
            "summary": _if_loaded("$answer.summary", "$summary"),
            "failure": _if_loaded("$answer.summary.error", "$failure"),
            "crawl": NO_CRAWL,
            # Notifications read it; without a job run, its fields are null there.
            "jobRun": {},
        },
        outputs=INPUT,
    )


def check_small_batch(scope: Construct) -> sfn.Choice:
    """Choose by whether the function loaded the batch, and then as for a result of the Glue job."""
    return sfn.Choice.jsonata(scope, "CheckSmallBatch")


def _if_loaded(value: str, otherwise: str) -> str:
    """A value of the function's answer, or another one if the function declined the batch."""
    return render(f"($answer := $states.result.Payload; $exists($answer.summary) ? {value} : {otherwise})")


def caught_load() -> str:
    """$load after an error of the function. Its commit may have succeeded; the job then replaces the rows."""
    reason = "$caught.Error & ': ' & $caught.Cause"
    return f"($caught := {caught_failure()}; {{'engine': '{Engine.GLUE}', 'declined': {reason}}})"
