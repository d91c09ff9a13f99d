"""The command `maintain`: table maintenance in the local account, where Glue's table optimizers never run."""

from collections.abc import Sequence
from typing import Annotated

import typer

from local_aws.errors import LocalAwsError
from ops.commands.context import App, app_of
from ops.errors import CliError
from ops.output import table

_FIELDS = {
    "table": "table",
    "files_before": "filesBefore",
    "files_after": "filesAfter",
    "snapshots_expired": "snapshotsExpired",
    "orphans_removed": "orphansRemoved",
}
"""The facts about each maintained table, and their keys in the JSON document."""


def maintain(
    context: typer.Context,
    tables: Annotated[list[str] | None, typer.Argument(help="Table names. Default: all tables.")] = None,
    *,
    retention_days: Annotated[
        int | None,
        typer.Option(min=1, help="Days to keep old snapshots and orphan files. Default: as deployed."),
    ] = None,
) -> None:
    """Maintain the tables of the local account: compact, expire snapshots, remove orphan files.

    On AWS, Glue's table optimizers do this.
    """
    from local_aws import table_maintenance  # noqa: PLC0415 - only this command needs it

    app = app_of(context)
    if not app.session.is_local:
        raise CliError(
            f"the tables of {app.target.environment} are maintained by Glue's table optimizers",
            "see the optimizers' runs on the table's page in the AWS Glue console; for the local account: "
            "taxi-etl --environment local maintain",
        )
    glue, deployed = app.session.client("glue"), app.deployment
    job_arguments = glue.get_job(JobName=deployed.glue_job_name)["Job"]["DefaultArguments"]
    access_key, secret_key, _ = app.session.credentials()
    try:
        with app.output.stderr.status("maintaining the tables"):
            done = table_maintenance.run(
                job_arguments,
                _existing_tables(app, tables or []),
                endpoint_url=app.session.endpoint_url or "",
                credentials=(access_key, secret_key),
                retention_days=retention_days or int(job_arguments["--retention-days"]),
            )
    except LocalAwsError as error:
        raise CliError(str(error), "load a file, or wait until a load has ended, then try again") from None
    app.output.result(
        {"tables": [{key: getattr(each, name) for name, key in _FIELDS.items()} for each in done]},
        table(
            *(name.replace("_", " ") for name in _FIELDS),
            rows=([getattr(each, name) for name in _FIELDS] for each in done),
        ),
    )


def _existing_tables(app: App, wanted: Sequence[str]) -> list[str]:
    """Return the wanted tables, or all tables if none is given. Raises CliError for a missing table."""
    pages = app.session.client("glue").get_paginator("get_tables")
    found = pages.paginate(DatabaseName=app.deployment.taxi_database_name)
    known = sorted(each["Name"] for page in found for each in page["TableList"])
    missing = sorted(set(wanted) - set(known))
    if not known:
        raise CliError(
            "there are no tables yet", f"load a file first: {app.target.command('upload', 'FILE')}"
        )
    if missing:
        raise CliError(f"table {', '.join(missing)} does not exist", f"choose from {', '.join(known)}")
    return sorted(set(wanted)) or known
