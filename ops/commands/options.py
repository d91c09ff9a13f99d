"""Options that several commands share."""

from typing import Annotated

import typer

Bucket = Annotated[str, typer.Option(help="The bucket. Default: the bucket of the deployment.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Follow the files until they end; exit code 1 unless all are loaded.")
]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait before giving up.")]
