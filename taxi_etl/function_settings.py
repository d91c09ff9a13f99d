"""How are the Lambda functions configured? One frozen dataclass each; field names are the variables' names.

The CDK constructs write them with `to_environment`, the handlers read them with `from_environment`,
so that the two sides cannot drift.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class FunctionSettings:
    """Settings as environment variables: a field `state_machine_arn` is the variable `STATE_MACHINE_ARN`."""

    def to_environment(self) -> dict[str, str]:
        """The environment variables; booleans are `true` or `false`."""
        return {name.upper(): _to_text(value) for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in the environment variables. Raises ValueError naming what is missing or wrong."""
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
    """etl-orchestrator: batch limits are files per execution and bytes of files per execution."""

    state_machine_arn: str
    enable_orchestration: bool
    ledger_table: str
    batch_max_files: int
    batch_max_bytes: int


@dataclass(frozen=True)
class ValidatorSettings(FunctionSettings):
    """etl-orchestrator-validate-input: the limit is bytes of one object."""

    runs_bucket: str
    max_file_bytes: int


@dataclass(frozen=True)
class FinalizerSettings(FunctionSettings):
    """etl-close-execution: `sweep_after_seconds` is the age from which an open claim is looked into.

    `command` is how nextStep addresses the command line, e.g. `taxi-etl --environment dev`.
    """

    state_machine_arn: str
    ledger_table: str
    runs_bucket: str
    topic_arn: str
    sweep_after_seconds: int
    command: str


def _to_text(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_text(kind: Any, name: str, text: str) -> bool | int | str:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}; it must be true or false")
        return text == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{name} is {text!r}; it must be a whole number") from None
    return text
