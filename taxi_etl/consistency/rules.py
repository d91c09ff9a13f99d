"""All consistency rules: facts in, findings out."""

from collections import defaultdict
from collections.abc import Iterator

from taxi_etl.consistency.claims import claim_findings, is_recent
from taxi_etl.consistency.facts import CurrentObject, Facts, FileKey, Finding, Kind, Repair, SourceRows
from taxi_etl.consistency.rows import File, row_findings
from taxi_etl.identity import UNVERSIONED, FileVersion, failed_source_id, source_id
from taxi_etl.ledger import OPEN_FILE, FileRecord, timestamp


def findings(facts: Facts) -> list[Finding]:
    """Return every finding, by file; an empty list if all four places agree."""
    found = [*claim_findings(facts), *_not_received(facts), *_files(facts)]
    settled = (each for each in found if each.version is None or _key(each.version) not in facts.unsettled)
    return sorted(settled, key=lambda each: (each.version.uri if each.version else "", each.kind))


def _not_received(facts: Facts) -> Iterator[Finding]:
    """Yield the current objects that the ledger lacks although their events are overdue."""
    known = {record.version.identity for record in facts.records}
    loaded = {each.source_id for each in facts.rows}
    for each in facts.objects:
        version = each.version
        if not each.is_connected or version.version_id == UNVERSIONED or version.identity in known:
            continue
        if each.uploaded < facts.before:
            rows = "has rows" if source_id(*_key(version)) in loaded else "has no rows"
            evidence = f"version {version.version_id}, uploaded {timestamp(each.uploaded)}; the file {rows}"
            what = "the ledger has no record of the current version"
            yield Finding(Kind.NOT_RECEIVED, what, evidence, version, repair=Repair.START)


def _files(facts: Facts) -> Iterator[Finding]:
    """Yield the findings about the rows of files at rest, and about rows of unknown files."""
    records: dict[FileKey, list[FileRecord]] = defaultdict(list)
    for record in facts.records:
        records[_key(record.version)].append(record)
    current = {_key(each.version): each for each in facts.objects}
    rows: dict[str, list[SourceRows]] = defaultdict(list)
    for each in facts.rows:
        rows[each.source_id].append(each)
    for key in records.keys() | current.keys():
        source = source_id(*key)
        found = rows.pop(source, [])
        rows.pop(failed_source_id(source), None)
        if _is_at_rest(records[key], current.get(key), facts):
            yield from row_findings(File(key, current.get(key), records[key], found, key[0] in facts.buckets))
    for unknown in rows.values():
        yield from map(_unknown_source, unknown)


def _is_at_rest(records: list[FileRecord], current: CurrentObject | None, facts: Facts) -> bool:
    """Whether no load of a file is on its way.

    The rows of a file whose current version has no record may be those of a lost record; they are judged when
    that version is overdue.
    """
    if any(record.status in OPEN_FILE or is_recent(record, facts.before) for record in records):
        return False
    return current is None or current.uploaded < facts.before


def _unknown_source(rows: SourceRows) -> Finding:
    evidence = f"{rows.rows:,} in {rows.table} with source_id {rows.source_id}"
    what = "neither S3 nor the ledger knows the file of these rows"
    return Finding(Kind.UNKNOWN_SOURCE, what, evidence, rows=rows)


def _key(version: FileVersion) -> FileKey:
    return version.bucket, version.key
