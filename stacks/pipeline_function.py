"""A Lambda function of the pipeline, with its own role and log group."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.function_code import FunctionCode
from stacks.log_groups import log_group
from stacks.settings import Settings
from taxi_etl.function_settings import FunctionSettings
from taxi_etl.names import METRICS_NAMESPACE, physical_name


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """What distinguishes one function from the others; `package` is its package under `lambdas/`."""

    name: str
    package: str
    description: str
    timeout_seconds: Callable[[Settings], int]
    memory_mb: Callable[[Settings], int]
    reads_parquet: bool = False
    loads_batches: bool = False
    storage_mb: Callable[[Settings], int] | None = None
    """The size of `/tmp`; None for Lambda's default."""


class PipelineFunction(Construct):
    """One function: its package's handler, its settings as environment variables, its own log group."""

    function: lambda_.Function

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: FunctionCode,
        spec: FunctionSpec,
        environment: FunctionSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = code.settings
        name = physical_name(spec.name, settings.environment)
        logs = log_group(self, "Logs", name=f"/aws/lambda/{name}", settings=settings)
        # CDK's default role has a managed policy that allows writing to every log group.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        logs.grant_write(role)
        self.function = lambda_.Function(
            self,
            "Function",
            role=role,
            function_name=name,
            description=spec.description,
            runtime=code.runtime,
            architecture=code.architecture,
            code=code.code,
            handler=f"lambdas.{spec.package}.handler.handler",
            layers=_layers(spec, code),
            environment={
                **environment.to_environment(),
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": settings.log_level,
            },
            timeout=Duration.seconds(spec.timeout_seconds(settings)),
            memory_size=spec.memory_mb(settings),
            ephemeral_storage_size=Size.mebibytes(spec.storage_mb(settings)) if spec.storage_mb else None,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=logs,
        )


def _layers(spec: FunctionSpec, code: FunctionCode) -> list[lambda_.ILayerVersion]:
    layers: list[lambda_.ILayerVersion] = [code.libraries]
    if spec.reads_parquet:
        layers.append(code.parquet)
    if spec.loads_batches:
        assert code.engine is not None, "only apps with engine = auto have this function"
        layers.append(code.engine)
    return layers
