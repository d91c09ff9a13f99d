"""What executions used, from Step Functions, Glue, Lambda's configuration and the tables' snapshots."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from botocore.exceptions import ClientError
from pyiceberg.catalog import Catalog

from ops import history
from ops.deployment import Deployment
from ops.history import Execution, Step
from ops.session import Session
from taxi_etl import billing
from taxi_etl.execution_cost import Basis, FunctionUse, Usage
from taxi_etl.tables import table_names

NOTIFICATION_STATES = "Notify"
"""The prefix of the names of states that publish."""
REMOVED_FUNCTION_MB = (1769, 4096)
"""Default memory and storage of the function for small batches, for deployments that no longer have it."""
EXECUTION_PROPERTY, BYTES_PROPERTY = "taxi-etl.execution", "added-files-size"


class UsageReader:
    """Reads what executions used; each function's configuration and the tables are read once."""

    def __init__(self, session: Session, deployment: Deployment, table_bytes: Mapping[str, int]) -> None:
        self._session = session
        self._deployment = deployment
        self._table_bytes = table_bytes
        self._configuration = lru_cache(maxsize=None)(self._read_configuration)

    def read(self, execution: Execution) -> Usage:
        """Read what an execution used so far."""
        events = history.events(self._session, execution.arn)
        steps = history.steps(events)
        job_run = history.job_run_id(events)
        files = history.input_files(execution.input)
        return Usage(
            files=len(files),
            transitions=transitions(steps),
            functions=tuple(self._functions(steps)),
            engine=history.engine_of(steps),
            job_runs=int(bool(job_run)),
            dpu_hours=self._dpu_hours(job_run) if job_run else None,
            crawls=sum(step.started_crawl for step in steps),
            notifications=sum(step.state.startswith(NOTIFICATION_STATES) for step in steps),
            raw_bytes=sum(file.size for file in files),
            table_bytes=self._table_bytes.get(execution.name),
        )

    def _functions(self, steps: Sequence[Step]) -> Iterable[FunctionUse]:
        """Yield the functions that the workflow invoked, with the time that Step Functions waited for each.

        This time is slightly longer than the billed one, and includes cold starts.
        """
        names = {
            "ValidateInput": self._deployment.validate_function_name,
            history.SMALL_BATCH_STATE: self._deployment.small_batch_function_name,
        }
        for step in steps:
            if step.state in names and step.seconds is not None:
                name = names[step.state]
                memory, storage = self._configuration(name) if name else REMOVED_FUNCTION_MB
                basis = Basis.MEASURED if name else Basis.ESTIMATED
                yield FunctionUse(step.state, round(1000 * step.seconds), memory, storage, basis)

    def _read_configuration(self, name: str) -> tuple[int, int]:
        """Return the memory and the ephemeral storage of a function, in MB."""
        found = self._session.client("lambda").get_function_configuration(FunctionName=name)
        return int(found["MemorySize"]), int(found.get("EphemeralStorage", {}).get("Size", 512))

    def _dpu_hours(self, run_id: str) -> float | None:
        try:
            answer = self._session.client("glue").get_job_run(
                JobName=self._deployment.glue_job_name, RunId=run_id
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return None
        return billing.dpu_hours(answer["JobRun"])


def transitions(steps: Iterable[Step]) -> int:
    """Count the state transitions of an execution: each visit of a state, and each retry."""
    return sum(max(1, step.attempts) for step in steps)


def table_bytes(catalog: Catalog, database: str) -> dict[str, int]:
    """Return the bytes of data files that each execution added, by the snapshots that have not expired."""
    found: dict[str, int] = {}
    for name in table_names():
        if not catalog.table_exists((database, name)):
            continue
        for snapshot in catalog.load_table((database, name)).snapshots():
            facts = snapshot.summary
            if facts and facts[EXECUTION_PROPERTY]:
                execution = str(facts[EXECUTION_PROPERTY])
                found[execution] = found.get(execution, 0) + int(facts[BYTES_PROPERTY] or 0)
    return found
