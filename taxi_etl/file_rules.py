"""File rules that need only the key and the metadata of an object."""

from dataclasses import dataclass

from taxi_etl.failures import Failure, FailureCode
from taxi_etl.names import RAW_PREFIX
from taxi_etl.schema import Instants

FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}
"""Formats by suffix. Suffixes are case-sensitive: Spark picks the decompressor by suffix, and reads `.GZ` as
plain text."""
ALLOWED_SUFFIXES = tuple(FORMATS)
GZIP_SUFFIX = ".gz"
HIDDEN_BEGINNINGS = ("_", ".")
"""First characters of the names of hidden files, which Spark skips silently."""
SIDE_OBJECT_BEGINNINGS = {
    "_": "its name begins with an underscore, as those of Spark's and Hadoop's markers do",
    ".": "its name begins with a dot, as those of hidden and temporary files do",
    "~$": "it is the lock file of an office program",
}
"""Beginnings of file names of markers and temporary objects, and what they are."""
SIDE_OBJECT_ENDINGS = {
    "/": "it is a folder marker",
    "$folder$": "it is a folder marker",
    ".crc": "it is a checksum that Hadoop wrote beside a file",
    **dict.fromkeys((".md5", ".sha1", ".sha256", ".sha512"), "it is the checksum of a file"),
    ".csv.metadata": "it is what Athena writes beside a result",
    **dict.fromkeys(
        (
            *(".filepart", ".part", ".partial", ".crdownload", ".download", ".opdownload", ".aria2"),
            *("._copying_", ".part.minio", ".inprogress"),
        ),
        "it is an unfinished transfer",
    ),
    **dict.fromkeys((".tmp", ".temp", ".swp", "~"), "it is a temporary file"),
    **dict.fromkeys((".lock", ".lck"), "it is a lock file"),
    **dict.fromkeys(("/thumbs.db", "/desktop.ini"), "it is what Windows writes into a folder"),
}
"""Endings of the keys of markers and temporary objects, in any case, and what they are."""
SIDE_OBJECT_FOLDERS = (
    "_temporary",
    "_delta_log",
    "_spark_metadata",
    "__magic",
    "__macosx",
    ".spark-staging",
    ".hive-staging",
    ".staging",
    "_impala_insert_staging",
    "_change_data",
    ".hoodie",
    ".ipynb_checkpoints",
    ".trash",
    "@eadir",
)
"""Beginnings of the names of folders, in any case, that hold only temporary files and logs of other tools.
Other folders may begin with an underscore or a dot."""
PATH_WORDS = frozenset({"", ".", ".."})
"""Path segments that Hadoop removes from a key, so that it would read another object."""
ARCHIVED_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that need a restore before a read. GLACIER_IR does not.
Source: Amazon S3 user guide, storage classes."""


@dataclass(frozen=True)
class FileFacts:
    """Facts about one object version; `size` is in bytes.

    `exists` is false for a deleted version and for a key whose current version is a delete marker.
    `archive_status` is that of Intelligent-Tiering, empty outside its archive tiers. `restored` is true while
    a temporary copy of an archived object can be read.
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
        """Whether the object has a newer version, which has its own event."""
        return self.exists and not self.is_current


@dataclass(frozen=True)
class Limits:
    """What a deployment accepts: the size of a file in bytes, and how instants in Parquet files are read."""

    max_file_bytes: int
    instants: Instants = Instants.REJECT


def ignored_object_reason(key: str, size: int | None = None) -> str | None:
    """Return why an object is a marker or a temporary object of another tool; None if it may be a trip file.

    Such objects start nothing and are not reported as rejected: the tool that writes them also writes the
    file itself, under its own key. `size` is in bytes, None if unknown.
    """
    *folders, name = key.lower().split("/")
    for folder in folders:
        if folder.startswith(SIDE_OBJECT_FOLDERS):
            return f"its folder {folder} holds the temporary files or logs of another tool"
    for ending, reason in SIDE_OBJECT_ENDINGS.items():
        if key.lower().endswith(ending):
            return reason
    for beginning, reason in SIDE_OBJECT_BEGINNINGS.items():
        if name.startswith(beginning):
            return reason
    if size == 0 and "." not in name:
        return "it is a folder marker of zero bytes"
    return None


def check_key(key: str) -> list[Failure]:
    """Return every reason in the key why an object cannot be loaded."""
    found = []
    if not key.startswith(RAW_PREFIX):
        found.append(Failure(FailureCode.WRONG_PREFIX, f"the object key must begin with {RAW_PREFIX}"))
    if PATH_WORDS.intersection(key.split("/")[:-1]):
        text = "the object key has an empty, '.' or '..' folder, which Spark ignores; rename the folder"
        found.append(Failure(FailureCode.WRONG_PREFIX, text))
    if file_format(key) is None:
        found.append(
            Failure(FailureCode.UNSUPPORTED_TYPE, f"the file name must end in {', '.join(ALLOWED_SUFFIXES)}")
        )
    if key.rpartition("/")[2].startswith(HIDDEN_BEGINNINGS):
        text = "the file name begins with an underscore or dot, which Spark skips as hidden; rename the file"
        found.append(Failure(FailureCode.UNSUPPORTED_TYPE, text))
    elif file_format(key) is not None and (reason := ignored_object_reason(key)):
        found.append(Failure(FailureCode.UNSUPPORTED_TYPE, f"the object is not a trip file: {reason}"))
    return found


def check_file(facts: FileFacts, limits: Limits) -> list[Failure]:
    """Return every reason why this file cannot be loaded; an empty list means it is valid so far."""
    found = check_key(facts.key)
    if not facts.exists:
        # The other facts of a missing object are unknown.
        return [
            *found,
            Failure(FailureCode.NOT_FOUND, "the object does not exist; it was deleted or never uploaded"),
        ]
    if facts.size == 0:
        found.append(Failure(FailureCode.EMPTY, "the file is empty (0 bytes)"))
    if facts.size > limits.max_file_bytes:
        text = f"the file has {facts.size:,} bytes; the limit is {limits.max_file_bytes:,}"
        found.append(Failure(FailureCode.TOO_LARGE, text))
    if is_archived(facts):
        tier = facts.archive_status or facts.storage_class
        found.append(
            Failure(
                FailureCode.ARCHIVED, f"the object is archived ({tier}); restore it, then replay the file"
            )
        )
    return found


def is_archived(facts: FileFacts) -> bool:
    """Whether the object must be restored before it can be read."""
    return not facts.restored and (facts.storage_class in ARCHIVED_CLASSES or bool(facts.archive_status))


def file_format(key: str) -> str | None:
    """The format by the key's suffix, `parquet` or `csv`, or None."""
    return next((format for suffix, format in FORMATS.items() if key.endswith(suffix)), None)


def is_gzipped(key: str) -> bool:
    """Whether the key's suffix means that the object is compressed with gzip."""
    return key.endswith(GZIP_SUFFIX)
