"""What can a test do to the deployed app beside uploading? Make files, hold events back, hurry the sweep."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sample_data
from tests.e2e.conftest import App, eventually

ROWS = 300


def broken(folder: Path, name: str) -> Path:
    """A file that validation rejects as not_gzip."""
    path = folder / name
    path.write_text("VendorID,lpep_pickup_datetime\n1,2021-01-01 00:00:00\n")
    return path


def trips(
    folder: Path,
    month: str,
    dataset: str = "fhv",
    rows: int = ROWS,
    name: str = "",
    *,
    dirty_share: float = 0,
) -> Path:
    """A trip file without faults of its own, but for its share of rows that cannot be true."""
    target = folder / (name or f"{dataset}_tripdata_{month}.parquet")
    return sample_data.generate(target, dataset=dataset, month=month, rows=rows, dirty_share=dirty_share).path


def new_run(app: App, state: str) -> str:
    """The newest job run, once it is in that state; gives its id."""
    glue = app.session.client("glue")
    found: list[str] = []

    def there() -> bool:
        runs = glue.get_job_runs(JobName=app.deployed.glue_job_name)["JobRuns"]
        found[:] = [run["Id"] for run in runs[:1] if run["JobRunState"] == state]
        return bool(found)

    eventually(there, f"a job run {state}")
    return found[0]


@contextmanager
def sweeping_at_once(app: App) -> Iterator[None]:
    """Meanwhile the sweep looks into claims of any age, not only into those of some minutes."""
    functions, name = app.session.client("lambda"), app.deployed.close_function_name
    kept = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert "SWEEP_AFTER_SECONDS" in kept
    changed = {**kept, "SWEEP_AFTER_SECONDS": "0"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": kept})


def deliver_events(app: App, *, enabled: bool) -> None:
    """Let events go to the orchestrator, or pile up in the queue."""
    functions = app.session.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=app.deployed.orchestrator_function_name)
    for mapping in found["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
