"""Repository of the documents that an execution leaves: its manifest and its job's result."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from stores.errors import error_code
from taxi_etl.documents import JobResult, Manifest
from taxi_etl.identity import FileVersion
from taxi_etl.names import manifest_key, result_key
from taxi_etl.outcomes import Ending, FileOutcome, outcomes
from taxi_etl.s3_uris import s3_uri

Document = TypeVar("Document", Manifest, JobResult)


class ExecutionDocuments:
    """The documents of executions in the bucket that holds `runs/`.

    A document that cannot be parsed, because it is damaged or of another version, counts as missing.
    `on_unreadable` is called with its URI while the parser's exception is handled.
    """

    def __init__(self, s3: Any, bucket: str, on_unreadable: Callable[[str], None] = lambda uri: None) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._on_unreadable = on_unreadable

    def outcomes(
        self, execution: str, files: Iterable[FileVersion], ending: Ending
    ) -> tuple[FileOutcome, ...]:
        """Return each file's outcome in an ended execution; `files` are those of the execution's input."""
        return outcomes(files, self.manifest(execution), self.result(execution), ending)

    def manifest(self, execution: str) -> Manifest | None:
        """Read the manifest; None when validation wrote none."""
        return self._load(manifest_key(execution), Manifest.loads)

    def result(self, execution: str) -> JobResult | None:
        """Read the job's result; None when the job wrote none."""
        return self._load(result_key(execution), JobResult.loads)

    def manifest_uri(self, execution: str) -> str:
        """Return the URI of the manifest, whether it exists or not."""
        return self._uri(manifest_key(execution))

    def _uri(self, key: str) -> str:
        return s3_uri(self._bucket, key)

    def _load(self, key: str, loads: Callable[[bytes], Document]) -> Document | None:
        try:
            with self._s3.get_object(Bucket=self._bucket, Key=key)["Body"] as body:
                content: bytes = body.read()
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise
        try:
            return loads(content)
        except (KeyError, ValueError, TypeError):
            self._on_unreadable(self._uri(key))
            return None
