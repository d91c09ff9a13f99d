"""One Iceberg snapshot that removes and adds data files, as Iceberg's Java library commits it.

pyiceberg 0.12's own overwrite never drops manifests of removed files and never merges manifests: after a
thousand loads, every read would open more than a thousand of them. The subclass below fixes that with private
names of pyiceberg; delete it when `update_snapshot().overwrite()` does the same.
"""

from collections.abc import Collection, Iterable, Mapping

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import DataFile, ManifestContent, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _OverwriteFiles

from duckdb_engine.live_files import rows_of

REFUSED = (CommitFailedException, ValidationException)
MANIFEST_BYTES = 8 * 1024**2
MANIFESTS_MIN = 100
"""Target size of merged manifests, and the number of manifests that starts a merge. Source: Iceberg's
defaults of `commit.manifest.target-size-bytes` and `commit.manifest.min-count-to-merge`."""


class _Overwrite(_OverwriteFiles):
    """An overwrite that drops manifests without live files and merges the others."""

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        live = [
            manifest
            for manifest in manifests
            if manifest.has_added_files()
            or manifest.has_existing_files()
            or manifest.added_snapshot_id == self._snapshot_id
        ]
        data = [manifest for manifest in live if manifest.content == ManifestContent.DATA]
        others = [manifest for manifest in live if manifest.content != ManifestContent.DATA]
        merging = _ManifestMergeManager(MANIFEST_BYTES, MANIFESTS_MIN, True, self)
        return [*merging.merge_manifests(data), *others]


def overwrite(
    table: Table,
    source_ids: Collection[str],
    removed: Iterable[DataFile],
    added: Iterable[DataFile],
    summary: Mapping[str, str],
) -> Table:
    """Commit a snapshot on top of the one that `table` holds; return the table at that snapshot.

    If another snapshot was committed meanwhile, pyiceberg tries again on top of it, unless it added or
    removed rows of these sources: then raises one of REFUSED. `table` itself becomes current.
    """
    transaction = table.transaction()
    added = list(added)
    commit = _Overwrite(
        # As Iceberg's Java library names them, also in the first snapshot of a table.
        operation=Operation.OVERWRITE if added else Operation.DELETE,
        transaction=transaction,
        io=table.io,
        snapshot_properties=dict(summary),
    )
    commit.delete_by_predicate(rows_of(source_ids))
    for file in removed:
        commit.delete_data_file(file)
    for file in added:
        commit.append_data_file(file)
    commit.commit()
    return transaction.commit_transaction()
