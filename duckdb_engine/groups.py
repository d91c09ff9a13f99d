"""Groups small files of one layout: planning a query takes longer than reading their rows."""

from collections.abc import Iterator, Sequence

from loading.file_load import FileLoad

MIB = 1024 * 1024
FILE_BYTES_MAX = MIB
"""Larger files are not grouped: reading them takes much longer than planning."""
GROUP_BYTES_MAX = 4 * MIB
"""DuckDB holds the rows of a group in memory, with their lineage as texts."""
GROUP_FILES_MAX = 99
"""DuckDB keeps one output file open for each file, at most 100 (`partitioned_write_max_open_files`)."""


def groups(loads: Sequence[FileLoad]) -> Iterator[list[FileLoad]]:
    """The files in groups that are written together."""
    layouts: dict[tuple[object, ...], list[FileLoad]] = {}
    for load in loads:
        if load.version.size > FILE_BYTES_MAX:
            yield [load]
        else:
            layouts.setdefault(load.source.layout, []).append(load)
    for same in layouts.values():
        yield from _chunks(same)


def _chunks(loads: Sequence[FileLoad]) -> Iterator[list[FileLoad]]:
    chunk: list[FileLoad] = []
    size = 0
    for load in loads:
        if chunk and (len(chunk) == GROUP_FILES_MAX or size + load.version.size > GROUP_BYTES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append(load)
        size += load.version.size
    yield chunk
