"""Validate each file of an execution: gather the facts and apply the rules."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from lambdas.clients import CONNECTIONS
from lambdas.validate_input import objects
from lambdas.validate_input.footer_reader import DamagedFooterError, FooterReader
from stores.errors import error_code
from taxi_etl import contents, parquet_rules
from taxi_etl.contents import Contents
from taxi_etl.datasets import DATASETS
from taxi_etl.documents import AcceptedFile, Manifest, RejectedFile, SupersededFile, shorten
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.file_rules import Limits, check_file, check_key, file_format, is_gzipped
from taxi_etl.first_values import inspect_first_values, unreadable_folders
from taxi_etl.identity import FileVersion
from taxi_etl.inputs import ExecutionInput
from taxi_etl.names import RAW_PREFIX
from taxi_etl.partitions import added_columns, contradicting_folders, folder_values
from taxi_etl.recognition import recognize
from taxi_etl.schema import text_columns, with_instants

FOOTERS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="footers")
"""One thread reads all footers, so that one footer at a time takes memory."""
READER = FooterReader()
Finding = AcceptedFile | RejectedFile | SupersededFile


def validate(s3: Any, given: ExecutionInput, execution: str, limits: Limits) -> Manifest:
    """Validate every file of an execution's input and return the manifest, ordered by key.

    Raises InvalidInputError for an unversioned bucket, and AWS faults.
    """
    with ThreadPoolExecutor(max_workers=min(CONNECTIONS, len(given.files))) as pool:
        found = list(pool.map(lambda version: check(s3, version, limits), given.files))
    by_identity = {finding.version.identity: finding for finding in found}
    ordered = [by_identity[identity] for identity in sorted(by_identity)]
    return Manifest(
        execution=execution,
        bucket=given.bucket,
        trigger=str(given.trigger),
        accepted=tuple(finding for finding in ordered if isinstance(finding, AcceptedFile)),
        rejected=tuple(finding for finding in ordered if isinstance(finding, RejectedFile)),
        superseded=tuple(finding for finding in ordered if isinstance(finding, SupersededFile)),
    )


def check(s3: Any, version: FileVersion, limits: Limits) -> Finding:
    """Validate one file by its headers and by its first and last bytes.

    An object to which S3 refuses access is rejected alone. Raises AWS faults.
    """
    try:
        return _check(s3, version, limits)
    except ClientError as error:
        refusal = objects.refusal(s3, version, error)
        if refusal is None:
            raise
        return RejectedFile(version, (refusal,))


def _check(s3: Any, version: FileVersion, limits: Limits) -> Finding:
    if not version.key.startswith(RAW_PREFIX):
        # The function has no permission to read other prefixes.
        return RejectedFile(version, tuple(check_key(version.key)))
    version, facts = objects.look_up(s3, version)
    if facts.is_superseded:
        return SupersededFile(version)
    reasons = check_file(facts, limits)
    if reasons:
        return RejectedFile(version, tuple(reasons))
    found = inspect_contents(s3, version)
    return _recognized(version, replace(found, columns=with_instants(found.columns, limits.instants)))


def _recognized(version: FileVersion, found: Contents) -> AcceptedFile | RejectedFile:
    if found.failures:
        return RejectedFile(version, found.failures)
    folders = text_columns(folder_values(version.key))
    recognition = recognize((*found.columns, *folders), version.key.removeprefix(RAW_PREFIX))
    if recognition.failures or recognition.dataset is None:
        return RejectedFile(version, tuple(recognition.failures))
    dataset = DATASETS[recognition.dataset]
    contradiction = contradicting_folders(version.key, dataset)
    if contradiction:
        return RejectedFile(version, (Failure(FailureCode.UNCLEAR_COLUMN, contradiction),))
    _, failures = inspect_first_values(dataset, found.columns, found.rows, found.dialect.decimal)
    failures += unreadable_folders(dataset, added_columns(version.key, dataset, found.columns))
    if failures:
        return RejectedFile(version, failures)
    return AcceptedFile.of(version, recognition.dataset, found)


def inspect_contents(s3: Any, version: FileVersion) -> Contents:
    """Inspect the first and last bytes of an object; an object deleted in between is `not_found`."""
    try:
        return _read_ends(s3, version)
    except ClientError as error:
        if error_code(error) not in objects.GONE:
            raise
        gone = Failure(FailureCode.NOT_FOUND, "the object was deleted during validation")
        return Contents(failures=(gone,))


def _read_ends(s3: Any, version: FileVersion) -> Contents:
    head = objects.read_range(s3, version, 0, min(contents.HEAD_BYTES, version.size))
    if file_format(version.key) != "parquet":
        return _check_end(
            s3, version, contents.inspect_csv(head, version.size, gzipped=is_gzipped(version.key))
        )
    tail_start = max(0, version.size - contents.TAIL_BYTES)
    tail = objects.read_range(s3, version, tail_start, version.size) if tail_start else head
    found = contents.find_footer(head, tail, version.size)
    if found.failures:
        return Contents(failures=found.failures)
    return FOOTERS.submit(_inspect_footer, s3, version, head, tail, found.length).result()


def _check_end(s3: Any, version: FileVersion, found: Contents) -> Contents:
    """The contents of a CSV object, or the failure if its end is truncated."""
    if found.failures or found.compression != "none":
        return found
    tail = objects.read_range(s3, version, max(0, version.size - contents.TAIL_BYTES), version.size)
    failure = contents.check_csv_end(tail, found)
    return Contents(failures=(failure,)) if failure else found


def _inspect_footer(s3: Any, version: FileVersion, head: bytes, tail: bytes, length: int) -> Contents:
    """Inspect the footer of a Parquet object; `tail` may hold only the end of it."""
    start = version.size - length - contents.PARQUET_TRAILER_BYTES
    footer = tail[start - version.size :]
    if len(tail) < version.size - start:
        footer = objects.read_range(s3, version, start, version.size)
    failures = parquet_rules.check_schema_size(footer)
    if failures:
        return Contents(failures=tuple(failures))
    try:
        facts = READER.read(footer)
    except DamagedFooterError as error:
        return Contents(failures=(parquet_rules.damaged(shorten(str(error))),))
    failures = parquet_rules.check_footer(facts, start)
    if not failures:
        # Offsets count from the beginning of a file, so the last of several joined files would begin here.
        failures = contents.check_joined(_bytes_before(s3, version, head, tail, start - facts.data_end))
    return Contents(columns=facts.columns, row_decoder=facts.needs_row_decoder, failures=tuple(failures))


def _bytes_before(s3: Any, version: FileVersion, head: bytes, tail: bytes, place: int) -> bytes:
    """The bytes around and before a place in an object, read only if its head and tail do not hold them."""
    end = min(version.size, place + 2 * len(contents.PARQUET_MAGIC))
    begin, tail_start = max(0, end - contents.TAIL_BYTES), version.size - len(tail)
    if end <= len(head):
        return head[begin:end]
    if begin >= tail_start:
        return tail[begin - tail_start : end - tail_start]
    return objects.read_range(s3, version, begin, end)
