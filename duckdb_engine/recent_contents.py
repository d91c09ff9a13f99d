"""Contents of metadata files that were read or written recently.

Iceberg never changes a metadata file: each has a name of its own. A load reads the same ones several times,
and the next load in the same process reads them again.
"""

from collections import OrderedDict
from threading import Lock

BYTES_MAX = 64 * 1024**2


class RecentContents:
    """Contents by location, up to a total size; the least recently used are dropped first."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, location: str) -> bytes | None:
        """The content of a file; None if it is not known."""
        with self._lock:
            content = self._contents.get(location)
            if content is not None:
                self._contents.move_to_end(location)
            return content

    def put(self, location: str, content: bytes) -> None:
        """Keep the content of a file."""
        with self._lock:
            self._remove(location)
            self._contents[location] = content
            self._bytes += len(content)
            while self._bytes > self._bytes_max:
                self._remove(next(iter(self._contents)))

    def remove(self, location: str) -> None:
        """Forget a file."""
        with self._lock:
            self._remove(location)

    def _remove(self, location: str) -> None:
        self._bytes -= len(self._contents.pop(location, b""))
