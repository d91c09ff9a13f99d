"""The command `remove`: remove the rows of one file from every table."""

from typing import Annotated

import typer

from ops import completion
from ops.commands.context import app_of
from ops.output import table
from taxi_etl.s3_uris import parse_s3_uri


def remove(
    context: typer.Context,
    *,
    file: Annotated[
        str,
        typer.Argument(
            help="The file as s3://BUCKET/KEY; the object may be deleted.", autocompletion=completion.files
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Remove the rows; default: only count them.")] = False,
) -> None:
    """Remove a file's rows from every table and from quarantine; `replay` loads them again.

    The object itself stays. Use it when the same trips were loaded under two object keys.
    """
    from ops import removal, tables  # noqa: PLC0415 - PyIceberg is slow to import, and only needed here

    app = app_of(context)
    try:
        bucket, key = parse_s3_uri(file)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    catalog = tables.glue_catalog(app.session)
    found = removal.plan(app.session, app.deployment, catalog, bucket, key)
    if yes and found.is_needed:
        removal.remove_rows(app.session, app.deployment, catalog, found)
    app.output.result(
        {**found.to_json(), "done": yes and found.is_needed}, table("table", "rows", rows=found.rows.items())
    )
    if not found.is_needed:
        app.output.note(f"nothing to remove: no table holds rows of {file}")
    elif yes:
        app.output.note(
            "if its object was deleted, upload it; otherwise, to load the file again: "
            f"{app.target.command('replay', file)}"
        )
    else:
        app.output.note(f"nothing was removed; to remove: {app.target.command('remove', file, '--yes')}")
