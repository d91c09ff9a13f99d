"""Check whether the file versions of a load are still the current ones."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from glue_scripts.file_load import FileLoad
from glue_scripts.reading import THREADS
from glue_scripts.storage import Storage


def check_versions(storage: Storage, files: Sequence[FileLoad]) -> None:
    """Mark files whose object has a newer version or was deleted.

    Failed files are checked too: the failure may come from reading an object while it was replaced.
    """
    files = [file for file in files if not file.is_outdated]
    if not files:
        return
    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        current = pool.map(lambda file: storage.current_version(file.version), files)
        for file, version_id in zip(files, current, strict=True):
            if version_id != file.version.version_id:
                file.mark_outdated(deleted=version_id is None)
