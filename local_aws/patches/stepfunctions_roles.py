"""May a state machine do what its tasks say? What its role allows, when roles are enforced.

AWS: a task acts as the machine's role; without the right it fails with the service's own error. The emulator
never looks at the role. Whoever waits for a Glue job run with `.sync` also reads it, and stops it when the
task is over; `stepfunctions_glue` asks for that.
Source: Step Functions developer guide, "How Step Functions generates IAM policies for integrated services".
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
"""How a refusal is called, by the service that refuses."""


def apply() -> None:
    """Ask before a task's service is called."""
    patching.attribute(stepfunctions, "_state_machines")
    invoke = patching.replace(
        stepfunctions,
        "_invoke_resource",
        "resource input_data",
        lambda resource, input_data: _invoke(invoke, resource, input_data),
    )


def demand(action: str, resource: str) -> None:
    """Raises the refusal of a service when the machine whose task runs here may not do this."""
    if not allowed(action, resource):
        service = action.partition(":")[0]
        raise stepfunctions._ExecutionError(
            _ERRORS[service],
            f"User: {_role()} {roles.refusal(action, resource)} (Service: {service}; Status Code: 403; "
            "Request ID: LOCAL)",
        )


def allowed(action: str, resource: str) -> bool:
    """Whether the machine whose task runs here may do this."""
    return roles.may(_role(), action, resource)


def _role() -> str:
    """The role of the machine whose task runs here."""
    execution = EXECUTION.get() or {}
    return str(stepfunctions._state_machines[execution["stateMachineArn"]]["roleArn"])


def _invoke(invoke: Callable[..., Any], resource: str, arguments: Any) -> Any:
    if SETTINGS.enforce_roles:
        demand(*_need(resource, arguments))
    return invoke(resource, arguments)


def _need(resource: str, arguments: dict[str, Any]) -> tuple[str, str]:
    """The action and resource of a task. Raises States.Runtime for one that nobody has written down here."""
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
        "States.Runtime", f"which right {resource} needs is not known here; add it to {__name__}"
    )
