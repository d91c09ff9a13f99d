"""The task that invokes a Lambda function, with permission for that function only."""

from typing import Any

import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct


class InvokeFunction(tasks.LambdaInvoke):
    """`LambdaInvoke` without permission to invoke versions and aliases, which the function does not have."""

    def __init__(
        self, scope: Construct, construct_id: str, *, function: lambda_.Function, **options: Any
    ) -> None:
        self._policies = [
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        ]
        super().__init__(
            scope,
            construct_id,
            query_language=sfn.QueryLanguage.JSONATA,
            lambda_function=function,
            # The construct would add six retries; stacks/workflow/retries.py defines them instead.
            retry_on_service_exceptions=False,
            **options,
        )

    @property
    @jsii.member(jsii_name="taskPolicies")
    def _task_policies(self) -> list[iam.PolicyStatement]:
        return self._policies

    @_task_policies.setter
    def _task_policies(self, _wider: list[iam.PolicyStatement]) -> None:
        """Ignore the construct's own, wider policy."""
