"""Tests of global options, errors and exit codes, and of the small commands."""

import json
import subprocess
import sys

import pytest
from conftest import TOPIC, stack
from fake_aws import error

from local_aws import account
from local_aws.errors import LocalAwsError
from ops import doctor, session
from ops.commands.context import App
from ops.errors import CliError
from ops.session import Session, Target
from tests.conftest import ROOT

RUNNING = account.Account("http://127.0.0.1:4566", 4711, "/tmp/state")


def test_help_names_every_command(taxi_etl):
    output = taxi_etl("--help").stdout
    for command in (
        *("verify", "upload", "start", "replay", "backfill", "status", "list", "history", "query", "sql"),
        *("subscribe", "sample", "doctor", "local", "trigger", "crawler", "maintain", "cleanup"),
    ):
        assert f" {command} " in output
    assert " care " not in output


def test_python_m_ops_is_the_same_command_line():
    result = subprocess.run(
        [sys.executable, "-m", "ops", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Usage: taxi-etl " in result.stdout


def test_wrong_usage_is_exit_code_2(taxi_etl):
    assert taxi_etl("unheard-of").exit_code == 2
    assert taxi_etl("history").exit_code == 2


def test_a_missing_deployment_is_an_error_with_the_command_to_deploy(taxi_etl):
    taxi_etl.aws.answers["cloudformation.DescribeStacks"] = error("ValidationError", "does not exist")
    result = taxi_etl("status")
    assert result.exit_code == 1
    assert "stack TaxiDataLake-dev does not exist in region eu-west-1" in result.stderr
    assert "npx cdk deploy --all -c environment=dev" in result.stderr
    assert "taxi-etl --environment dev doctor --account" in result.stderr


def test_stacks_of_another_version_are_an_error_with_the_missing_outputs(taxi_etl):
    def without_topic(request):
        document = stack(request)
        outputs = document["Stacks"][0]["Outputs"]
        document["Stacks"][0]["Outputs"] = [each for each in outputs if each["OutputKey"] != "TopicArn"]
        return document

    taxi_etl.aws.answers["cloudformation.DescribeStacks"] = without_topic
    code, document = taxi_etl.json("status")
    assert code == 1
    assert document["error"] == (
        "the stacks lack the outputs TopicArn: another version of the app is deployed"
    )


def test_an_aws_error_is_printed_without_a_traceback(taxi_etl):
    taxi_etl.aws.answers["cloudformation.DescribeStacks"] = error("ExpiredToken", "sign in again")
    result = taxi_etl("list")
    assert result.exit_code == 1
    assert "DescribeStacks failed: ExpiredToken: sign in again" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", [("--json", "local", "status"), ("local", "status", "--json")])
def test_json_may_stand_anywhere_on_the_command_line(words, taxi_etl, monkeypatch):
    monkeypatch.setattr(account, "status", lambda: RUNNING)
    result = taxi_etl(*words)
    assert json.loads(result.stdout)["endpointUrl"] == "http://127.0.0.1:4566"


def test_the_environment_comes_from_the_option_or_the_variable(taxi_etl, monkeypatch):
    seen = []
    monkeypatch.setattr(App, "session", property(lambda app: seen.append(app.target) or taxi_etl.aws))
    taxi_etl("status")
    taxi_etl("status", env={"TAXI_ETL_ENVIRONMENT": "prod"})
    taxi_etl(
        "--environment", "local", "--region", "us-east-2", "status", env={"TAXI_ETL_ENVIRONMENT": "prod"}
    )
    assert [target.environment for target in dict.fromkeys(seen)] == ["dev", "prod", "local"]
    assert seen[-1] == Target("local", region="us-east-2")


def test_next_steps_have_the_global_options_of_the_call():
    target = Target("dev", region="eu-west-1", profile="my profile", endpoint_url="http://127.0.0.1:1")
    assert target.command("list") == (
        "taxi-etl --environment dev --region eu-west-1 --profile 'my profile' "
        "--endpoint-url http://127.0.0.1:1 list"
    )


def test_the_local_environment_uses_the_running_account_and_its_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setattr(account, "status", lambda: RUNNING)
    local = Session(Target("local"))
    assert (local.endpoint_url, local.region) == ("http://127.0.0.1:4566", "us-east-1")
    assert local.credentials()[:2] == ("test", "test")
    assert local.client("s3").meta.endpoint_url == "http://127.0.0.1:4566"


def test_another_endpoint_for_the_local_environment_receives_no_real_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "REAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    other = Session(Target("local", endpoint_url="http://127.0.0.1:9"))
    assert other.credentials()[:2] == ("test", "test")
    assert other.endpoint_url == "http://127.0.0.1:9"


def test_a_stopped_local_account_is_an_error_with_the_command_to_start_it(monkeypatch):
    monkeypatch.setattr(account, "status", lambda: None)
    with pytest.raises(CliError) as raised:
        Session(Target("local")).client("s3")
    assert "taxi-etl local up" in raised.value.next_step


def test_an_unknown_profile_and_a_missing_region_are_errors(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CliError, match="nobody"):
        _ = Session(Target("dev", profile="nobody")).region
    with pytest.raises(CliError, match="no AWS region is configured"):
        _ = Session(Target("dev")).region


def test_local_status_down_and_up(taxi_etl, monkeypatch):
    monkeypatch.setattr(account, "status", lambda: None)
    assert taxi_etl.json("local", "status") == (1, {"running": False})
    monkeypatch.setattr(account, "down", lambda: True)
    assert taxi_etl.json("local", "down") == (0, {"stopped": True})
    ports = []
    monkeypatch.setattr(account, "up", lambda port: ports.append(port) or RUNNING)
    code, document = taxi_etl.json("local", "up", "--port", "0")
    assert (code, document["pid"], ports) == (0, 4711, [0])
    assert document["environment"]["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_a_failed_local_up_prints_the_reason(taxi_etl, monkeypatch):
    def taken(port):
        raise LocalAwsError(f"port {port} is taken")

    monkeypatch.setattr(account, "up", taken)
    result = taxi_etl("local", "up", "--port", "4566")
    assert (result.exit_code, "port 4566 is taken" in result.stderr) == (1, True)


@pytest.mark.parametrize(("missing", "code"), [([], 0), (["Java"], 1)])
def test_doctor_prints_what_is_missing(missing, code, taxi_etl, monkeypatch):
    monkeypatch.setattr(doctor, "missing_requirements", lambda: missing)
    monkeypatch.setattr(doctor, "other_cdk", lambda found: None)
    assert taxi_etl.json("doctor") == (code, {"missing": missing})


def test_doctor_reports_another_version_of_cdk_on_the_path(tmp_path, taxi_etl, monkeypatch):
    package = tmp_path / "lib" / "aws-cdk"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "cdk").touch(mode=0o755)
    (package / "package.json").write_text('{"version": "2.1.0"}')
    (tmp_path / "cdk").symlink_to(package / "bin" / "cdk")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "missing_requirements", list)

    code, document = taxi_etl.json("doctor")

    assert (code, len(document["missing"])) == (1, 1)
    assert "version 2.1.0; the project needs 2.1" in document["missing"][0]


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (error("404"), ""),
        ({"BucketRegion": "eu-west-1"}, ""),
        (
            {"BucketRegion": "us-east-1"},
            "bucket 123456789012-oubt-datalake-dev is in us-east-1, where the app may be deployed, and its "
            "name cannot be used again in eu-west-1: set another bucket_name in stacks/settings.py",
        ),
        (error("403"), "bucket 123456789012-oubt-datalake-dev belongs to another account"),
    ],
)
def test_doctor_reports_a_default_bucket_that_a_deployment_could_not_create(
    head, problem, taxi_etl, monkeypatch
):
    monkeypatch.setattr(doctor, "missing_requirements", list)
    monkeypatch.setattr(doctor, "other_cdk", lambda found: None)
    taxi_etl.aws.answers |= {
        "sts.GetCallerIdentity": {"Account": "123456789012"},
        "s3.HeadBucket": head,
    }
    code, document = taxi_etl.json("doctor", "--account")
    assert code == (1 if problem else 0)
    assert [found.startswith(problem) for found in document["missing"]] == ([True] if problem else [])
    assert taxi_etl.aws.requests("s3.HeadBucket") == [{"Bucket": "123456789012-oubt-datalake-dev"}]


def test_doctor_accepts_the_pinned_cdk_an_unknown_one_and_none(tmp_path):
    assert doctor.other_cdk(None) is None
    assert doctor.other_cdk(str(doctor.CHECKOUT / "node_modules" / "aws-cdk" / "bin" / "cdk")) is None
    assert doctor.other_cdk(str(tmp_path / "cdk")) is None


def test_doctor_reports_too_little_free_disk_space():
    assert doctor.missing_disk_space(4 * 1024**3) is None
    assert doctor.missing_disk_space(4 * 1024**3 - 1) is not None
    assert doctor.missing_disk_space(1024**3) == (
        "only 1.0 GiB of disk space are free; the setup needs 4 GiB: free some space"
    )


@pytest.mark.parametrize(
    ("endpoint", "protocol"),
    [
        ("a@example.com", "email"),
        ("https://example.com/hook", "https"),
        ("arn:aws:sqs:eu-west-1:123456789012:mine", "sqs"),
    ],
)
def test_subscribe_derives_the_protocol_from_the_endpoint(endpoint, protocol, taxi_etl):
    taxi_etl.aws.answers["sns.Subscribe"] = {"SubscriptionArn": "pending confirmation"}
    code, document = taxi_etl.json("subscribe", endpoint)
    assert (code, document["protocol"], document["subscriptionArn"]) == (0, protocol, "PendingConfirmation")
    assert document["nextStep"]
    assert taxi_etl.aws.requests("sns.Subscribe") == [
        {"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": {}}
    ]


def test_subscribe_can_filter_by_outcome_and_dataset(taxi_etl):
    taxi_etl.aws.answers["sns.Subscribe"] = {"SubscriptionArn": f"{TOPIC}:1"}
    words = ("--status", "FAILED", "--status", "VALIDATION_FAILED", "--dataset", "green")
    assert taxi_etl("subscribe", "a@example.com", *words).exit_code == 0
    [request] = taxi_etl.aws.requests("sns.Subscribe")
    assert json.loads(request["Attributes"]["FilterPolicy"]) == {
        "status": ["FAILED", "VALIDATION_FAILED"],
        "dataset": ["green"],
    }


@pytest.mark.parametrize(
    "endpoint",
    ["http://example.com", "https://", "somebody", "arn:", "arn:aws:sqs", "arn:aws:s3:::bucket", "a@b@c"],
)
def test_subscribe_rejects_an_endpoint_that_cannot_receive_notifications(endpoint, taxi_etl):
    result = taxi_etl("subscribe", endpoint)
    assert result.exit_code == 1
    assert "give an e-mail address" in result.stderr
    assert not taxi_etl.aws.requests("sns.Subscribe")


def test_subscribe_explains_how_a_chat_is_connected(taxi_etl):
    code, document = taxi_etl.json("subscribe", "--chat")
    assert (code, document["topicArn"], document["chatNotifications"]) == (0, TOPIC, False)
    assert document["steps"][0].startswith("Set chat_notifications=True for this environment")
    assert f"the region eu-west-1 and the topic {TOPIC}." in document["steps"][4]
    assert not taxi_etl.aws.requests("sns.Subscribe")


def test_subscribe_mentions_no_setting_that_is_already_on(taxi_etl):
    taxi_etl.aws.answers["cloudformation.DescribeStacks"] = lambda request: stack(
        request, ChatNotifications="https"
    )
    code, document = taxi_etl.json("subscribe", "--chat")
    assert (code, document["chatNotifications"]) == (0, True)
    assert document["steps"][0].startswith("Open https://console.aws.amazon.com/chatbot/")


@pytest.mark.parametrize("words", [(), ("a@example.com", "--chat"), ("--chat", "--dataset", "green")])
def test_subscribe_takes_an_endpoint_or_a_chat(words, taxi_etl):
    assert taxi_etl("subscribe", *words).exit_code == 2


def test_subscribe_refuses_a_filter_that_nothing_passes(taxi_etl):
    result = taxi_etl("subscribe", "a@example.com", "--dataset", "gren")
    assert result.exit_code == 2
    assert "'gren' is not a dataset: yellow, green, fhv, fhvhv, zones" in result.stderr
    assert not taxi_etl.aws.requests("sns.Subscribe")


def test_sample_writes_a_file_and_prints_its_contents(taxi_etl, tmp_path):
    out = tmp_path / "new"
    code, document = taxi_etl.json(
        *("sample", "--dataset", "green", "--month", "2024-01", "--rows", "100", "--dirty-share", "0.05"),
        *("--format", "csv.gz", "--out", str(out)),
    )
    assert code == 0
    assert document["path"] == str(out / "green_tripdata_2024-01.csv.gz")
    assert (document["rows"], document["cleanRows"], document["dirtyRows"]) == (100, 95, 5)
    assert (out / "green_tripdata_2024-01.csv.gz").stat().st_size == document["bytes"]


def test_sample_lists_the_layouts(taxi_etl):
    _, document = taxi_etl.json("sample", "--list")
    green = next(each for each in document["variants"] if each["variant"] == "P-G2")
    assert green == {
        "variant": "P-G2",
        "dataset": "green",
        "format": "parquet",
        "first": "2023-02",
        "last": "2024-12",
        "columns": 20,
    }


def test_sample_of_an_unknown_layout_is_wrong_usage(taxi_etl, tmp_path):
    result = taxi_etl("sample", "--dataset", "green", "--month", "2030-01", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_the_session_is_created_for_the_target_of_the_options():
    target = Target("dev")
    assert App(target, output=None).session.target is target
    assert isinstance(App(target, output=None).session, session.Session)
