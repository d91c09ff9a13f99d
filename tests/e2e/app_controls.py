"""Helpers that create files for the deployed app and control its engine, event delivery and reconciler."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

import sample_data
from taxi_etl.engines import EngineChoice
from tests.fixtures.deployed_app import App, eventually

ROWS = 300


def rejected_file(folder: Path, name: str) -> Path:
    """Create a file that validation rejects as not_gzip."""
    path = folder / name
    path.write_text("VendorID,lpep_pickup_datetime\n1,2021-01-01 00:00:00\n")
    return path


def trip_file(
    folder: Path,
    month: str,
    dataset: str = "fhv",
    rows: int = ROWS,
    name: str = "",
    *,
    dirty_share: float = 0,
) -> Path:
    """Create a valid trip file, of whose rows `dirty_share` fail validation."""
    target = folder / (name or f"{dataset}_tripdata_{month}.parquet")
    return sample_data.generate(target, dataset=dataset, month=month, rows=rows, dirty_share=dirty_share).path


def with_checksums(path: Path) -> Path:
    """Write the pages of a Parquet file again with checksums, which small batches may not have."""
    pq.write_table(pq.read_table(path), path, write_page_checksum=True)
    return path


def newest_job_run(app: App, state: str) -> str:
    """Wait until the newest job run is in that state, and return its id."""
    glue = app.session.client("glue")
    found: list[str] = []

    def exists() -> bool:
        runs = glue.get_job_runs(JobName=app.deployed.glue_job_name)["JobRuns"]
        found[:] = [run["Id"] for run in runs[:1] if run["JobRunState"] == state]
        return bool(found)

    eventually(exists, f"a job run in state {state}")
    return found[0]


@contextmanager
def loading_with_the_job(app: App) -> Iterator[None]:
    """Let the Glue job load the batches that are validated within the block.

    This is the engine's setting in the validator, for tests whose subject is the job.
    """
    with _changed_variable(app, app.deployed.validate_function_name, "ENGINE", EngineChoice.GLUE):
        yield


@contextmanager
def reconciling_new_claims(app: App) -> Iterator[None]:
    """Let the reconciler process claims of any age within the block."""
    with _changed_variable(app, app.deployed.close_function_name, "SWEEP_AFTER_SECONDS", "0"):
        yield


@contextmanager
def _changed_variable(app: App, function: str, name: str, value: str) -> Iterator[None]:
    functions = app.session.client("lambda")
    kept = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    assert name in kept
    changed = {**kept, name: value}
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": changed})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": kept})


def deliver_events(app: App, *, enabled: bool) -> None:
    """Enable or disable the delivery of events to the orchestrator."""
    functions = app.session.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=app.deployed.orchestrator_function_name)
    for mapping in found["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
