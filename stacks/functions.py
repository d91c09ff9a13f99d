"""The Lambda functions: orchestrator, validator, finalizer, and the one for small batches."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.data_lake_stack import DataLakeStack
from stacks.function_code import FunctionCode
from stacks.notifications import Notifications
from stacks.pipeline_function import FunctionSpec, PipelineFunction
from stacks.settings import Settings
from taxi_etl.engines import EngineChoice
from taxi_etl.function_settings import (
    FinalizerSettings,
    OrchestratorSettings,
    SmallBatchSettings,
    ValidatorSettings,
)
from taxi_etl.names import (
    CLOSE_FUNCTION,
    ORCHESTRATOR_FUNCTION,
    SMALL_BATCH_FUNCTION,
    VALIDATE_FUNCTION,
    WAREHOUSE_PREFIX,
)

ORCHESTRATOR = FunctionSpec(
    name=ORCHESTRATOR_FUNCTION,
    package="etl_orchestrator",
    description="Claims each new file version in the ledger and starts the taxi workflow for it",
    timeout_seconds=lambda settings: settings.orchestrator_timeout_seconds,
    memory_mb=lambda settings: settings.orchestrator_memory_mb,
)
VALIDATOR = FunctionSpec(
    name=VALIDATE_FUNCTION,
    package="validate_input",
    description="Checks taxi files by their first and last bytes and writes the execution's manifest",
    timeout_seconds=lambda settings: settings.validate_timeout_seconds,
    memory_mb=lambda settings: settings.validate_memory_mb,
    reads_parquet=True,
)
# It has no reserved concurrency: that would reduce the account's quota, which may be as low as ten. Throttled
# invocations are retried; then the Glue job takes over.
SMALL_BATCH = FunctionSpec(
    name=SMALL_BATCH_FUNCTION,
    package="run_small_batch",
    description="Loads the files of a small taxi batch into Iceberg tables with DuckDB, or declines them",
    timeout_seconds=lambda settings: settings.small_batch_timeout_seconds,
    memory_mb=lambda settings: settings.small_batch_memory_mb,
    storage_mb=lambda settings: settings.small_batch_storage_mb,
    loads_batches=True,
)
FINALIZER = FunctionSpec(
    name=CLOSE_FUNCTION,
    package="close_execution",
    description="Records the outcomes of taxi workflow executions in the ledger and reconciles open claims",
    timeout_seconds=lambda settings: settings.close_timeout_seconds,
    memory_mb=lambda settings: settings.close_memory_mb,
)


class Functions:
    """Creates the functions as children of `scope`. The state machine needs the validator first."""

    def __init__(self, scope: Construct, *, settings: Settings, data: DataLakeStack) -> None:
        self._scope = scope
        self._settings = settings
        self._data = data
        self._code = FunctionCode(scope, "Code", settings=settings)

    def validator(self) -> lambda_.Function:
        """Checks which files can be loaded, before a job run costs anything."""
        environment = ValidatorSettings(
            runs_bucket=self._data.lake.name,
            max_file_bytes=self._settings.max_file_bytes,
            instants=str(self._settings.instants),
            engine=str(self._settings.engine),
            small_batch_max_parquet_bytes=self._settings.small_batch_max_parquet_bytes,
            small_batch_max_csv_bytes=self._settings.small_batch_max_csv_bytes,
            small_batch_max_csv_gz_bytes=self._settings.small_batch_max_csv_gz_bytes,
            small_batch_max_columns=self._settings.small_batch_max_columns,
        )
        return PipelineFunction(
            self._scope, "ValidateInput", code=self._code, spec=VALIDATOR, environment=environment
        ).function

    def small_batch(self, optimizer_role: iam.Role) -> lambda_.Function | None:
        """Loads small batches in seconds; None in apps that load all batches with the Glue job."""
        if self._settings.engine is EngineChoice.GLUE:
            return None
        lake, catalog = self._data.lake, self._data.catalog
        environment = SmallBatchSettings(
            database=catalog.taxi_name,
            warehouse=f"s3://{lake.name}/{WAREHOUSE_PREFIX}",
            max_quarantine_share=self._settings.max_quarantine_share,
            anomaly_policy=str(self._settings.anomaly_policy),
            command=self._settings.command,
            optimizer_role=optimizer_role.role_arn,
            retention_days=self._settings.table_retention_days,
            storage_mb=self._settings.small_batch_storage_mb,
        )
        return PipelineFunction(
            self._scope, "SmallBatch", code=self._code, spec=SMALL_BATCH, environment=environment
        ).function

    def orchestrator(self, state_machine: sfn.StateMachine) -> lambda_.Function:
        """Turns events and commands into executions; claims each file version once."""
        environment = OrchestratorSettings(
            state_machine_arn=state_machine.state_machine_arn,
            enable_orchestration=self._settings.enable_orchestration,
            ledger_table=self._data.ledger.name,
            batch_max_files=self._settings.execution_max_files,
            batch_max_bytes=self._settings.execution_max_bytes,
            engine=str(self._settings.engine),
        )
        return PipelineFunction(
            self._scope, "Orchestrator", code=self._code, spec=ORCHESTRATOR, environment=environment
        ).function

    def finalizer(self, state_machine: sfn.StateMachine, notifications: Notifications) -> lambda_.Function:
        """Records how every execution ended, and publishes endings that the execution could not publish."""
        environment = FinalizerSettings(
            state_machine_arn=state_machine.state_machine_arn,
            ledger_table=self._data.ledger.name,
            runs_bucket=self._data.lake.name,
            topic_arn=notifications.topic.topic_arn,
            sweep_after_seconds=self._settings.sweep_after_minutes * 60,
            command=self._settings.command,
            chat_notifications=self._settings.chat_notifications,
        )
        return PipelineFunction(
            self._scope, "CloseExecution", code=self._code, spec=FINALIZER, environment=environment
        ).function
