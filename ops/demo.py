"""The demo, `make demo`: the whole app on this machine, end to end.

Starts the local AWS account, deploys the unmodified app into it, uploads one invalid file and three valid
files, follows them, and shows the notifications, row counts and a query. It uses the code of the operators'
commands. Repeating it is safe: the account is reused, and a file uploaded again replaces its own rows.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

import sample_data
from local_aws import account, cdk, paths
from local_aws.errors import LocalAwsError
from ops import deployment, tables, uploads
from ops.commands.outcome_reports import files_table
from ops.commands.subscribe import create_subscription
from ops.deployment import Deployment
from ops.errors import CliError
from ops.output import colored, duration, table
from ops.progress import Watch
from ops.session import LOCAL, Session, Target
from taxi_etl.file_status import FileStatus
from taxi_etl.names import RAW_PREFIX
from taxi_etl.notifications import Status
from taxi_etl.raw_folders import raw_folder

FILES = Path(paths.CHECKOUT) / ".local" / "demo"
INBOX = "demo-inbox"
CATALOGED = {".parquet": raw_folder("yellow")}
"""The key prefix of the Parquet file, which the crawler catalogs."""
MESSAGE_SECONDS = 60
ROWS = 20_000
WIDTH = 130
"""Width of the output in characters where it is not a terminal, as in CI."""
COUNTS = "SELECT '{name}' AS \"table\", count(*) AS rows, count(DISTINCT source_file) AS files FROM {name}"
QUERY = """\
SELECT pickup_location_id AS zone, count(*) AS trips, round(avg(trip_distance), 2) AS miles,
       round(sum(total_amount), 2) AS dollars
FROM yellow_trips GROUP BY zone ORDER BY trips DESC, zone LIMIT 5"""


@dataclass
class Demo:
    """The demo's output and the duration of each step in seconds."""

    console: Console
    durations: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step and measure its duration."""
        self.console.print(Rule(f"[bold]{title}", align="left"))
        started = time.monotonic()
        yield
        self.durations[title] = time.monotonic() - started


def main() -> int:
    """Run the demo; return the exit code."""
    demo = Demo(Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))
    try:
        run(demo)
    except (CliError, LocalAwsError) as error:
        demo.console.print(f"[bold red]error:[/] {error}")
        if isinstance(error, CliError) and error.next_step:
            demo.console.print(f"[bold]next:[/] {error.next_step}")
        return 1
    return 0


def run(demo: Demo) -> None:
    """Run all steps in order. Raises CliError or LocalAwsError if one fails."""
    console = demo.console
    with demo.step("Start a local AWS account"):
        running = account.up()
        console.print(
            f"{running.endpoint_url}, process ID {running.pid}, logs in {_relative(running.state_dir)}"
        )
    with demo.step("Deploy the app with cdk deploy, unchanged"):
        cdk.deploy(running)
    session = Session(Target(LOCAL))
    deployed = deployment.discover(session)
    inbox = open_inbox(session, deployed)
    with demo.step("Write sample trip files"):
        valid, invalid = make_files(demo)
    with demo.step("Upload a truncated file: it is rejected before a job run is paid for"):
        upload_and_follow(demo, session, deployed, [invalid], expected=FileStatus.REJECTED)
        show_message(demo, session, inbox, Status.VALIDATION_FAILED)
    with demo.step("Upload three valid files: they share one job run"):
        upload_and_follow(demo, session, deployed, valid, expected=FileStatus.LOADED, prefixes=CATALOGED)
        show_message(demo, session, inbox, Status.SUCCESS)
    with demo.step("Query the tables with DuckDB, without Spark"):
        show_tables(demo, session, deployed)
    console.print(Rule("[bold]Duration of each step", align="left"))
    console.print(
        table("step", "duration", rows=[(title, duration(took)) for title, took in demo.durations.items()])
    )
    console.print(
        Panel(NEXT, title="The local account keeps running. Commands to try next", title_align="left")
    )


def make_files(demo: Demo) -> tuple[list[Path], Path]:
    """Write three valid TLC files and one without its second half; return their paths."""
    FILES.mkdir(parents=True, exist_ok=True)
    made = [
        sample_data.generate(FILES, dataset="yellow", month="2024-01", rows=ROWS, dirty_share=0.01, seed=1),
        sample_data.generate(
            FILES, dataset="green", month="2020-04", rows=ROWS, dirty_share=0.01, format="csv.gz", seed=2
        ),
        sample_data.generate(FILES, dataset="yellow", month="2014-03", rows=ROWS, format="csv", seed=3),
    ]
    truncated = sample_data.generate(FILES, dataset="yellow", month="2024-02", rows=ROWS, seed=4)
    truncated.path.write_bytes(truncated.path.read_bytes()[: truncated.path.stat().st_size // 2])
    rows = [(each.path.name, each.dataset, f"{each.rows:,}", f"{each.dirty_rows:,}") for each in made]
    rows.append((truncated.path.name, truncated.dataset, "second half missing", ""))
    demo.console.print(table("file", "dataset", "rows", "invalid rows", rows=rows))
    return [each.path for each in made], truncated.path


def upload_and_follow(
    demo: Demo,
    session: Session,
    deployed: Deployment,
    files: Sequence[Path],
    *,
    expected: FileStatus,
    prefixes: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Upload the files and print their progress; `prefixes` are their key prefixes by suffix.

    Raises CliError unless all end with the expected status.
    """
    started = time.monotonic()
    planned = [each for path in files for each in uploads.plan([path], prefixes.get(path.suffix, RAW_PREFIX))]
    versions = uploads.upload(session, deployed.bucket_name, planned, lambda *_: None)
    watch = Watch(session, deployed, versions, poll_seconds=0.5)
    for change in watch.changes():
        elapsed = f"{time.monotonic() - started:6.1f} s  "
        demo.console.print(Text.assemble((elapsed, "dim"), change.subject, " ", colored(change.state)))
    demo.console.print()
    demo.console.print(files_table(watch.files))
    for file in watch.files:
        if file.status != expected:
            reasons = "; ".join(file.reasons) or "no reason is recorded"
            raise CliError(
                f"{file.version.key} ended as {file.status}, not {expected}: {reasons}",
                f"see its execution: taxi-etl --environment {LOCAL} history {file.execution}",
            )


def open_inbox(session: Session, deployed: Deployment) -> str:
    """Subscribe an empty queue to all notifications; return its URL."""
    sqs = session.client("sqs")
    url: str = sqs.create_queue(QueueName=INBOX)["QueueUrl"]
    while sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        sqs.purge_queue(QueueUrl=url)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    create_subscription(session, deployed, arn)
    return url


def show_message(demo: Demo, session: Session, inbox: str, status: Status) -> None:
    """Print the notification with this status. Raises CliError if none arrives."""
    for subject, message in _messages(session, inbox):
        if message.get("status") == status:
            text = json.dumps(message, indent=2, ensure_ascii=False)
            body = Syntax(text, "json", word_wrap=True)
            demo.console.print(Panel(body, title=f"notification: {subject}", title_align="left"))
            return
    raise CliError(
        f"no {status} notification arrived within {MESSAGE_SECONDS} s",
        f"see the queues and alarms: taxi-etl --environment {LOCAL} status",
    )


def _messages(session: Session, inbox: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield subject and body of each notification as it arrives, for up to `MESSAGE_SECONDS`."""
    sqs = session.client("sqs")
    deadline = time.monotonic() + MESSAGE_SECONDS
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for received in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=received["ReceiptHandle"])
            envelope = json.loads(received["Body"])
            yield envelope.get("Subject", ""), json.loads(envelope["Message"])


def show_tables(demo: Demo, session: Session, deployed: Deployment) -> None:
    """Print the row counts of the tables and the result of one query."""
    counts = " UNION ALL ".join(
        COUNTS.format(name=name) for name in ("yellow_trips", "green_trips", "quarantined_trips")
    )
    for sql in (f"{counts} ORDER BY 1", QUERY):
        answer = tables.query(session, deployed, sql)
        demo.console.print(Syntax(sql, "sql", word_wrap=True) if sql == QUERY else "")
        demo.console.print(table(*answer.columns, rows=answer.rows))


def _relative(path: str) -> str:
    """Return a path relative to the checkout, if it is inside."""
    found = Path(path)
    return str(found.relative_to(paths.CHECKOUT) if found.is_relative_to(paths.CHECKOUT) else found)


NEXT = f"""\
source .venv/bin/activate
taxi-etl --environment {LOCAL} upload FILE… --wait      load your own trip files
taxi-etl --environment {LOCAL} list                     list the executions; history EXECUTION shows one
taxi-etl --environment {LOCAL} query "SELECT …"         query the tables
taxi-etl --environment {LOCAL} verify                   check every deployed part
taxi-etl local down                              stop the account and delete everything in it"""


if __name__ == "__main__":
    sys.exit(main())
