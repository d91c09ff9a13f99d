"""What did an execution leave in the runs bucket? Its manifest and its job's result, where there are any."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from lambdas.clients import error_code
from lambdas.observability import logger
from taxi_etl.documents import JobResult, Manifest
from taxi_etl.names import manifest_key, result_key

Document = TypeVar("Document", Manifest, JobResult)


class ExecutionDocuments:
    """The documents of executions; `bucket` holds `runs/`."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """The documents in that bucket."""
        self._s3 = s3
        self._bucket = bucket

    def manifest(self, execution: str) -> Manifest | None:
        """What validation found, or None when it did not come to an end."""
        return self._load(manifest_key(execution), Manifest.loads)

    def result(self, execution: str) -> JobResult | None:
        """What the job did, or None when it left no result."""
        return self._load(result_key(execution), JobResult.loads)

    def manifest_uri(self, execution: str) -> str:
        """Where the manifest is."""
        return f"s3://{self._bucket}/{manifest_key(execution)}"

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
            # Half a document, or one of another version: the files shall fail aloud rather than the closer.
            logger.exception("a run's document cannot be read", bucket=self._bucket, key=key)
            return None
