"""The command `reconcile`: compare raw objects, ledger, tables and executions, and repair what differs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.text import Text

from ops.commands import outcome_reports
from ops.commands.context import App, app_of, exit_unless
from ops.output import now, one_line
from ops.session import Target
from taxi_etl.consistency.facts import Facts, Finding, Kind, Repair
from taxi_etl.consistency.rules import findings

MIN_AGE_MINUTES = 60
"""Longer than redeliveries of an event and the reconciler in the account take."""


def reconcile(
    context: typer.Context,
    *,
    prefix: Annotated[
        str, typer.Option(help="Check only files with this key prefix. Default: all files and rows.")
    ] = "",
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Start what is missing. Default: only list it."),
    ] = False,
    older_than_minutes: Annotated[
        int, typer.Option(min=0, help="Skip later changes: their events may still be on their way.")
    ] = MIN_AGE_MINUTES,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 1 for information too, such as rows of deleted objects."),
    ] = False,
) -> None:
    """Find files that are lost, doubled or half done: compare objects, ledger, tables and executions.

    Reads only metadata, no rows. Exits with 1 if there are findings, even if --repair repaired them.
    """
    from ops import consistency_facts, consistency_repair  # noqa: PLC0415 - PyIceberg is slow to import

    app = app_of(context)
    before = now() - timedelta(minutes=older_than_minutes)
    with app.output.stderr.status("reading the bucket, the ledger, the tables and the executions"):
        facts = consistency_facts.gather(app.session, app.deployment, before)
    found = [each for each in findings(facts) if _key(each).startswith(prefix)]
    done = consistency_repair.Repaired()
    if repair:
        done = consistency_repair.repair(app.session, app.deployment, found)
    problems = [each for each in found if strict or not each.is_information]
    document = {
        "clean": not problems,
        "compared": _compared(facts),
        "notListed": sorted({record.version.bucket for record in facts.records} - facts.buckets),
        "findings": [_json(app.target, each) for each in found],
        "done": repair,
        "executions": outcome_reports.started_json(done.started),
        "closed": done.closed,
    }
    app.output.result(document, *(_line(app.target, each) for each in found), _summary(facts, found))
    _report_repair(app, context.params, found, done)
    exit_unless(not problems)


def next_step(target: Target, finding: Finding) -> str:
    """Return the command that repairs a finding, or the step for a person."""
    version = finding.version
    if finding.rows is not None:
        table_name, source = finding.rows.table, finding.rows.source_id
        sql = f"SELECT DISTINCT source_file FROM {table_name} WHERE source_id = '{source}'"  # noqa: S608 (shown)
        return f"find the file's name: {target.command('query', sql)}"
    if version is None or finding.repair is Repair.CLOSE or finding.kind is Kind.CLAIM_NOT_STARTED:
        return target.command("reconcile", "--repair")
    if finding.repair is Repair.REPLAY_HELD:
        return target.command("replay", "--held")
    if finding.repair is Repair.START:
        return target.command("start", "--key", version.key, "--bucket", version.bucket)
    if finding.repair is Repair.REPLAY:
        return target.command("replay", version.uri)
    return _decision(target, finding, version.uri)


def _decision(target: Target, finding: Finding, uri: str) -> str:
    """Return what a person must do about a finding that `--repair` leaves alone."""
    if finding.kind is Kind.HELD:
        return f"once orchestration is on: {target.command('replay', '--held')}"
    if finding.kind is Kind.CLAIM_LOST:
        return "follow docs/recovery.md#lost-claims"
    if finding.kind is Kind.ROWS_MISSING:
        record = target.command("remove", uri, "--yes")
        return f"its object was deleted: upload the file again, or record the removal: {record}"
    return f"to remove its rows too: {target.command('remove', uri)}"


def _compared(facts: Facts) -> dict[str, int]:
    return {
        "objects": len(facts.objects),
        "records": len(facts.records),
        "sources": len({each.source_id for each in facts.rows}),
        "executions": len(facts.executions),
    }


def _json(target: Target, finding: Finding) -> dict[str, Any]:
    version = finding.version
    return {
        "kind": str(finding.kind),
        "file": version.uri if version else "",
        "versionId": version.version_id if version else "",
        "execution": finding.execution,
        "what": finding.what,
        "evidence": finding.evidence,
        "information": finding.is_information,
        "repair": str(finding.repair),
        "nextStep": next_step(target, finding),
    }


def _line(target: Target, finding: Finding) -> Text:
    """Return a finding on one line: the file, what is wrong, the evidence, the next command."""
    subject = finding.version.uri if finding.version else finding.execution or _source(finding)
    level = ("information", "yellow") if finding.is_information else (str(finding.kind), "red")
    step = next_step(target, finding)
    return one_line(level, f": {subject}: {finding.what} ({finding.evidence}); ", ("next: ", "bold"), step)


def _source(finding: Finding) -> str:
    return f"rows in {finding.rows.table}" if finding.rows else ""


def _summary(facts: Facts, found: Sequence[Finding]) -> str:
    kinds = Counter(str(each.kind) for each in found)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "no findings"
    compared = ", ".join(f"{count:,} {what}" for what, count in _compared(facts).items())
    return f"{listed}; compared {compared}"


def _report_repair(app: App, given: Mapping[str, Any], found: Sequence[Finding], done: Any) -> None:
    """Print what was repaired, or the command that repairs."""
    repairable = sum(bool(each.repair) for each in found)
    if given["repair"]:
        if done.started:
            app.output.note(outcome_reports.started_table(done.started))
        app.output.note(f"executions started: {len(done.started):,}, closed: {len(done.closed):,}")
    elif repairable:
        minutes = given["older_than_minutes"]
        age = [] if minutes == MIN_AGE_MINUTES else ["--older-than-minutes", str(minutes)]
        where = ["--prefix", given["prefix"]] if given["prefix"] else []
        command = app.target.command("reconcile", *where, *age, "--repair")
        count = f"{repairable:,} of {len(found):,} findings"
        app.output.note(f"nothing was started; to repair {count}: {command}")


def _key(finding: Finding) -> str:
    """Return the object key of a finding, empty for rows and executions whose file is unknown."""
    return finding.version.key if finding.version else ""
