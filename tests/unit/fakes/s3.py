"""Fake Amazon S3 client with object versions, delete markers, ranges and headers."""

import io
import re
from dataclasses import dataclass, field
from typing import Any

from fakes.faults import Faulty, fault


@dataclass
class Stored:
    """One version of an object; a version without content is a delete marker."""

    version_id: str
    content: bytes | None
    headers: dict[str, Any] = field(default_factory=dict)


class Buckets(Faulty):
    """S3's client. Buckets are versioned except those in `unversioned`; the last version is current."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[tuple[str, str], list[Stored]] = {}
        self.unversioned: set[str] = set()

    def upload(self, bucket: str, key: str, content: bytes, version_id: str, **headers: Any) -> None:
        """Store another version of an object, with additional headers as boto3 names them."""
        self.objects.setdefault((bucket, key), []).append(Stored(version_id, content, headers))

    def delete(self, bucket: str, key: str, version_id: str) -> None:
        """Add a delete marker."""
        self.objects.setdefault((bucket, key), []).append(Stored(version_id, None))

    def head_object(self, **arguments: Any) -> dict[str, Any]:
        """Return the headers. HEAD responses have no body, so their error codes are bare numbers."""
        self.note("head_object", arguments)
        stored = self._find(arguments)
        if stored is None:
            raise fault("404", "HeadObject")
        if stored.content is None:
            raise fault("405" if "VersionId" in arguments else "404", "HeadObject")
        return self._headers(arguments["Bucket"], stored)

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        """Return the content, or the requested range of it."""
        self.note("get_object", arguments)
        stored = self._find(arguments)
        if stored is None or stored.content is None:
            raise fault("NoSuchVersion" if "VersionId" in arguments else "NoSuchKey", "GetObject")
        content = stored.content
        if "Range" in arguments:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", arguments["Range"]).groups())  # type: ignore[union-attr]
            if first >= len(content) or last < first:
                raise fault("InvalidRange", "GetObject")
            content = content[first : last + 1]
        headers = {**self._headers(arguments["Bucket"], stored), "ContentLength": len(content)}
        return {**headers, "Body": io.BytesIO(content)}

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        """Store an object."""
        self.note("put_object", arguments)
        self.upload(arguments["Bucket"], arguments["Key"], arguments["Body"], f"put-{len(self.calls)}")
        return {}

    def bytes_read(self) -> int:
        """Return how many bytes were requested by range."""
        ranges = [arguments["Range"] for arguments in self.arguments("get_object")]
        pairs = [tuple(map(int, text.removeprefix("bytes=").split("-"))) for text in ranges]
        return sum(last - first + 1 for first, last in pairs)

    def _find(self, arguments: dict[str, Any]) -> Stored | None:
        versions = self.objects.get((arguments["Bucket"], arguments["Key"]), [])
        wanted = arguments.get("VersionId")
        if wanted is None:
            return versions[-1] if versions else None
        return next((stored for stored in versions if stored.version_id == wanted), None)

    def _headers(self, bucket: str, stored: Stored) -> dict[str, Any]:
        content = stored.content or b""
        headers = {"ContentLength": len(content), "ETag": '"e7a9"', "VersionId": stored.version_id}
        if bucket in self.unversioned:
            del headers["VersionId"]
        return {**headers, **stored.headers}
