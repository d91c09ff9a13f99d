"""Tasks that run with the state machine's role.

MiniStack 1.5.33: Never checks the machine's role.
AWS: A task calls its service with the machine's role. Without the permission it fails with the service's own
error.
Source: Step Functions developer guide, "How Step Functions generates IAM policies for integrated services".
Delete when: MiniStack, with AUTH on, authorizes tasks with the machine's role.

A `.sync` task also reads the Glue job run and stops it; `stepfunctions_glue` requires these permissions.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local_aws import roles
from local_aws.patches import patching
from local_aws.patches.stepfunctions_endings import EXECUTION
from local_aws.settings import SETTINGS

_ERRORS = {
    "lambda": "Lambda.AWSLambdaException",
    "glue": "Glue.AccessDeniedException",
    "s3": "S3.S3Exception",
    "sns": "SNS.AuthorizationErrorException",
}
"""The error of a denied call, by service."""


def apply() -> None:
    """Check the machine's role before a task's service is called."""
    patching.attribute(stepfunctions, "_state_machines")
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _invoke(invoke, resource, input_data),
    )


def require_permission(action: str, resource: str) -> None:
    """Raise the service's error when the role of this thread's machine does not allow the action."""
    if not is_allowed(action, resource):
        service = action.partition(":")[0]
        raise stepfunctions._ExecutionError(
            _ERRORS[service],
            f"User: {_role()} {roles.denial_message(action, resource)} "
            f"(Service: {service}; Status Code: 403; Request ID: LOCAL)",
        )


def is_allowed(action: str, resource: str) -> bool:
    """Return whether the role of this thread's machine allows the action."""
    return roles.is_allowed(_role(), action, resource)


def _role() -> str:
    """Return the role of this thread's machine."""
    execution = EXECUTION.get() or {}
    return str(stepfunctions._state_machines[execution["stateMachineArn"]]["roleArn"])


def _invoke(invoke: Callable[..., Any], resource: str, arguments: Any) -> Any:
    if SETTINGS.enforce_roles:
        require_permission(*_required_permission(resource, arguments))
    return invoke(resource, arguments)


def _required_permission(resource: str, arguments: dict[str, Any]) -> tuple[str, str]:
    """Return the action and resource of a task. Raises States.Runtime for an integration not listed here."""
    scope = f"{get_region()}:{get_account_id()}"
    match resource.removeprefix("arn:aws:states:::").removesuffix(".sync"):
        case "lambda:invoke":
            name = arguments["FunctionName"]
            arn = name if name.startswith("arn:") else f"arn:aws:lambda:{scope}:function:{name}"
            return "lambda:InvokeFunction", arn
        case "glue:startJobRun":
            return "glue:StartJobRun", f"arn:aws:glue:{scope}:job/{arguments['JobName']}"
        case "aws-sdk:glue:startCrawler":
            return "glue:StartCrawler", f"arn:aws:glue:{scope}:crawler/{arguments['Name']}"
        case "aws-sdk:glue:getCrawler":
            return "glue:GetCrawler", f"arn:aws:glue:{scope}:crawler/{arguments['Name']}"
        case "aws-sdk:s3:getObject":
            version = "Version" if "VersionId" in arguments else ""
            return f"s3:GetObject{version}", f"arn:aws:s3:::{arguments['Bucket']}/{arguments['Key']}"
        case "sns:publish":
            return "sns:Publish", arguments["TopicArn"]
    raise stepfunctions._ExecutionError(
        "States.Runtime", f"the permission that {resource} needs is unknown: add it to {__name__}"
    )
