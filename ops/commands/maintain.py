"""Who keeps the tables small and quick? On AWS Glue does; for the local account this command. care."""

from typing import Annotated

import typer

from local_aws.errors import LocalAwsError
from ops.commands.context import App, app_of
from ops.errors import CliError
from ops.output import table


def care(
    context: typer.Context,
    tables: Annotated[list[str] | None, typer.Argument(help="Which; all of them without any.")] = None,
    *,
    retention_days: Annotated[
        int | None,
        typer.Option(min=1, help="Let older snapshots and orphans go; else as the deployed settings say."),
    ] = None,
) -> None:
    """Compact the local account's tables, expire their snapshots, remove orphans; on AWS Glue does it."""
    from local_aws import table_maintenance  # noqa: PLC0415 - only this command needs it

    app = app_of(context)
    if not app.session.is_local:
        raise CliError(
            f"Glue's table optimizers look after the tables of {app.target.environment}, each day",
            "see what they did: the table's page in the AWS Glue console; for a laptop's account: "
            "taxi-etl --environment local care",
        )
    glue, deployed = app.session.client("glue"), app.deployment
    given = glue.get_job(JobName=deployed.glue_job_name)["Job"]["DefaultArguments"]
    access_key, secret_key, _ = app.session.credentials()
    try:
        with app.output.stderr.status("looking after the tables"):
            done = table_maintenance.run(
                given,
                _known(app, tables or []),
                endpoint_url=app.session.endpoint_url or "",
                credentials=(access_key, secret_key),
                retention_days=retention_days or int(given["--retention-days"]),
            )
    except LocalAwsError as error:
        raise CliError(str(error), "load a file or wait for a load to end, then try again") from None
    app.output.result(
        {
            "tables": [
                {
                    "table": each.table,
                    "filesBefore": each.files_before,
                    "filesAfter": each.files_after,
                    "snapshotsExpired": each.snapshots_expired,
                    "orphansRemoved": each.orphans_removed,
                }
                for each in done
            ]
        },
        table(
            *("table", "files before", "after", "snapshots expired", "orphans removed"),
            rows=(
                (
                    each.table,
                    each.files_before,
                    each.files_after,
                    each.snapshots_expired,
                    each.orphans_removed,
                )
                for each in done
            ),
        ),
    )


def _known(app: App, wanted: list[str]) -> list[str]:
    """The tables that are meant. Raises CliError for one that is not there, and where there are none."""
    pages = app.session.client("glue").get_paginator("get_tables")
    found = pages.paginate(DatabaseName=app.deployment.taxi_database_name)
    known = sorted(each["Name"] for page in found for each in page["TableList"])
    missing = sorted(set(wanted) - set(known))
    if not known:
        raise CliError(
            "there are no tables yet", f"load a file first: {app.target.command('upload', 'FILE')}"
        )
    if missing:
        raise CliError(f"there is no table {', '.join(missing)}", f"the tables are {', '.join(known)}")
    return sorted(set(wanted)) or known
