"""Checks the bytes of whole CSV files before an engine parses them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from botocore.exceptions import BotoCoreError

from loading.file_load import FileLoad, loadable
from loading.storage import THREADS, RefusedObjectError, Storage
from loading.version_check import check_versions
from taxi_etl.csv_scan import CsvScan, scan_csv

SCAN_ATTEMPTS = 3
"""A connection that breaks while an object is read does not mean that the object is damaged."""


def check_csv_bytes(storage: Storage, files: Sequence[FileLoad]) -> None:
    """Fail CSV files that are damaged, count their rows, and mark unbalanced quotes and suspicious ends."""
    files = [file for file in loadable(files) if file.source.file.format == "csv"]
    if not files:
        return
    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        scans = list(pool.map(lambda file: _scan(storage, file), files))
    for file, scan in zip(files, scans, strict=True):
        file.failure = scan.failure
        file.source = replace(
            file.source,
            rows=None if scan.lines is None else scan.lines - file.source.file.dialect.skip_lines - 1,
            unbalanced_quotes=scan.unbalanced_quotes,
            warnings=(scan.warning,) if scan.warning else (),
        )
    # An object that was replaced while it was read may look damaged.
    check_versions(storage, [file for file in files if file.failure])


def _scan(storage: Storage, load: FileLoad) -> CsvScan:
    file = load.source.file
    attempt = 1
    while True:
        try:
            return scan_csv(
                storage.chunks(file.version),
                gzipped=file.compression == "gzip",
                encoding=file.encoding,
                delimiter=file.dialect.delimiter,
                names=len(file.columns),
                width=file.dialect.width(len(file.columns)),
            )
        except RefusedObjectError as refused:
            return CsvScan(refused.failure)
        except BotoCoreError:
            if attempt == SCAN_ATTEMPTS:
                raise
            attempt += 1
