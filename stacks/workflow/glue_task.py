"""How does the workflow run a Glue job and wait for it, but not for ever?"""

from typing import Any

import jsii
from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct


class RunGlueJob(tasks.GlueStartJobRun):
    """`GlueStartJobRun` with a timeout of the state.

    The construct's own timeout becomes the *run's* timeout, which starts when the run does, and it drops the
    state's: a run in Glue's queue would be waited for without limit. The run's timeout is the job's own.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        glue_job_name: str,
        arguments: dict[str, str],
        waits_at_most: Duration,
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
            # Unset, the construct writes a null that the API refuses.
            notify_delay_after=notify_delay_after,
            assign=assign,
            outputs=outputs,
            comment=comment,
        )
        self._timeout_seconds = waits_at_most.to_seconds()

    @jsii.member(jsii_name="toStateJson")
    def to_state_json(self, top_level_query_language: sfn.QueryLanguage | None = None) -> dict[str, Any]:
        """The state as Amazon States Language, with its timeout."""
        state = super().to_state_json(top_level_query_language)
        return {**state, "TimeoutSeconds": self._timeout_seconds}
