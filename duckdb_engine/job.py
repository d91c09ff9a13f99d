"""Loads a manifest with the engine for small batches, connected to S3 and the Glue catalog."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import boto3
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.glue import GlueCatalog

from duckdb_engine import file_io
from duckdb_engine.engine import DuckDBEngine
from duckdb_engine.limits import Limits
from duckdb_engine.local_copies import LocalCopies
from loading.job import load_manifest
from loading.options import Options
from loading.storage import S3Storage, Storage
from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.documents import JobResult
from taxi_etl.table_maintenance import TableMaintenance
from taxi_etl.transform.sources import JobRun

PROGRAM = "duckdb_engine"


def load(
    manifest_uri: str,
    *,
    database: str,
    warehouse: str,
    max_quarantine_share: float,
    anomaly_policy: AnomalyPolicy,
    command: str,
    run_id: str,
    maintenance: TableMaintenance | None = None,
) -> tuple[JobResult, str]:
    """Load the files of a manifest into the Glue database, and write the result next to the manifest.

    Returns the result, and the text of its summary. `warehouse` is the URI below which new tables are
    created. Credentials, region and endpoints come from the environment. Raises Declined, after which nothing
    is committed or written, and AWS errors.
    """
    catalog = GlueCatalog(
        "glue_catalog",
        client=boto3.client("glue"),
        warehouse=warehouse,
        **{"py-io-impl": file_io.NAME},
    )
    options = Options(
        database=database,
        max_quarantine_share=max_quarantine_share,
        sort_by_pickup=False,
        command=command,
        program=PROGRAM,
        anomaly_policy=anomaly_policy,
        maintenance=maintenance,
    )
    return run(
        catalog, S3Storage(file_io.s3_client()), manifest_uri, options, JobRun(run_id, datetime.now(UTC))
    )


def run(
    catalog: Catalog,
    storage: Storage,
    manifest_uri: str,
    options: Options,
    job_run: JobRun,
    *,
    limits: Limits | None = None,
) -> tuple[JobResult, str]:
    """Load a manifest with any catalog and storage. Local files are deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="small-batch-") as name:
        folder = Path(name).resolve()
        copies = LocalCopies(storage, folder)
        with DuckDBEngine(catalog, options, job_run, folder, copy_of=copies.copy_of, limits=limits) as engine:
            return load_manifest(manifest_uri, engine, copies, options, job_run)
