"""What does the pipeline look like when it runs? `make demo`: the whole app on this machine, end to end.

Starts the local AWS, deploys the unmodified app into it, uploads a broken file and three sound ones, follows
what happens to them, and shows the messages, the tables' counts and a query. Everything it calls is what
operators call. Safe to repeat: the account is reused, and files sent again replace their own rows.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

import sample_data
from local_aws import account, cdk, paths
from local_aws.errors import LocalAwsError
from ops import deployment, subscriptions, tables, uploads
from ops.commands.waiting import files_table
from ops.deployment import Deployment
from ops.errors import CliError
from ops.output import colored, seconds, table
from ops.progress import Watch
from ops.session import LOCAL, Session, Target
from taxi_etl.file_status import FileStatus
from taxi_etl.names import RAW_PREFIX
from taxi_etl.notifications import Status

FILES = Path(paths.CHECKOUT) / ".local" / "demo"
INBOX = "demo-inbox"
MESSAGE_SECONDS = 60
ROWS = 20_000
WIDTH = 130
"""Columns of the output where it is no terminal, such as in CI."""
COUNTS = "SELECT '{name}' AS \"table\", count(*) AS rows, count(DISTINCT source_file) AS files FROM {name}"
QUERY = """\
SELECT pickup_location_id AS zone, count(*) AS trips, round(avg(trip_distance), 2) AS miles,
       round(sum(total_amount), 2) AS dollars
FROM yellow_trips GROUP BY zone ORDER BY trips DESC, zone LIMIT 5"""


@dataclass
class Demo:
    """One run of the demo: where it prints to, and how long each step took."""

    console: Console
    took: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step, and time it."""
        self.console.print(Rule(f"[bold]{title}", align="left"))
        started = time.monotonic()
        yield
        self.took[title] = time.monotonic() - started


def main() -> int:
    """Run the demo; returns the exit code."""
    demo = Demo(Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))
    try:
        run(demo)
    except (CliError, LocalAwsError) as problem:
        demo.console.print(f"[bold red]error:[/] {problem}")
        if isinstance(problem, CliError) and problem.next_step:
            demo.console.print(f"[bold]next:[/] {problem.next_step}")
        return 1
    return 0


def run(demo: Demo) -> None:
    """Every step in turn. Raises CliError or LocalAwsError where one cannot be done."""
    console = demo.console
    with demo.step("Start a local AWS account"):
        running = account.up()
        console.print(f"{running.endpoint_url}, process {running.pid}, log in {_shown(running.state_dir)}")
    with demo.step("cdk deploy: the same app that goes to AWS"):
        cdk.deploy(running)
    session = Session(Target(LOCAL))
    deployed = deployment.discover(session)
    inbox = open_inbox(session, deployed)
    with demo.step("Make sample trip files"):
        sound, broken = make_files(demo)
    with demo.step("Upload a broken file: it is rejected before anything is paid"):
        watch(demo, session, deployed, [broken], FileStatus.REJECTED)
        show_message(demo, session, inbox, Status.VALIDATION_FAILED)
    with demo.step("Upload sound files: they share one job run"):
        watch(demo, session, deployed, sound, FileStatus.LOADED)
        show_message(demo, session, inbox, Status.SUCCESS)
    with demo.step("Query the tables (DuckDB, no Spark)"):
        show_tables(demo, session, deployed)
    console.print(Rule("[bold]How long it took", align="left"))
    console.print(table("step", "time", rows=[(title, seconds(took)) for title, took in demo.took.items()]))
    console.print(Panel(NEXT, title="It goes on running. What to try next", title_align="left"))


def make_files(demo: Demo) -> tuple[list[Path], Path]:
    """Realistic TLC files, and one whose second half is missing."""
    FILES.mkdir(parents=True, exist_ok=True)
    made = [
        sample_data.generate(FILES, dataset="yellow", month="2024-01", rows=ROWS, dirty_share=0.01, seed=1),
        sample_data.generate(
            FILES, dataset="green", month="2020-04", rows=ROWS, dirty_share=0.01, format="csv.gz", seed=2
        ),
        sample_data.generate(FILES, dataset="yellow", month="2014-03", rows=ROWS, format="csv", seed=3),
    ]
    broken = sample_data.generate(FILES, dataset="yellow", month="2024-02", rows=ROWS, seed=4)
    broken.path.write_bytes(broken.path.read_bytes()[: broken.path.stat().st_size // 2])
    rows = [(each.path.name, each.dataset, f"{each.rows:,}", f"{each.dirty_rows:,}") for each in made]
    rows.append((broken.path.name, broken.dataset, "broken off in the middle", ""))
    demo.console.print(table("file", "dataset", "rows", "of these damaged", rows=rows))
    return [each.path for each in made], broken.path


def watch(
    demo: Demo, session: Session, deployed: Deployment, files: Sequence[Path], wanted: FileStatus
) -> None:
    """Upload the files and print what happens to them. Raises CliError unless all end as wanted."""
    started = time.monotonic()
    planned = uploads.plan(files, RAW_PREFIX)
    versions = uploads.upload(session, deployed.bucket_name, planned, lambda *_: None)
    follower = Watch(session, deployed, versions, poll_seconds=0.5)
    for change in follower.changes():
        elapsed = f"{time.monotonic() - started:6.1f} s  "
        demo.console.print(Text.assemble((elapsed, "dim"), change.about, " ", colored(change.now)))
    demo.console.print()
    demo.console.print(files_table(follower.files))
    for file in follower.files:
        if file.status != wanted:
            reasons = "; ".join(file.reasons) or "no reason is on record"
            raise CliError(
                f"{file.version.key} ended {file.status}: {reasons}",
                f"see taxi-etl --environment {LOCAL} history {file.execution}",
            )


def open_inbox(session: Session, deployed: Deployment) -> str:
    """The URL of an empty queue that gets every notification from now on."""
    sqs = session.client("sqs")
    url: str = sqs.create_queue(QueueName=INBOX)["QueueUrl"]
    while sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        sqs.purge_queue(QueueUrl=url)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscriptions.subscribe(session, deployed, arn)
    return url


def show_message(demo: Demo, session: Session, inbox: str, wanted: Status) -> None:
    """Print the notification with this outcome. Raises CliError when none comes."""
    for subject, message in _messages(session, inbox):
        if message.get("status") == wanted:
            text = json.dumps(message, indent=2, ensure_ascii=False)
            body = Syntax(text, "json", word_wrap=True)
            demo.console.print(Panel(body, title=f"subscribers got: {subject}", title_align="left"))
            return
    raise CliError(
        f"no notification of {wanted} came within {MESSAGE_SECONDS} s",
        f"see taxi-etl --environment {LOCAL} status",
    )


def _messages(session: Session, inbox: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Subject and body of each notification, as they come, for `MESSAGE_SECONDS` at most."""
    sqs = session.client("sqs")
    deadline = time.monotonic() + MESSAGE_SECONDS
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for received in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=received["ReceiptHandle"])
            envelope = json.loads(received["Body"])
            yield envelope.get("Subject", ""), json.loads(envelope["Message"])


def show_tables(demo: Demo, session: Session, deployed: Deployment) -> None:
    """Print how many rows the tables hold, and one query over them."""
    counts = " UNION ALL ".join(
        COUNTS.format(name=name) for name in ("yellow_trips", "green_trips", "quarantined_trips")
    )
    for sql in (f"{counts} ORDER BY 1", QUERY):
        answer = tables.query(session, deployed, sql)
        demo.console.print(Syntax(sql, "sql", word_wrap=True) if sql == QUERY else "")
        demo.console.print(table(*answer.columns, rows=answer.rows))


def _shown(path: str) -> str:
    """A path as seen from the checkout."""
    found = Path(path)
    return str(found.relative_to(paths.CHECKOUT) if found.is_relative_to(paths.CHECKOUT) else found)


NEXT = f"""\
source .venv/bin/activate
taxi-etl --environment {LOCAL} upload FILE… --wait      load your own trip files
taxi-etl --environment {LOCAL} list                     what has run; history EXECUTION shows one
taxi-etl --environment {LOCAL} query "SELECT …"         ask the tables
taxi-etl --environment {LOCAL} verify                   look at every deployed part
taxi-etl local down                              stop it, and forget what was in it"""


if __name__ == "__main__":
    sys.exit(main())
