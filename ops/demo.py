"""The demo, `make demo`: the whole app on this machine, end to end.

Starts the local AWS account, deploys the unmodified app into it, and uploads files: valid ones and an invalid
one. It loads one file with both engines and compares the rows. It uses the code of the operators' commands.
Repeating it is safe: the account is reused, and a file uploaded again replaces its own rows.
"""

import importlib
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

import sample_data
from local_aws import paths, spark
from local_aws.errors import LocalAwsError
from ops import deployment, local_deployment, orchestrator, tables, uploads
from ops.demo_output import Demo, bars, engines_table, letter
from ops.demo_results import Inbox, Load, fingerprint, load_of
from ops.deployment import Deployment
from ops.errors import CliError
from ops.progress import Watch
from ops.session import LOCAL, Session, Target
from taxi_etl.engines import EngineChoice
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.names import RAW_PREFIX
from taxi_etl.saved_queries import BUSIEST_ZONES

FILES = paths.LOCAL / "demo"
PAGE = FILES / "report.html"
ROWS = 20_000
TIMEOUT_SECONDS = 900.0
WIDTH = 110
"""Width of the output in characters where it is not a terminal, as in CI."""
ZONES = f"SELECT zone, trips FROM ({BUSIEST_ZONES.sql}) WHERE zone IS NOT NULL"  # noqa: S608
ZONES_SHOWN = 6


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return the exit code; with `-v`, also print CDK's events and each entered state."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    demo = Demo(console, verbose="-v" in arguments)
    try:
        with ThreadPoolExecutor() as background:
            run(demo, background)
    except (CliError, LocalAwsError) as error:
        console.print(Text.assemble(("error: ", "bold red"), str(error)))
        if isinstance(error, CliError) and error.next_step:
            console.print(Text.assemble(("next: ", "bold"), error.next_step))
        return 1
    return 0


def run(demo: Demo, background: ThreadPoolExecutor) -> None:
    """Run all steps in order. Raises CliError or LocalAwsError if one fails."""
    jars = background.submit(spark.jars)
    files = background.submit(make_files)
    local = local_deployment.start(background)
    with demo.step("Start a local AWS account") as step:
        running = local.account.result()
        step.says = running.endpoint_url
    with demo.step("Deploy the unmodified app with CDK") as step:
        step.says = local.deploy(echo=demo.verbose)
    session = Session(Target(LOCAL))
    deployed = deployment.discover(session)
    inbox = Inbox.open(session, deployed, Path(running.state_dir) / "mail")
    first, valid, invalid = files.result()
    with demo.step(f"Upload {first.path.name}: it is small, so a function loads it with DuckDB") as step:
        versions = upload(demo, session, deployed, [first.path])
        by_function = load_of(session, deployed, inbox, versions)
        step.says = by_function.summary
    before = fingerprint(session, deployed, versions[0])
    by_job = background.submit(load_again, session, deployed, jars, inbox, versions)
    with demo.step("Upload a truncated file: it is rejected before anything is paid for") as step:
        rejected = upload(demo, session, deployed, [invalid], expected=FileStatus.REJECTED)
        mail = inbox.email_about(rejected)
        step.says = "rejected"
    with demo.step("Upload three more: a CSV.GZ, a CSV of 2014, and the TLC's zones") as step:
        step.says = load_of(session, deployed, inbox, upload(demo, session, deployed, valid)).summary
    with demo.step("Query the tables with DuckDB, without Spark") as step:
        zones = tables.query(session, deployed, ZONES, limit=ZONES_SHOWN)
        step.says = f"{zones.rows[0][0]} is the busiest zone"
    # its charts are slow to import
    report = background.submit(importlib.import_module, "ops.commands.report")
    background.submit(importlib.import_module, "ops.report.page")
    with demo.step(f"Load {first.path.name} again with Spark, as the Glue job does") as step:
        again = by_job.result()
        step.says = again.summary
        if fingerprint(session, deployed, versions[0]) != before:
            raise CliError("the two engines loaded different rows", "report it as a bug")
    with demo.step("Write a report") as step:
        report.result().write_report(session, deployed, PAGE)
        step.says = str(PAGE.relative_to(paths.CHECKOUT))
    console = demo.console
    console.print("\nBoth engines loaded the same rows:", engines_table([by_function, again]))
    console.print("\nThe e-mail about the truncated file:", letter(mail))
    console.print("\nYellow trips by zone of the pickup:", bars(zones.rows))
    console.print(Panel(NEXT, title="The account keeps running. Commands to try next", title_align="left"))


def make_files() -> tuple[sample_data.Sample, list[Path], Path]:
    """Write the first valid TLC file, three others, and one without its second half; return their paths."""
    FILES.mkdir(parents=True, exist_ok=True)

    def make(dataset: str, month: str = "", **options: object) -> sample_data.Sample:
        return sample_data.generate(FILES, dataset=dataset, month=month, rows=ROWS, **options)  # type: ignore[arg-type]

    first = make("yellow", "2024-01", dirty_share=0.01, seed=1)
    others = [
        make("green", "2020-04", dirty_share=0.01, format="csv.gz", seed=2),
        make("yellow", "2014-03", format="csv", seed=3),
        make("zones"),
    ]
    truncated = make("yellow", "2024-02", seed=4).path
    truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    return first, [each.path for each in others], truncated


def upload(
    demo: Demo,
    session: Session,
    deployed: Deployment,
    files: Sequence[Path],
    *,
    expected: FileStatus = FileStatus.LOADED,
) -> list[FileVersion]:
    """Upload the files and wait until they have ended; return their versions.

    Raises CliError unless all end with the expected status.
    """
    planned = uploads.plan(files, RAW_PREFIX)
    versions = uploads.upload(session, deployed.bucket_name, planned, lambda *_: None)
    follow(demo, session, deployed, versions, expected)
    return versions


def follow(
    demo: Demo | None,
    session: Session,
    deployed: Deployment,
    versions: Sequence[FileVersion],
    expected: FileStatus = FileStatus.LOADED,
) -> None:
    """Wait until the files have ended. Raises CliError unless all end with the expected status."""
    watch = Watch(session, deployed, versions, timeout_seconds=TIMEOUT_SECONDS, poll_seconds=0.3)
    for change in watch.changes():
        if demo:
            demo.detail(change.subject, change.state)
    for file in watch.files:
        if file.status != expected:
            reasons = "; ".join(file.reasons) or "no reason is recorded"
            raise CliError(
                f"{file.version.key} ended as {file.status}, not {expected}: {reasons}",
                f"see its execution: taxi-etl --environment {LOCAL} history {file.execution}",
            )


def load_again(
    session: Session,
    deployed: Deployment,
    jars: Future[tuple[Path, ...]],
    inbox: Inbox,
    versions: Sequence[FileVersion],
) -> Load:
    """Load the files again with the Glue job, once Spark's jars are there."""
    jars.result()
    orchestrator.replay_files(session, deployed, versions, EngineChoice.GLUE)
    follow(None, session, deployed, versions)
    return load_of(session, deployed, inbox, versions)


NEXT = f"""\
source .venv/bin/activate
taxi-etl --environment {LOCAL} upload FILE… --wait      load your own trip files
taxi-etl --environment {LOCAL} list                     list the executions; history EXECUTION shows one
taxi-etl --environment {LOCAL} query "SELECT …"         query the tables
taxi-etl --environment {LOCAL} verify                   check every deployed part
taxi-etl local down                              stop the account and delete everything in it"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
