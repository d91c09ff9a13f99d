"""Physical names, object keys and prefixes."""

PROD = "prod"

RAW_PREFIX = "raw/taxi/"
WAREHOUSE_PREFIX = "warehouse/"
RUNS_PREFIX = "runs/"

STATE_MACHINE = "etl-pipeline-workflow"
ORCHESTRATOR_FUNCTION = "etl-orchestrator"
VALIDATE_FUNCTION = "etl-orchestrator-validate-input"
SMALL_BATCH_FUNCTION = "etl-run-small-batch"
CLOSE_FUNCTION = "etl-close-execution"
GLUE_JOB = "job-process-taxi-data"
CRAWLER = "crawler-taxi-raw"
OPTIMIZER_ROLE = "taxi-table-optimizer"
TOPIC = "etl-pipeline-notifications"
LEDGER_TABLE = "etl-file-ledger"
EVENT_QUEUE = "etl-file-events"
EVENT_DEAD_LETTER_QUEUE = "etl-file-events-dlq"
CLOSE_DEAD_LETTER_QUEUE = "etl-close-execution-dlq"
RAW_DATABASE = "taxi_raw"
TAXI_DATABASE = "taxi"
SPARK_CATALOG = "glue_catalog"
METRICS_NAMESPACE = "TaxiEtl"
REFUSED_OPTIMIZERS_METRIC = "TableOptimizersRefused"
"""Counted from the job's log; `taxi_etl.metrics` has the metrics that the functions send."""
DATA_LAKE_STACK = "TaxiDataLake"
PIPELINE_STACK = "TaxiPipeline"
DELIVERY_STACK = "TaxiDelivery"
DELIVERY_ROLE = "taxi-etl-delivery"


def physical_name(name: str, environment: str) -> str:
    """The account-wide name of a resource: `NAME` in prod, `NAME-ENV` elsewhere."""
    return name if environment == PROD else f"{name}-{environment}"


def database_name(name: str, environment: str) -> str:
    """The name of a Glue database: `NAME` in prod, `NAME_ENV` elsewhere; SQL engines reject hyphens."""
    return name if environment == PROD else f"{name}_{environment}".replace("-", "_")


def trigger_name_prefix(environment: str) -> str:
    """The beginning of the names of what `taxi-etl trigger` creates."""
    return f"taxi-etl-{environment}-"


def bucket_name(account: str, environment: str) -> str:
    """The data lake's bucket: `ACCOUNT-oubt-datalake` with the environment's suffix."""
    return physical_name(f"{account}-oubt-datalake", environment)


def execution_arn(state_machine_arn: str, execution: str) -> str:
    """The ARN of a state machine's execution with this name, whether it exists or not."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{execution}"


def execution_prefix(execution: str) -> str:
    """The prefix of an execution's manifest and results, with a trailing slash."""
    return f"{RUNS_PREFIX}{STATE_MACHINE}/{execution}/"


def manifest_key(execution: str) -> str:
    """The object key of the manifest, which validation writes."""
    return f"{execution_prefix(execution)}manifest.json"


def result_key(execution: str) -> str:
    """The object key of the job's full result."""
    return f"{execution_prefix(execution)}result.json"


def summary_key(execution: str) -> str:
    """The object key of the job's summary, which the state machine reads."""
    return f"{execution_prefix(execution)}summary.json"
