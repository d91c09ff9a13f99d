"""Tests that an upload becomes table rows and a notification in the deployed app.

The tests build on each other's tables and run in order.
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import sample_data
from ops import uploads
from ops.file_outcomes import FileOutcome
from taxi_etl.names import RAW_PREFIX
from taxi_etl.raw_folders import raw_folder
from tests.conftest import SHARED_DATA
from tests.e2e.conftest import App, File, alarm_messages, eventually


def expected_counts(files: Mapping[str, File]) -> dict[str, int]:
    """Return the expected rows by file, in the tables and as `quarantined:NAME` in quarantine."""
    kept = {name: file.written for name, file in files.items()}
    return kept | {f"quarantined:{name}": file.quarantined for name, file in files.items()}


@pytest.fixture(scope="module")
def loaded(app: App, files: Mapping[str, File]) -> str:
    """The execution that loaded all four files of one upload, the yellow one in the crawler's folder."""
    folders = {name: raw_folder("yellow") for name, file in files.items() if file.dataset == "yellow"}
    outcomes = app.follow(app.send(*(file.path for file in files.values()), folders=folders))
    wrong = {file.version.key: (file.status, file.reasons) for file in outcomes if file.status != "loaded"}
    assert wrong == {}
    executions = {file.execution for file in outcomes}
    assert len(executions) == 1
    return executions.pop()


def test_four_files_load_in_one_execution_with_every_row_accounted_for(
    app: App, files: Mapping[str, File], loaded: str
) -> None:
    assert app.counts() == expected_counts(files)
    (message,) = app.messages(loaded)
    assert message["subject"] == "Taxi ETL SUCCESS: 4 files"
    assert (message["crawlerState"], message["crawlCostUsd"]) == ("READY", 0.1467)
    assert (message["engine"], message["declined"]) == ("duckdb", None)
    by_file = {Path(entry["key"]).name: entry["rows"] for entry in message["files"]}
    for name, file in files.items():
        counts = {key: by_file[name][key] for key in ("read", "written", "quarantined")}
        assert counts == {"read": file.read, "written": file.written, "quarantined": file.quarantined}, name
    email = app.email(loaded)
    assert email.startswith("To: on-call@example.com\nSubject: Taxi ETL SUCCESS: 4 files\n\nLoaded 4 files: ")
    for name, file in files.items():
        folder = " in raw/taxi/yellow_parquet/" if file.dataset == "yellow" else ""
        assert f"\n- {name}{folder}: loaded {file.written:,} rows into {file.dataset}_trips" in email


def test_the_first_load_of_a_dataset_crawls_the_raw_zone_and_ends_in_success(app: App, loaded: str) -> None:
    states = app.states_of(loaded)
    assert [states[0], states[-1]] == ["ValidateInput", "NotifySuccess"]
    assert "RunCrawlerUpdate" in states
    tables = app.session.client("glue").get_tables(DatabaseName=app.deployed.raw_database_name)["TableList"]
    locations = {table["Name"]: table["StorageDescriptor"]["Location"] for table in tables}
    assert locations["yellow_parquet"] == f"s3://{app.deployed.bucket_name}/raw/taxi/yellow_parquet/"


def test_reuploaded_files_replace_only_their_own_rows(
    app: App, files: Mapping[str, File], loaded: str, tmp_path: Path
) -> None:
    changed, same = files["green_tripdata_2024-01.parquet"], files["green_tripdata_2025-03.parquet"]
    other = sample_data.generate(
        tmp_path / changed.path.name, dataset="green", month="2024-01", rows=1_000, dirty_share=0.02, seed=31
    )

    outcomes = app.upload(other.path, same.path)

    assert [file.status for file in outcomes] == ["loaded", "loaded"]
    assert outcomes[0].execution is not None
    assert "RunCrawlerUpdate" not in app.states_of(outcomes[0].execution)
    replaced = {changed.path.name: 980, f"quarantined:{changed.path.name}": 20}
    assert app.counts() == expected_counts(files) | replaced
    versions = app.session.client("s3").list_object_versions(
        Bucket=app.deployed.bucket_name, Prefix=f"{RAW_PREFIX}{same.path.name}"
    )["Versions"]
    assert len(versions) == 2
    code, document = app.command("status", changed.path.name)
    newest, oldest = document["versions"]
    assert (code, newest["tables"]) == (0, {"green_trips": 980, "quarantined_trips": 20})
    assert (oldest["status"], oldest["tables"], oldest["replacedBy"]) == ("loaded", {}, newest["versionId"])
    _, document = app.command("list", "--file", changed.path.name, "--since", "1d", "--status", "SUCCEEDED")
    assert {each["name"] for each in document["executions"]} == {loaded, outcomes[0].execution}


def test_status_names_the_last_loads_and_the_months_between_loaded_ones(app: App, loaded: str) -> None:
    code, document = app.command("status")
    assert (code, len(document["lastLoads"]), document["waiting"]) == (0, 5, [])
    months = {each["dataset"]: each for each in document["months"]}
    assert "2020-05" in months["green"]["missing"]
    assert {"2020-04", "2024-01", "2025-03"}.isdisjoint(months["green"]["missing"])


@pytest.fixture(scope="module")
def dirty(loaded: str, tmp_path_factory: pytest.TempPathFactory) -> File:
    """A file in which a tenth of the rows fail validation."""
    made = sample_data.generate(
        tmp_path_factory.mktemp("dirty"),
        dataset="yellow",
        month="2023-05",
        rows=200,
        dirty_share=0.1,
        seed=21,
    )
    return File(made.path, made.dataset, 200, 20)


@pytest.fixture(scope="module")
def repeated(app: App, dirty: File) -> tuple[FileOutcome, set[str]]:
    """The outcome of the dirty file, whose event arrived six times, and the earlier executions."""
    before = app.executions()
    planned = uploads.plan([dirty.path], RAW_PREFIX)
    (version,) = uploads.upload(app.session, app.deployed.bucket_name, planned, lambda *_: None)
    event = s3_event(version.bucket, version.key, version.version_id, version.size)
    sqs = app.session.client("sqs")
    for _ in range(5):
        sqs.send_message(QueueUrl=app.deployed.queue_url, MessageBody=json.dumps(event))

    (outcome,) = app.follow([version])
    return outcome, before


def test_the_same_event_delivered_five_times_starts_one_execution(
    app: App, dirty: File, repeated: tuple[FileOutcome, set[str]]
) -> None:
    outcome, before = repeated

    assert outcome.status == "loaded"
    eventually(lambda: queued_events(app) == 0, "an empty queue")
    assert app.executions() - before == {outcome.execution}
    counts = app.counts()
    assert (counts[dirty.path.name], counts[f"quarantined:{dirty.path.name}"]) == (180, 20)


def test_a_report_has_the_path_the_cost_and_example_rows_of_an_execution(
    app: App, repeated: tuple[FileOutcome, set[str]], tmp_path: Path
) -> None:
    outcome, _ = repeated
    (message,) = app.messages(outcome.execution)
    path = tmp_path / "report.html"
    code, document = app.command("report", outcome.execution, "--html", str(path))
    assert code == 0
    assert [state["name"] for state in document["states"]] == app.states_of(outcome.execution)
    phases = [phase["name"] for phase in document["timeline"]]
    assert phases == ["Event queue", "Validation", "Small batch", "Notification"]
    assert document["costs"] == [{"part": "Small batch function", "usd": message["smallBatchCostUsd"]}]
    reasons = message["files"][0]["rows"]["reasons"]
    assert {each["reason"]: each["rows"] for each in document["quarantine"]} == reasons
    examples = [example for each in document["quarantine"] for example in each["examples"]]
    assert {example["key"] for example in examples} == {outcome.version.key}
    assert all("VendorID" in example["values"] for example in examples)
    assert "Path through the state machine" in path.read_text()


def test_the_overview_counts_executions_rows_and_months(
    app: App, files: Mapping[str, File], loaded: str
) -> None:
    code, document = app.command("report")
    assert code == 0
    assert sum(each["executions"] for each in document["executions"]) == len(app.executions())
    assert "small batches" in {each["dataset"] for each in document["costs"]}
    assert {each["dataset"] for each in document["rows"]} >= {"yellow", "green"}
    assert {each["dataset"]: "2020-05" in each["missing"] for each in document["months"]}["green"]


def test_a_quarantine_share_of_a_tenth_raises_an_alarm(
    app: App, repeated: tuple[FileOutcome, set[str]]
) -> None:
    eventually(lambda: bool(alarm_messages(app, "QuarantineShare")), "the alarm QuarantineShare")


def test_a_month_with_few_trips_loads_with_a_warning_and_raises_an_alarm(app: App, tmp_path: Path) -> None:
    rows = {"2015-01": 1_000, "2015-02": 1_000, "2015-03": 1_000, "2015-04": 400}
    paths = [
        sample_data.generate(tmp_path, variant="F1", month=month, rows=count).path
        for month, count in rows.items()
    ]
    planned = uploads.plan(paths, f"{RAW_PREFIX}months/")
    versions = uploads.upload(app.session, app.deployed.bucket_name, planned, lambda *_: None)

    (execution,) = {each.execution for each in app.follow(versions)}

    _, history = app.command("history", execution)
    notes = {file["key"][-11:-4]: [note.split(":")[0] for note in file["notes"]] for file in history["files"]}
    assert notes == {
        "2015-01": [],
        "2015-02": [],
        "2015-03": [],
        "2015-04": ["unusual_month"],
    }
    eventually(lambda: bool(alarm_messages(app, "UnusualMonths")), "the alarm UnusualMonths")


@pytest.fixture(scope="module")
def replayed_by_job(app: App, loaded: str) -> tuple[dict[str, int], dict[str, Any]]:
    """The row counts before the Glue job loaded one of the files again, and the notification about that."""
    before, key = app.counts(), f"{RAW_PREFIX}green_tripdata_2025-03.parquet"
    code, document = app.command("replay", key, "--engine", "glue", "--wait")
    assert (code, document["files"][0]["status"]) == (0, "loaded"), document
    (message,) = app.messages(document["executions"][0]["name"])
    return before, message


def test_the_job_replaces_the_rows_that_the_function_loaded(
    app: App, replayed_by_job: tuple[dict[str, int], dict[str, Any]]
) -> None:
    before, message = replayed_by_job

    assert (message["status"], message["engine"]) == ("SUCCESS", "glue")
    assert app.counts() == before
    _, report = app.command("report", message["workflowExecutionId"])
    phases = [phase["name"] for phase in report["timeline"]]
    assert phases == ["Validation", "Glue queue and start", "Job run", "Notification"]
    assert report["costs"] == [{"part": "Job run", "usd": message["jobCostUsd"]}]


def test_the_job_cost_in_a_notification_is_also_a_metric(
    app: App, replayed_by_job: tuple[dict[str, int], dict[str, Any]]
) -> None:
    _, message = replayed_by_job
    logs = app.session.client("logs")
    name = app.deployed.close_function_name

    def counted() -> list[float]:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern=message["jobRunId"])
        lines = [json.loads(event["message"]) for event in found["events"] if "cost_usd" in event["message"]]
        return [line["cost_usd"] for line in lines]

    eventually(lambda: bool(counted()), "the job run's cost in the finalizer's log")
    assert counted() == [message["jobCostUsd"]]
    now = dt.datetime.now(dt.UTC)
    (points,) = app.session.client("cloudwatch").get_metric_statistics(
        Namespace="TaxiEtl",
        MetricName="JobCostUsd",
        Dimensions=[{"Name": "service", "Value": name}],
        StartTime=now - dt.timedelta(days=1),
        EndTime=now + dt.timedelta(minutes=1),
        Period=172_800,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert points["Sum"] >= message["jobCostUsd"] > 0
    assert points["SampleCount"] >= 1


def test_broken_files_are_rejected_before_any_job_run_starts(app: App, loaded: str, tmp_path: Path) -> None:
    truncated, not_gzip = broken_files(tmp_path)
    runs, counts = app.job_runs(), app.counts()

    outcomes = app.upload(truncated, not_gzip)

    assert [file.status for file in outcomes] == ["rejected", "rejected"]
    codes = [reason.split(":")[0] for file in outcomes for reason in file.reasons]
    assert codes == ["truncated", "not_gzip"]
    (execution,) = {file.execution for file in outcomes}
    (message,) = app.messages(execution)
    assert message["status"] == "VALIDATION_FAILED"
    assert {Path(entry["key"]).name for entry in message["files"]} == {truncated.name, not_gzip.name}
    email = app.email(execution)
    assert "\n\nRejected 2 files; nothing was loaded." in email
    for name, file in zip((truncated.name, not_gzip.name), outcomes, strict=True):
        assert f"\n- {name}: rejected: {file.reasons[0].partition(': ')[2]}\n  Object: s3://" in email
    assert app.job_runs() == runs
    assert app.counts() == counts
    for file in outcomes:  # rejected files are not moved
        app.session.client("s3").head_object(Bucket=file.version.bucket, Key=file.version.key)


def test_table_maintenance_changes_no_row(app: App, loaded: str) -> None:
    before = app.counts()

    code, document = app.command("maintain", "green_trips")

    assert code == 0, document
    (maintained,) = document["tables"]
    assert maintained["filesAfter"] <= maintained["filesBefore"]
    # Everything is younger than the retention.
    assert (maintained["snapshotsExpired"], maintained["orphansRemoved"]) == (0, 0)
    assert app.counts() == before


def broken_files(folder: Path) -> tuple[Path, Path]:
    """Return a truncated Parquet file and a .csv.gz file that is not gzip, real ones where available."""
    if SHARED_DATA.is_dir():
        corrupt = SHARED_DATA / "corrupt"
        return corrupt / "truncated_yellow_tripdata_2021-01.parquet", corrupt / "not_really_gzip.csv.gz"
    truncated = folder / "yellow_tripdata_2021-01.parquet"
    sample_data.generate(truncated, dataset="yellow", month="2021-01", rows=500)
    truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    not_gzip = folder / "green_tripdata_2021-01.csv.gz"
    not_gzip.write_text("VendorID,lpep_pickup_datetime\n1,2021-01-01 00:00:00\n")
    return truncated, not_gzip


def queued_events(app: App) -> int:
    """Return how many events are in the queue or in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = app.session.client("sqs").get_queue_attributes(
        QueueUrl=app.deployed.queue_url, AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def s3_event(bucket: str, key: str, version_id: str, size: int) -> dict[str, object]:
    """Return S3's event of an upload, to deliver it again."""
    described = {"key": key, "size": size, "eTag": "0", "versionId": version_id, "sequencer": "0"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": described},
    }
    return {"Records": [record]}
