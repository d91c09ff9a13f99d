"""Can this object be loaded at all? The checks that need no look inside it."""

from dataclasses import dataclass

from taxi_etl.failures import Failure, FailureCode
from taxi_etl.names import RAW_PREFIX

FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}
"""The format each allowed suffix stands for; suffixes are compared to the letter: Spark
picks the decompressor by suffix, and reads `.GZ` as if it were text."""
ALLOWED_SUFFIXES = tuple(FORMATS)
GZIP_SUFFIX = ".gz"
HIDDEN_BEGINNINGS = ("_", ".")
"""How the names of files begin that Spark takes for hidden ones, and leaves out without a word."""
PATH_WORDS = frozenset({"", ".", ".."})
"""Parts of a key that are no names in a path: Hadoop leaves them out, and so would read another object."""
ARCHIVED_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that need a restore before a read. GLACIER_IR is not among them: it reads like any other.
Source: Amazon S3 user guide, storage classes."""


@dataclass(frozen=True)
class FileFacts:
    """What is known of one object version, from S3's headers or written down by a test; sizes in bytes.

    `exists` is false for a version that is gone and for a key whose newest version is a delete marker.
    `archive_status` is Intelligent-Tiering's, empty when the object is not in an archive tier; `restored`
    says that a temporary copy of an archived object is there to be read.
    """

    key: str
    exists: bool = True
    size: int = 0
    storage_class: str = "STANDARD"
    archive_status: str = ""
    restored: bool = False
    is_current: bool = True

    @property
    def is_superseded(self) -> bool:
        """Whether the object has a newer version, which has an event of its own."""
        return self.exists and not self.is_current


@dataclass(frozen=True)
class Limits:
    """What a deployment sets: the largest object that is loaded, in bytes."""

    max_file_bytes: int


def check_key(key: str) -> list[Failure]:
    """Every reason, visible in its key alone, for which an object cannot be loaded."""
    found = []
    if not key.startswith(RAW_PREFIX):
        found.append(Failure(FailureCode.WRONG_PREFIX, f"the key must begin with {RAW_PREFIX}"))
    if PATH_WORDS.intersection(key.split("/")[:-1]):
        text = "no folder in the key may be empty, '.' or '..': Spark would read another object"
        found.append(Failure(FailureCode.WRONG_PREFIX, text))
    if file_format(key) is None:
        found.append(
            Failure(FailureCode.UNSUPPORTED_TYPE, f"the file name must end in {', '.join(ALLOWED_SUFFIXES)}")
        )
    if key.rpartition("/")[2].startswith(HIDDEN_BEGINNINGS):
        text = "the file name must not begin with an underscore or a dot: Spark takes it for a hidden file"
        found.append(Failure(FailureCode.UNSUPPORTED_TYPE, text))
    return found


def check_file(facts: FileFacts, limits: Limits) -> list[Failure]:
    """Every reason, told by key and headers, why this file cannot be loaded; an empty list means none."""
    found = check_key(facts.key)
    if not facts.exists:
        # Nothing else is known of an object that is not there.
        return [*found, Failure(FailureCode.NOT_FOUND, "the object does not exist, or was deleted since")]
    if facts.size == 0:
        found.append(Failure(FailureCode.EMPTY, "the object holds no bytes"))
    if facts.size > limits.max_file_bytes:
        text = f"{facts.size:,} bytes are more than the limit of {limits.max_file_bytes:,}"
        found.append(Failure(FailureCode.TOO_LARGE, text))
    if is_archived(facts):
        tier = facts.archive_status or facts.storage_class
        found.append(
            Failure(FailureCode.ARCHIVED, f"the object is archived ({tier}); restore it, then replay")
        )
    return found


def is_archived(facts: FileFacts) -> bool:
    """Whether reading the object needs a restore first."""
    return not facts.restored and (facts.storage_class in ARCHIVED_CLASSES or bool(facts.archive_status))


def file_format(key: str) -> str | None:
    """`parquet` or `csv` as the key's suffix says; None for any other."""
    return next((format for suffix, format in FORMATS.items() if key.endswith(suffix)), None)


def is_gzipped(key: str) -> bool:
    """Whether the key says that the object is compressed with gzip."""
    return key.endswith(GZIP_SUFFIX)
