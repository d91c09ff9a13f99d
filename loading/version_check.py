"""Check whether the file versions of a load are still the current ones."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from loading.file_load import FileLoad
from loading.storage import THREADS, RefusedObjectError, Storage


def check_versions(storage: Storage, files: Sequence[FileLoad]) -> None:
    """Mark files whose object has a newer version or was deleted, and fail those that S3 refuses to read.

    Failed files are checked too: the failure may come from reading an object while it was replaced.
    """
    files = [file for file in files if not file.is_outdated]
    if not files:
        return
    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        for _ in pool.map(lambda file: _check_version(storage, file), files):
            pass


def _check_version(storage: Storage, file: FileLoad) -> None:
    try:
        version_id = storage.current_version(file.version)
    except RefusedObjectError as error:
        file.fail(error.failure.code, error.failure.message)
        return
    if version_id != file.version.version_id:
        file.mark_outdated(deleted=version_id is None)
