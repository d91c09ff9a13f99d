"""Loads the files of a manifest from S3, and writes the results next to it."""

from loading.engine import Engine, TableT
from loading.loader import Loader
from loading.options import Options
from loading.storage import Storage
from loading.table_optimizers import create_optimizers
from taxi_etl.documents import JobResult, Manifest
from taxi_etl.summaries import job_summary
from taxi_etl.transform.sources import JobRun


def load_manifest(
    manifest_uri: str, engine: Engine[TableT], storage: Storage, options: Options, run: JobRun
) -> tuple[JobResult, str]:
    """Load the files of a manifest, and write `result.json` next to it.

    Returns the result and the text of its summary. Raises Declined if the engine does not load the manifest;
    then nothing is committed or written.
    """
    manifest = Manifest.loads(storage.read(manifest_uri))
    loader = Loader(engine, storage, options, run)
    result = loader.load(manifest)
    storage.write(_beside(manifest_uri, "result.json"), result.dumps())
    if options.maintenance:
        tables = loader.ensured_tables()
        for warning in create_optimizers(engine, tables, options.database, options.maintenance):
            print(f"{options.program}: {warning}")
    return result, job_summary(result, manifest)


def write_summary(storage: Storage, manifest_uri: str, summary: str) -> None:
    """Write `summary.json`, from which the state machine reads what a job run did."""
    storage.write(_beside(manifest_uri, "summary.json"), summary)


def _beside(manifest_uri: str, name: str) -> str:
    return f"{manifest_uri.rsplit('/', 1)[0]}/{name}"
