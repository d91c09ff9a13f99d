"""Options that several commands share."""

from datetime import datetime
from typing import Annotated

import typer

from ops.moments import parse_since
from ops.output import now
from taxi_etl.engines import EngineChoice
from taxi_etl.names import RAW_PREFIX
from taxi_etl.s3_uris import SCHEME, parse_s3_uri

Bucket = Annotated[str, typer.Option(help="The bucket. Default: the bucket of the deployment.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Follow the files until they end; exit code 1 unless all are loaded.")
]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait before giving up.")]


def bucket_and_key(text: str, default_bucket: str) -> tuple[str, str]:
    """Return the bucket and key of a file or prefix, given as an S3 URI, object key or bare file name.

    A bare name means a file directly below the raw prefix. Raises BadParameter for a URI without a key.
    """
    if not text.startswith(SCHEME):
        return default_bucket, text if "/" in text else f"{RAW_PREFIX}{text}"
    try:
        return parse_s3_uri(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def start_of_period(text: str) -> datetime:
    """Parse the option --since. Raises BadParameter, also for a moment in the future."""
    present = now()
    try:
        found = parse_since(text, present)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    if found > present:
        raise typer.BadParameter(f"{text!r} is in the future", param_hint="--since")
    return found


Engine = Annotated[
    EngineChoice | None,
    typer.Option(
        help="glue: load with the Glue job; auto: choose the engine by size. Default: the app's setting.",
        show_default=False,
    ),
]
