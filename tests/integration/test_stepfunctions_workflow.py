"""Tests of a deployed app: every part exists, and files are loaded and rejected.

    pytest tests/integration                     an app deployed for the tests into an emulated account
    pytest tests/integration --deployed dev      the one deployed as `dev`, with the usual AWS credentials
    pytest tests/integration --deployed local    the one in the running `taxi-etl local` account

`tests/integration/conftest.py` states their cost in an account, and what they leave there.
"""

import json
from typing import Any

import pytest

import sample_data
from tests.integration.conftest import TIMEOUT_SECONDS, DeployedApp

GREEN = "green_tripdata_2024-01.parquet"
STATES = {
    *("ValidateInput", "CheckValidation", "NotifyValidationFailure", "NotifyRejectedFiles", "NothingToDo"),
    *("RunGlueETLJob", "CheckGlueJobStatus", "ReadJobResult", "EvaluateResult", "NotifyGlueJobFailure"),
    *(
        "IsCatalogUpdateNeeded",
        "RunCrawlerUpdate",
        "WaitForCrawler",
        "CheckCrawlerStatus",
        "IsCrawlerRunning",
    ),
    *("HandleCrawlerFailure", "NotifySuccess", "NotifyPartialSuccess", "NotifyFailure"),
    *("ValidationFailed", "ExecutionFailed", "NotificationFailed"),
}
EARLIER_WORK = {
    ("crawler", "last crawl"),
    ("event dead-letter queue", "empty"),
    ("finalizer's dead-letter queue", "empty"),
}
"""Findings of `verify` about earlier work, which may have failed in a correct deployment."""


@pytest.fixture(scope="session")
def loaded(app_under_test: DeployedApp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of an uploaded file of 300 rows, 6 of which fail validation."""
    path = tmp_path_factory.mktemp("loaded") / GREEN
    sample_data.generate(path, dataset="green", month="2024-01", rows=300, dirty_share=0.02, seed=5)
    code, file = app_under_test.upload(path)
    assert (code, file["status"]) == (0, "loaded"), file["reasons"]
    return file


@pytest.fixture(scope="session")
def rejected(app_under_test: DeployedApp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of a file that is not a Parquet file."""
    path = tmp_path_factory.mktemp("rejected") / "green_tripdata_2024-02.parquet"
    path.write_bytes(b"not a Parquet file" * 10)
    code, file = app_under_test.upload(path)
    assert (code, file["status"]) == (1, "rejected"), file
    return file


class TestStepFunctionsWorkflow:
    """The parts of the app, then its flow."""

    def test_state_machine_exists(self, app_under_test: DeployedApp) -> None:
        found = app_under_test.client("stepfunctions").describe_state_machine(
            stateMachineArn=app_under_test.deployed.state_machine_arn
        )
        assert (found["name"], found["type"]) == (app_under_test.named("etl-pipeline-workflow"), "STANDARD")
        assert found["status"] == "ACTIVE"
        definition = json.loads(found["definition"])
        assert definition["StartAt"] == "ValidateInput"
        assert STATES - set(definition["States"]) == set()

    @pytest.mark.parametrize(
        ("function", "variables"),
        [
            ("etl-orchestrator", {"STATE_MACHINE_ARN", "ENABLE_ORCHESTRATION"}),
            ("etl-orchestrator-validate-input", {"RUNS_BUCKET"}),
            ("etl-close-execution", {"STATE_MACHINE_ARN", "TOPIC_ARN"}),
        ],
    )
    def test_function_exists_with_its_environment_variables(
        self, app_under_test: DeployedApp, function: str, variables: set[str]
    ) -> None:
        found = app_under_test.client("lambda").get_function_configuration(
            FunctionName=app_under_test.named(function)
        )
        assert found["State"] in ("Active", "Inactive")
        known = {
            "STATE_MACHINE_ARN": app_under_test.deployed.state_machine_arn,
            "ENABLE_ORCHESTRATION": "true",
            "RUNS_BUCKET": app_under_test.deployed.bucket_name,
            "TOPIC_ARN": app_under_test.deployed.topic_arn,
        }
        actual = found["Environment"]["Variables"]
        assert {name: actual.get(name) for name in variables} == {name: known[name] for name in variables}

    def test_the_queue_feeds_the_orchestrator_and_only_failed_events_are_retried(
        self, app_under_test: DeployedApp
    ) -> None:
        answer = app_under_test.client("lambda").list_event_source_mappings(
            FunctionName=app_under_test.named("etl-orchestrator")
        )
        (mapping,) = answer["EventSourceMappings"]
        assert mapping["State"] == "Enabled"
        assert mapping["EventSourceArn"].endswith(f":{app_under_test.named('etl-file-events')}")
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_job_exists(self, app_under_test: DeployedApp) -> None:
        job = app_under_test.client("glue").get_job(JobName=app_under_test.named("job-process-taxi-data"))[
            "Job"
        ]
        assert (job["Command"]["Name"], job["GlueVersion"]) == ("glueetl", "6.0")
        assert job.get("MaxRetries", 0) == 0
        assert job["DefaultArguments"]["--database"] == app_under_test.deployed.taxi_database_name
        bucket, _, key = job["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")
        script = app_under_test.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        assert "--manifest" in script

    def test_crawler_exists(self, app_under_test: DeployedApp) -> None:
        crawler = app_under_test.client("glue").get_crawler(Name=app_under_test.named("crawler-taxi-raw"))[
            "Crawler"
        ]
        assert crawler["DatabaseName"] == app_under_test.deployed.raw_database_name
        targets = [target["Path"] for target in crawler["Targets"]["S3Targets"]]
        lake = f"s3://{app_under_test.deployed.bucket_name}/raw/taxi/"
        assert {f"{lake}{name}_parquet/" for name in ("yellow", "green", "fhv", "fhvhv")} <= set(targets)

    def test_topic_exists_and_is_encrypted(self, app_under_test: DeployedApp, is_emulated: bool) -> None:
        arn = app_under_test.deployed.topic_arn
        assert arn.endswith(f":{app_under_test.named('etl-pipeline-notifications')}")
        attributes = app_under_test.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        assert attributes["TopicArn"] == arn
        assert is_emulated or attributes["KmsMasterKeyId"]

    def test_bucket_is_versioned_and_notifies_the_queue_of_raw_files(
        self, app_under_test: DeployedApp
    ) -> None:
        s3, bucket = app_under_test.client("s3"), app_under_test.deployed.bucket_name
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        configurations = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
        (ours,) = [
            each
            for each in configurations
            if each["QueueArn"].endswith(f":{app_under_test.named('etl-file-events')}")
        ]
        assert ours["Events"] == ["s3:ObjectCreated:*"]
        rules = [(rule["Name"].lower(), rule["Value"]) for rule in ours["Filter"]["Key"]["FilterRules"]]
        assert rules == [("prefix", "raw/taxi/")]

    def test_alarms_exist_and_notify_the_topic(self, app_under_test: DeployedApp) -> None:
        wanted = {
            app_under_test.named(f"etl-pipeline-{alarm}")
            for alarm in ("ExecutionsFailed", "ExecutionThrottled", "ExecutionTime", "FilesFailed")
        }
        assert wanted <= set(app_under_test.deployed.alarm_names)
        answer = app_under_test.client("cloudwatch").describe_alarms(
            AlarmNames=sorted(app_under_test.deployed.alarm_names)
        )
        found = {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}
        assert set(found) == set(app_under_test.deployed.alarm_names)
        for name, alarm in found.items():
            assert app_under_test.deployed.topic_arn in alarm["AlarmActions"], name

    def test_verify_finds_no_failed_part(self, app_under_test: DeployedApp) -> None:
        _, document = app_under_test.taxi_etl("verify")
        failed = [
            finding
            for finding in document["findings"]
            if finding["level"] == "failed" and (finding["part"], finding["check"]) not in EARLIER_WORK
        ]
        assert failed == []
        assert len(document["findings"]) >= 30

    def test_an_upload_starts_an_execution_that_loads_its_rows(
        self, app_under_test: DeployedApp, loaded: dict[str, Any]
    ) -> None:
        assert loaded["rows"] == {"read": 300, "written": 294, "quarantined": 6}
        uri = f"s3://{app_under_test.deployed.bucket_name}/{app_under_test.prefix}{GREEN}"
        counted = {}
        for table in ("green_trips", "quarantined_trips"):
            sql = f"SELECT count(*) AS trips FROM {table} WHERE source_file = '{uri}'"
            _, answer = app_under_test.taxi_etl("query", sql)
            counted[table] = answer["rows"][0]["trips"]
        assert counted == {"green_trips": 294, "quarantined_trips": 6}

    def test_a_loaded_file_is_notified_with_its_counts(
        self, app_under_test: DeployedApp, loaded: dict[str, Any]
    ) -> None:
        message = app_under_test.message(loaded["execution"])
        assert (message["status"], message["key"]) == ("SUCCESS", f"{app_under_test.prefix}{GREEN}")
        assert message["jobName"] == app_under_test.named("job-process-taxi-data")
        assert message["crawlerState"] in ("READY", "SKIPPED")
        rows = {name: message["rows"][name] for name in ("read", "written", "quarantined")}
        assert rows == {"read": 300, "written": 294, "quarantined": 6}

    def test_history_shows_an_executions_steps(
        self, app_under_test: DeployedApp, loaded: dict[str, Any]
    ) -> None:
        code, history = app_under_test.taxi_etl("history", loaded["execution"])
        assert (code, history["status"]) == (0, "SUCCEEDED")
        states = [step["state"] for step in history["steps"]]
        small_batch = app_under_test.deployed.small_batch_function_name
        load = ["RunSmallBatch", "CheckSmallBatch"] if small_batch else ["RunGlueETLJob"]
        assert states[: 2 + len(load)] == ["ValidateInput", "CheckValidation", *load]
        assert states[-1] == "NotifySuccess"
        assert all(step["seconds"] is not None and not step["error"] for step in history["steps"])
        assert (history["jobRunId"] is None) == bool(small_batch)
        assert [(file["key"], file["status"]) for file in history["files"]] == [
            (f"{app_under_test.prefix}{GREEN}", "loaded")
        ]
        assert history["input"]["trigger"] == "s3"

    def test_a_rejected_file_is_notified_with_its_reason_and_costs_no_job_run(
        self, app_under_test: DeployedApp, rejected: dict[str, Any]
    ) -> None:
        message = app_under_test.message(rejected["execution"])
        assert message["status"] == "VALIDATION_FAILED"
        assert [reason.split(":")[0] for reason in rejected["reasons"]] == ["not_parquet"]
        _, history = app_under_test.taxi_etl("history", rejected["execution"])
        assert (history["status"], history["error"]) == ("FAILED", "ValidationFailed")
        states = [step["state"] for step in history["steps"]]
        assert states == ["ValidateInput", "CheckValidation", "NotifyValidationFailure", "ValidationFailed"]
        assert history["jobRunId"] is None

    def test_a_rejected_file_is_not_moved(
        self, app_under_test: DeployedApp, rejected: dict[str, Any]
    ) -> None:
        head = app_under_test.client("s3").head_object(
            Bucket=app_under_test.deployed.bucket_name, Key=rejected["key"]
        )
        assert head["VersionId"] == rejected["versionId"]

    def test_a_manual_start_goes_through_the_orchestrator(self, app_under_test: DeployedApp) -> None:
        key = f"{app_under_test.run_name}/green_tripdata_2024-03.parquet"  # no events outside the raw zone
        app_under_test.client("s3").put_object(
            Bucket=app_under_test.deployed.bucket_name, Key=key, Body=b"PAR1"
        )
        words = ("start", "--key", key, "--wait", "--timeout", str(TIMEOUT_SECONDS))

        code, document = app_under_test.taxi_etl(*words)

        ((file,), (execution,)) = document["files"], document["executions"]
        assert (code, file["status"], execution["state"]) == (1, "rejected", "started")
        assert file["reasons"] == ["wrong_prefix: the object key must begin with raw/taxi/"]
        _, history = app_under_test.taxi_etl("history", execution["name"])
        assert (history["input"]["trigger"], history["input"]["files"][0]["key"]) == ("manual", key)
        code, again = app_under_test.taxi_etl(*words)
        assert code == 1
        assert "already ran and has ended" in again["error"], (
            "a second start must not start a second execution"
        )

    def test_recent_executions_are_listed_newest_first(
        self, app_under_test: DeployedApp, rejected: dict[str, Any]
    ) -> None:
        _, document = app_under_test.taxi_etl("list", "--count", "50")
        listed = document["executions"]
        assert rejected["execution"] in [each["name"] for each in listed]
        started = [each["started"] for each in listed]
        assert started == sorted(started, reverse=True)
