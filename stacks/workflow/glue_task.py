"""The task that runs the Glue job and waits for it, with a time limit."""

from typing import Any

import jsii
from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct


class RunGlueJob(tasks.GlueStartJobRun):
    """`GlueStartJobRun` with a timeout of the state.

    CDK's construct writes its timeout as that of the *job run*, which starts only when the run leaves Glue's
    queue, and omits the state's: a queued run would be waited for without limit. Remove this class when the
    construct supports both.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        glue_job_name: str,
        arguments: dict[str, str],
        task_timeout: Duration,
        notify_delay_after: Duration,
        assign: dict[str, Any],
        outputs: str,
        comment: str,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            query_language=sfn.QueryLanguage.JSONATA,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            glue_job_name=glue_job_name,
            arguments=sfn.TaskInput.from_object(arguments),
            # Without it, the construct writes a null, which the API refuses.
            notify_delay_after=notify_delay_after,
            assign=assign,
            outputs=outputs,
            comment=comment,
        )
        self._timeout_seconds = task_timeout.to_seconds()

    @jsii.member(jsii_name="toStateJson")
    def to_state_json(self, top_level_query_language: sfn.QueryLanguage | None = None) -> dict[str, Any]:
        """The state in Amazon States Language, with its timeout."""
        state = super().to_state_json(top_level_query_language)
        return {**state, "TimeoutSeconds": self._timeout_seconds}
