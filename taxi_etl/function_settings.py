"""Settings of the Lambda functions, one frozen dataclass per function; field names are variable names.

The CDK constructs write them with `to_environment`, and the handlers read them with `from_environment`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class FunctionSettings:
    """Settings as environment variables: the field `ledger_table` is the variable `LEDGER_TABLE`."""

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables; booleans are `true` or `false`."""
        return {name.upper(): _to_text(value) for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from environment variables. Raises ValueError naming what is missing or wrong."""
        missing = [field.name.upper() for field in fields(cls) if field.name.upper() not in environment]
        if missing:
            raise ValueError(f"missing environment variables: {', '.join(missing)}; deploy the app again")
        values: dict[str, Any] = {
            field.name: _from_text(field.type, field.name.upper(), environment[field.name.upper()])
            for field in fields(cls)
        }
        return cls(**values)


@dataclass(frozen=True)
class OrchestratorSettings(FunctionSettings):
    """Settings of etl-orchestrator; the batch limits are files and bytes of files per execution.

    `engine` is one of `taxi_etl.engines.EngineChoice`.
    """

    state_machine_arn: str
    enable_orchestration: bool
    ledger_table: str
    batch_max_files: int
    batch_max_bytes: int
    engine: str


@dataclass(frozen=True)
class ValidatorSettings(FunctionSettings):
    """Settings of etl-orchestrator-validate-input.

    `max_file_bytes` limits one object, `instants` is one of `taxi_etl.schema.Instants`, `engine` one of
    `taxi_etl.engines.EngineChoice`. The limits of small batches are those of
    `taxi_etl.engines.SmallBatchLimits`.
    """

    runs_bucket: str
    max_file_bytes: int
    instants: str
    engine: str
    small_batch_max_parquet_bytes: int
    small_batch_max_csv_bytes: int
    small_batch_max_csv_gz_bytes: int
    small_batch_max_columns: int


@dataclass(frozen=True)
class SmallBatchSettings(FunctionSettings):
    """Settings of etl-run-small-batch.

    `warehouse` is the URI of the tables' folder, `max_quarantine_share` a fraction of a file's rows,
    `anomaly_policy` one of `taxi_etl.anomalies.AnomalyPolicy`, and
    `storage_mb` the size of the function's `/tmp`. `optimizer_role` is the ARN of the role of new tables'
    optimizers, which keep old snapshots for `retention_days`; `command` is as for the finalizer.
    """

    database: str
    warehouse: str
    max_quarantine_share: float
    anomaly_policy: str
    command: str
    optimizer_role: str
    retention_days: int
    storage_mb: int


@dataclass(frozen=True)
class FinalizerSettings(FunctionSettings):
    """Settings of etl-close-execution.

    `sweep_after_seconds` is the age at which the reconciler looks up an open claim; `command` is how
    `nextStep` calls the command line, such as `taxi-etl --environment dev`. With `chat_notifications`, HTTPS
    subscribers receive `taxi_etl.message_texts.chat_text`.
    """

    state_machine_arn: str
    ledger_table: str
    runs_bucket: str
    topic_arn: str
    sweep_after_seconds: int
    command: str
    chat_notifications: bool


def _to_text(value: bool | int | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_text(kind: Any, name: str, text: str) -> bool | int | float | str:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}; it must be true or false")
        return text == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{name} is {text!r}; it must be a whole number") from None
    if kind is float:
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{name} is {text!r}; it must be a number") from None
    return text
