"""Loads the files of a manifest from S3, and writes `result.json` and `summary.json`."""

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
    """Load the files of a manifest, write `result.json` and `summary.json` next to it, and return both.

    The summary is returned as its text. Raises Declined if the engine does not load the manifest; then
    nothing is committed or written.
    """
    manifest = Manifest.loads(storage.read(manifest_uri))
    loader = Loader(engine, storage, options, run)
    result = loader.load(manifest)
    folder = manifest_uri.rsplit("/", 1)[0]
    storage.write(f"{folder}/result.json", result.dumps())
    summary = job_summary(result, manifest)
    storage.write(f"{folder}/summary.json", summary)
    if options.maintenance:
        tables = loader.ensured_tables()
        for warning in create_optimizers(engine, tables, options.database, options.maintenance):
            print(f"{options.program}: {warning}")
    return result, summary
