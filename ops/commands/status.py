"""The command `status`: the state of the pipeline, or the outcome of the files with a key or prefix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ops import completion
from ops.commands.context import App, app_of
from ops.commands.options import bucket_and_key
from ops.file_versions import ListedVersion, moment, problem_step, versions_under
from ops.listing import Listing
from ops.output import colored, counted, duration, local_time, now, one_line, table
from ops.pipeline_status import PipelineStatus, pipeline_status
from taxi_etl.coverage import month_ranges, month_text
from taxi_etl.ledger import FileRecord
from taxi_etl.s3_uris import s3_uri

SHOWN = 10
"""Waiting files and problems that are printed for people."""
_QUEUE_LABELS = {
    "events": "file events",
    "events, dead letters": "dead letters of file events",
    "closer, dead letters": "dead letters of the finalizer",
}


def status(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            help="A file or key prefix, as object key or s3://BUCKET/KEY.", autocompletion=completion.files
        ),
    ] = "",
) -> None:
    """Show the last loads, waiting files, failures and missing months; for a file or prefix, each version."""
    app = app_of(context)
    if not file:
        found = pipeline_status(app.session, app.deployment)
        app.output.result(found.to_json(app.target), *_overview(app, found))
        return
    bucket, key = bucket_and_key(file, app.deployment.bucket_name)
    with app.output.stderr.status(f"reading {s3_uri(bucket, key)}"):
        versions = versions_under(app.session, app.deployment, bucket, key)
    document = {"where": s3_uri(bucket, key), "versions": [each.to_json() for each in versions]}
    app.output.result(document, _versions_table(versions), *_next_steps(versions), _summary(versions))


def _versions_table(versions: Sequence[ListedVersion]) -> Listing:
    return table(
        *("file", "version", "status", "received", "execution", "rows", "reasons"),
        rows=(
            (
                each.version.key,
                each.version.version_id,
                each.status,
                local_time(each.received),
                each.record.execution if each.record else "",
                _rows(each),
                "\n".join(each.record.reasons) if each.record else "",
            )
            for each in versions
        ),
    )


def _rows(each: ListedVersion) -> str:
    """Return the version's rows by table, or the version that replaced them."""
    if each.outcome.replaced_by:
        return f"replaced by version {each.outcome.replaced_by}"
    return ", ".join(f"{count:,} in {name}" for name, count in each.outcome.tables.items())


def _next_steps(versions: Sequence[ListedVersion]) -> list[Text]:
    steps = ((each.version.key, each.next_step) for each in versions if each.next_step)
    return [_next(key, step) for key, step in steps]


def _next(key: str, step: str) -> Text:
    return one_line(("next: ", "bold"), f"{key}: {step}")


def _summary(versions: Sequence[ListedVersion]) -> str:
    files = len({each.version.key for each in versions})
    counts = ", ".join(f"{count} {status}" for status, count in Counter(v.status for v in versions).items())
    return f"{counted(len(versions), 'version')} of {counted(files, 'file')}: {counts}"


def _overview(app: App, found: PipelineStatus) -> Iterator[RenderableType]:
    """Yield the state of the pipeline: what needs attention in full, the rest in one line each."""
    yield from _section("last loads", _loads_table(found.last_loads), found.last_loads)
    yield from _section("waiting", _waiting_table(found.waiting[:SHOWN]), found.waiting)
    shown = found.problems[:SHOWN]
    steps = [_next(record.version.key, problem_step(app.target, record)) for record in shown]
    yield from _section("not loaded", _problems_table(shown), found.problems, steps)
    incomplete = [each for each in found.months if each.missing]
    rows = (
        (each.dataset, month_text(each.first), month_text(each.last), month_ranges(each.missing))
        for each in incomplete
    )
    yield from _section("missing months", table("dataset", "first", "last", "missing", rows=rows), incomplete)
    yield Text(f"open executions: {_counts(found.executions)}")
    yield Text(f"queues: {_counts({_QUEUE_LABELS[name]: count for name, count in found.queues.items()})}")
    yield Text.assemble("alarms: ", _alarm_text(found.alarms))


def _section(
    title: str, listing: Listing, items: Sequence[object], steps: Sequence[Text] = ()
) -> Iterator[RenderableType]:
    """Yield a listing under its title with the next steps, or one line if there is nothing to list."""
    if not items:
        yield Text.assemble((f"{title}: ", "bold"), "none")
        return
    yield Text(f"{title}:", "bold")
    yield listing
    if len(items) > len(listing.rows):
        yield Text(f"and {len(items) - len(listing.rows):,} more; all: --json")
    yield from steps
    yield ""


def _loads_table(records: Sequence[FileRecord]) -> Listing:
    return table(
        *("file", "loaded", "dataset", "rows", "quarantined", "execution"),
        rows=(
            (
                record.version.key,
                local_time(moment(record.updated_at)),
                record.dataset,
                *(f"{record.rows[name]:,}" if record.rows else "" for name in ("written", "quarantined")),
                record.execution,
            )
            for record in records
        ),
    )


def _waiting_table(records: Sequence[FileRecord]) -> Listing:
    rows = ((record.version.key, record.status, _age(record), record.execution) for record in records)
    return table("file", "status", "for", "execution", rows=rows)


def _problems_table(records: Sequence[FileRecord]) -> Listing:
    return table(
        *("file", "status", "since", "reasons", "execution"),
        rows=(
            (
                record.version.key,
                record.status,
                local_time(moment(record.updated_at)),
                "\n".join(record.reasons),
                record.execution,
            )
            for record in records
        ),
    )


def _age(record: FileRecord) -> str:
    since = moment(record.updated_at)
    return duration((now() - since).total_seconds()) if since else ""


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _alarm_text(alarms: dict[str, str]) -> Text:
    """Return the number of alarms in each state, with the names of those that are not OK."""
    states: dict[str, list[str]] = {}
    for name, state in alarms.items():
        states.setdefault(state, []).append(name)
    parts = [
        Text.assemble(f"{len(names)} ", colored(state), "" if state == "OK" else f" ({', '.join(names)})")
        for state, names in sorted(states.items())
    ]
    return Text(", ").join(parts) if parts else Text("none")
