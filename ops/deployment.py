"""The deployed app, discovered through the outputs of its stacks."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self

from botocore.exceptions import ClientError

from ops.errors import CliError
from ops.session import Session
from taxi_etl.names import DATA_LAKE_STACK, PIPELINE_STACK, physical_name

COMPLETE_STACK = re.compile(r"(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE")


@dataclass(frozen=True)
class Deployment:
    """The parts of a deployed app; the field `bucket_name` is the stack output `BucketName`."""

    bucket_name: str
    ledger_table_name: str
    queue_url: str
    dead_letter_queue_url: str
    raw_database_name: str
    taxi_database_name: str
    state_machine_arn: str
    orchestrator_function_name: str
    validate_function_name: str
    close_function_name: str
    glue_job_name: str
    crawler_name: str
    topic_arn: str
    alarm_names: tuple[str, ...]
    close_dead_letter_queue_url: str
    readable_key_arns: tuple[str, ...] = ()
    """Keys that the roles which read raw files may decrypt with. The output exists only if there are any."""
    chat_notifications: str = ""
    """Not empty if HTTPS subscribers receive the format for chat channels. The output exists only then."""
    small_batch_function_name: str = ""
    """The function for small batches; empty, without an output, if the Glue job loads all batches."""

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> Self:
        """Return the deployment that stack outputs describe. Raises CliError that names missing outputs."""
        by_field = {field.name: _output(field.name) for field in fields(cls)}
        missing = [
            by_field[field.name]
            for field in fields(cls)
            if field.default is MISSING and by_field[field.name] not in outputs
        ]
        if missing:
            raise CliError(
                f"the stacks lack the outputs {', '.join(missing)}: another version of the app is deployed",
                "deploy this version, or use the command line of the deployed one",
            )
        texts = {name: outputs.get(output, "") for name, output in by_field.items()}
        alarms, keys = _listed(texts.pop("alarm_names")), _listed(texts.pop("readable_key_arns"))
        return cls(**texts, alarm_names=alarms, readable_key_arns=keys)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _output(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))


def stack_names(environment: str) -> tuple[str, str]:
    """Return the names of the data lake stack and of the pipeline stack of an environment."""
    return physical_name(DATA_LAKE_STACK, environment), physical_name(PIPELINE_STACK, environment)


def deploy_command(session: Session) -> str:
    """Return the next step that deploys the app into the session's environment."""
    if session.is_local:
        return "deploy the app: python -m local_aws.cdk deploy"
    return f"deploy the app: npx cdk deploy --all -c environment={session.target.environment}"


def stacks(session: Session) -> list[dict[str, Any]]:
    """Return the stacks as CloudFormation describes them. Raises CliError if one does not exist."""
    found = []
    for name in stack_names(session.target.environment):
        try:
            found += session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            doctor = session.target.command("doctor", "--account")
            raise CliError(
                f"stack {name} does not exist in region {session.region}",
                f"{deploy_command(session)}; or give another --environment, --region or --profile. "
                f"If the environment is deployed in another region: {doctor} says what a second one needs",
            ) from None
    return found


def discover(session: Session) -> Deployment:
    """Return the deployment in the session's environment. Raises CliError if the app is not deployed."""
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks(session)
        for output in stack.get("Outputs", [])
    }
    return Deployment.from_outputs(outputs)
