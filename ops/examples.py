"""Examples that `--help` shows for each command."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "verify": (
        "taxi-etl --environment prod verify",
        "taxi-etl verify --all",
        "taxi-etl verify --first",
    ),
    "upload": (
        "taxi-etl upload yellow_tripdata_2024-01.parquet --wait",
        "taxi-etl upload a.csv b.csv --prefix raw/taxi/2024/",
    ),
    "start": ("taxi-etl start --key raw/taxi/yellow_tripdata_2024-01.parquet --wait",),
    "replay": (
        "taxi-etl replay raw/taxi/yellow_tripdata_2024-01.parquet",
        "taxi-etl replay --execution EXECUTION --wait",
        "taxi-etl replay --held",
    ),
    "backfill": (
        "taxi-etl backfill raw/taxi/",
        "taxi-etl backfill raw/taxi/2024/ --yes --wait",
        "taxi-etl backfill raw/taxi/ --again --yes",
    ),
    "remove": (
        "taxi-etl remove s3://BUCKET/raw/taxi/copy.parquet",
        "taxi-etl remove s3://BUCKET/raw/taxi/copy.parquet --yes",
    ),
    "reconcile": (
        "taxi-etl reconcile",
        "taxi-etl reconcile --repair",
        "taxi-etl --json reconcile --strict",
    ),
    "status": (
        "taxi-etl status",
        "taxi-etl status yellow_tripdata_2024-01.parquet",
        "taxi-etl status raw/taxi/2024/",
    ),
    "list": (
        "taxi-etl list",
        "taxi-etl list --status FAILED --since 7d",
        "taxi-etl list --file raw/taxi/yellow_tripdata_2024-01.parquet",
        "taxi-etl --json list --count 100",
    ),
    "history": ("taxi-etl history EXECUTION",),
    "report": (
        "taxi-etl report EXECUTION --html report.html",
        "taxi-etl report --since 90d --html overview.html",
        "taxi-etl --json report EXECUTION",
    ),
    "cost": (
        "taxi-etl cost EXECUTION",
        "taxi-etl cost --month 2026-11",
        "taxi-etl --json cost --since 7d",
    ),
    "query": (
        'taxi-etl query "SELECT count(*) FROM yellow_trips"',
        "taxi-etl --json query - < question.sql",
    ),
    "sql": ("taxi-etl sql yellow", "taxi-etl sql yellow --variant Y1"),
    "subscribe": (
        "taxi-etl subscribe you@example.com",
        "taxi-etl subscribe you@example.com --status FAILED --dataset yellow",
        "taxi-etl subscribe --chat",
    ),
    "trigger": (
        "taxi-etl trigger --bucket BUCKET",
        "taxi-etl trigger show --bucket BUCKET",
        "taxi-etl trigger remove --bucket BUCKET",
    ),
    "maintain": (
        "taxi-etl --environment local maintain",
        "taxi-etl --environment local maintain yellow_trips",
    ),
    "cleanup": ("taxi-etl cleanup", "taxi-etl cleanup --older-than-hours 6 --yes"),
    "sample": (
        "taxi-etl sample --dataset yellow --month 2024-01",
        "taxi-etl sample --dataset green --month 2024-01 --format csv --rows 100",
        "taxi-etl sample --list",
    ),
    "doctor": ("taxi-etl doctor", "taxi-etl doctor --account"),
    "crawler status": ("taxi-etl crawler status",),
    "crawler stop": ("taxi-etl crawler stop",),
    "local up": ("taxi-etl local up", "taxi-etl local up --port 0"),
    "local down": ("taxi-etl local down",),
    "local status": ("taxi-etl local status",),
}
"""The examples by command. Words in capitals are placeholders."""


def epilog(command: str) -> str:
    """Return the examples of a command as the end of its help, one line for each."""
    return "\n".join(["[bold]Examples[/]", *EXAMPLES[command]])
