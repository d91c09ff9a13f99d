"""The command `start`: run the workflow for objects that are already in a bucket."""

from typing import Annotated

import typer

from ops import completion, orchestrator
from ops.commands.context import app_of
from ops.commands.options import Bucket, Engine, Timeout, Wait
from ops.commands.replay import report_started
from ops.progress import TIMEOUT_SECONDS


def start(
    context: typer.Context,
    *,
    key: Annotated[
        list[str],
        typer.Option(help="Object key; repeat the option for several.", autocompletion=completion.files),
    ],
    bucket: Bucket = "",
    engine: Engine = None,
    wait: Wait = False,
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Start an execution for objects that are already in the bucket."""
    app = app_of(context)
    versions = orchestrator.current_versions(app.session, bucket or app.deployment.bucket_name, key)
    started = orchestrator.start(app.session, app.deployment, versions, engine=engine)
    report_started(app, started, versions, wait=wait, timeout=timeout)
