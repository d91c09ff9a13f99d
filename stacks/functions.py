"""What runs in AWS Lambda? The three functions, with the code, layers and platform they share."""

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks import build
from stacks.log_groups import log_group
from stacks.settings import Settings
from taxi_etl.function_settings import (
    FinalizerSettings,
    FunctionSettings,
    OrchestratorSettings,
    ValidatorSettings,
)
from taxi_etl.names import (
    CLOSE_FUNCTION,
    METRICS_NAMESPACE,
    ORCHESTRATOR_FUNCTION,
    VALIDATE_FUNCTION,
    physical_name,
)


class FunctionCode(Construct):
    """The assets that functions share: one directory of code, one layer of libraries, one with pyarrow."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.runtime = lambda_.Runtime(f"python{settings.lambda_python}", lambda_.RuntimeFamily.PYTHON)
        self.architecture = lambda_.Architecture.custom(settings.lambda_architecture)
        self.code = lambda_.Code.from_asset(build.function_code())
        self.libraries = self._layer("Runtime", "runtime", "Powertools and the X-Ray SDK")
        self.parquet = self._layer("Parquet", "parquet", "pyarrow, to read Parquet footers")

    def _layer(self, construct_id: str, name: str, description: str) -> lambda_.LayerVersion:
        directory, asset_hash = build.layer(name, self.settings.layer_target)
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=lambda_.Code.from_asset(
                directory, asset_hash=asset_hash, asset_hash_type=AssetHashType.CUSTOM
            ),
            compatible_runtimes=[self.runtime],
            compatible_architectures=[self.architecture],
            description=description,
        )


class PipelineFunction(Construct):
    """One function of the app: its package's handler, its settings as environment, its own log group."""

    function: lambda_.Function

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: FunctionCode,
        name: str,
        package: str,
        description: str,
        environment: FunctionSettings,
        timeout_seconds: int,
        memory_mb: int,
        with_parquet: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = code.settings
        function_name = physical_name(name, settings.environment)
        logs = log_group(self, "Logs", name=f"/aws/lambda/{function_name}", settings=settings)
        # A role of our own: the default one brings a managed policy that may write every log group.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        logs.grant_write(role)
        self.function = lambda_.Function(
            self,
            "Function",
            role=role,
            function_name=function_name,
            description=description,
            runtime=code.runtime,
            architecture=code.architecture,
            code=code.code,
            handler=f"lambdas.{package}.handler.handler",
            layers=[code.libraries, code.parquet] if with_parquet else [code.libraries],
            environment={
                **environment.to_environment(),
                "POWERTOOLS_SERVICE_NAME": function_name,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": settings.log_level,
            },
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=logs,
        )


def orchestrator(
    scope: Construct,
    construct_id: str,
    *,
    code: FunctionCode,
    state_machine: sfn.StateMachine,
    ledger: dynamodb.Table,
) -> lambda_.Function:
    """Turns events and commands into executions, each file version claimed once."""
    settings = code.settings
    return PipelineFunction(
        scope,
        construct_id,
        code=code,
        name=ORCHESTRATOR_FUNCTION,
        package="etl_orchestrator",
        description="Starts the taxi workflow for files that arrive; claims each version in the ledger",
        environment=OrchestratorSettings(
            state_machine_arn=state_machine.state_machine_arn,
            enable_orchestration=settings.enable_orchestration,
            ledger_table=ledger.table_name,
            batch_max_files=settings.execution_max_files,
            batch_max_bytes=settings.execution_max_bytes,
        ),
        timeout_seconds=settings.orchestrator_timeout_seconds,
        memory_mb=settings.orchestrator_memory_mb,
    ).function


def validate_input(
    scope: Construct, construct_id: str, *, code: FunctionCode, bucket: s3.Bucket
) -> lambda_.Function:
    """Finds out which files can be loaded, before anything is paid for."""
    settings = code.settings
    return PipelineFunction(
        scope,
        construct_id,
        code=code,
        name=VALIDATE_FUNCTION,
        package="validate_input",
        description="Checks taxi files by their first and last bytes and writes the run's manifest",
        environment=ValidatorSettings(runs_bucket=bucket.bucket_name, max_file_bytes=settings.max_file_bytes),
        timeout_seconds=settings.validate_timeout_seconds,
        memory_mb=settings.validate_memory_mb,
        with_parquet=True,
    ).function


def close_execution(
    scope: Construct,
    construct_id: str,
    *,
    code: FunctionCode,
    state_machine: sfn.StateMachine,
    ledger: dynamodb.Table,
    bucket: s3.Bucket,
    topic: sns.Topic,
) -> lambda_.Function:
    """Records how every execution ended, and tells people what the execution itself could not."""
    settings = code.settings
    return PipelineFunction(
        scope,
        construct_id,
        code=code,
        name=CLOSE_FUNCTION,
        package="close_execution",
        description="Writes outcomes of taxi executions into the ledger; looks for what nobody reported",
        environment=FinalizerSettings(
            state_machine_arn=state_machine.state_machine_arn,
            ledger_table=ledger.table_name,
            runs_bucket=bucket.bucket_name,
            topic_arn=topic.topic_arn,
            sweep_after_seconds=settings.sweep_after_minutes * 60,
            command=settings.command,
        ),
        timeout_seconds=settings.close_timeout_seconds,
        memory_mb=settings.close_memory_mb,
    ).function
