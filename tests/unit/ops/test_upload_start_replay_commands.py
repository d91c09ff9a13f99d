"""Tests of `upload`, `start` and `replay`: their requests, and the outcomes they report."""

import json

import pytest
from conftest import ARN, at, file_item
from fake_aws import error, stream

from taxi_etl.names import RAW_PREFIX

KEY = f"{RAW_PREFIX}green_tripdata_2024-01.parquet"
HEAD = {"VersionId": "v7", "ContentLength": 10, "ETag": '"abc"'}


def orchestrator(*executions, more=False):
    payload = json.dumps({"executions": list(executions), "more": more}).encode()
    return lambda request: {"Payload": stream(payload)}


def execution(state="started"):
    return {"name": "run", "arn": f"{ARN}:execution:m:run", "files": 1, "state": state}


def found(*items):
    """Return the ledger's answer with these items."""
    return {"Responses": {"ledger": list(items)}}


@pytest.fixture
def a_file(tmp_path):
    path = tmp_path / "green_tripdata_2024-01.parquet"
    path.write_bytes(b"PAR1......")
    return path


@pytest.fixture
def versioned(taxi_etl):
    taxi_etl.aws.answers |= {
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.PutObject": {"VersionId": "v7"},
        "stepfunctions.GetExecutionHistory": error("ExecutionDoesNotExist"),
        "s3.GetObject": error("NoSuchKey"),
    }
    return taxi_etl


def test_upload_sends_files_to_the_raw_zone_and_prints_their_versions(versioned, a_file):
    code, document = versioned.json("upload", str(a_file))
    assert code == 0
    [entry] = document["files"]
    assert (entry["key"], entry["versionId"], entry["size"]) == (KEY, "v7", 10)
    [request] = versioned.aws.requests("s3.PutObject")
    assert (request["Bucket"], request["Key"]) == ("lake", KEY)


def test_a_large_file_is_uploaded_in_parts_and_has_the_version_of_the_completed_upload(versioned, tmp_path):
    large = tmp_path / "yellow_tripdata_2024-01.parquet"
    large.write_bytes(b"\0" * (9 * 1024 * 1024))
    versioned.aws.answers |= {
        "s3.CreateMultipartUpload": {"UploadId": "u"},
        "s3.UploadPart": {"ETag": '"p"'},
        "s3.CompleteMultipartUpload": {"VersionId": "whole"},
    }
    _, document = versioned.json("upload", str(large))
    assert document["files"][0]["versionId"] == "whole"
    assert len(versioned.aws.requests("s3.UploadPart")) == 2


def test_upload_says_how_to_see_what_becomes_of_the_files(versioned, a_file, tmp_path):
    other = tmp_path / "green_tripdata_2024-02.parquet"
    other.write_bytes(b"PAR1......")
    says = "the files load automatically; see their status: taxi-etl --environment dev status"
    alone = versioned("upload", str(a_file)).stderr
    assert alone == f"{says} s3://lake/raw/taxi/green_tripdata_2024-01.parquet\n"
    both = versioned("upload", str(a_file), str(other), "--prefix", "raw/taxi/2024").stderr
    assert both == f"{says} s3://lake/raw/taxi/2024/\n"


def test_upload_with_wait_reports_the_outcome_of_the_uploaded_version(versioned, a_file):
    rows = {"read": 10, "written": 9, "quarantined": 1}
    versioned.aws.answers["dynamodb.BatchGetItem"] = found(
        file_item(KEY, "v7", "loaded", dataset="green", rows=rows)
    )
    code, document = versioned.json("upload", str(a_file), "--wait")
    assert code == 0
    assert document["files"][0] | {"reasons": []} == {
        "bucket": "lake",
        "key": KEY,
        "versionId": "v7",
        "status": "loaded",
        "execution": "run",
        "dataset": "green",
        "rows": rows,
        "reasons": [],
        "notes": [],
    }
    [request] = versioned.aws.requests("dynamodb.BatchGetItem")
    assert request["RequestItems"]["ledger"]["Keys"] == [{"pk": f"lake/{KEY}", "sk": "v7"}]


WARNED = {
    "execution": "run",
    "bucket": "lake",
    "jobRunId": "jr_1",
    "schemaChanged": False,
    "files": [
        {
            **{"key": KEY, "versionId": version, "size": 10, "etag": "e", "sequencer": "1"},
            **{"status": "loaded", "dataset": "green", "variant": "", "newColumns": [], "missingColumns": []},
            "rows": {"read": 1, "written": 1, "quarantined": 0, "reasons": {}},
            "error": None,
            "warnings": [{"code": "same_trips", "message": f"those of version {version}"}],
        }
        for version in ("v6", "v7")
    ],
}


@pytest.mark.parametrize("command", ["upload", "start", "replay"])
def test_waiting_prints_the_warnings_of_the_loaded_version(versioned, a_file, command):
    versioned.aws.answers |= {
        "s3.HeadObject": HEAD,
        "lambda.Invoke": orchestrator(execution()),
        "dynamodb.BatchGetItem": found(file_item(KEY, "v7", "loaded")),
        "s3.GetObject": lambda request: {"Body": stream(json.dumps(WARNED).encode())},
    }
    words = {"upload": [str(a_file)], "start": ["--key", KEY], "replay": [f"s3://lake/{KEY}"]}[command]
    result = versioned(command, *words, "--wait")
    assert result.exit_code == 0
    notes = [line for line in result.stdout.splitlines() if line.startswith("note: ")]
    assert notes == [f"note: {KEY}: same_trips: those of version v7"]
    [request] = versioned.aws.requests("s3.GetObject")
    assert (request["Bucket"], request["Key"]) == ("lake", "runs/etl-pipeline-workflow/run/result.json")


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("rejected", "empty: the file is empty (0 bytes)"),
        ("rejected", f"see how to fix what was rejected: taxi-etl --environment dev status s3://lake/{KEY}"),
        ("failed", "history run"),
        ("superseded", "superseded"),
        ("held", "replay --held"),
    ],
)
def test_upload_with_wait_fails_unless_every_file_is_loaded(status, hint, versioned, a_file):
    reasons = [{"code": "empty", "message": "the file is empty (0 bytes)"}]
    versioned.aws.answers["dynamodb.BatchGetItem"] = found(file_item(KEY, "v7", status, reasons=reasons))
    result = versioned("upload", str(a_file), "--wait")
    assert result.exit_code == 1
    assert hint in result.output


def history_growing(*states):
    """Return a history that is one state longer at every poll."""
    polls = iter(range(1, len(states) + 1))

    def answer(request):
        entered = enumerate(states[: next(polls, len(states))], start=1)
        return {
            "events": [
                {
                    "id": number,
                    "timestamp": at(number),
                    "type": "TaskStateEntered",
                    "stateEnteredEventDetails": {"name": state},
                }
                for number, state in entered
            ]
        }

    return answer


def test_waiting_prints_each_change_once_and_ends_with_the_files(versioned, a_file, fast_clock):
    polls = iter(["received", "running", "running", "loaded"])
    versioned.aws.answers |= {
        "dynamodb.BatchGetItem": lambda request: found(file_item(KEY, "v7", next(polls))),
        "stepfunctions.GetExecutionHistory": history_growing("ValidateInput", "RunGlueETLJob"),
    }
    result = versioned("upload", str(a_file), "--wait")
    assert result.exit_code == 0
    printed = [line.split()[1:] for line in result.stderr.splitlines() if line.startswith("run ")]
    assert printed == [
        ["ValidateInput", "entered"],
        [KEY, "received"],
        ["RunGlueETLJob", "entered"],
        [KEY, "running"],
        [KEY, "loaded"],
    ]


def test_ctrl_c_while_waiting_ends_only_the_display(versioned, a_file, fast_clock):
    def interrupt(request):
        raise KeyboardInterrupt

    versioned.aws.answers["dynamodb.BatchGetItem"] = interrupt
    result = versioned("upload", str(a_file), "--wait")
    assert result.exit_code == 130
    assert result.stderr.endswith(
        f"detached; the load continues; see its progress: taxi-etl --environment dev status s3://lake/{KEY}\n"
    )


def test_waiting_ends_after_the_timeout_with_the_next_step(versioned, a_file, fast_clock):
    versioned.aws.answers["dynamodb.BatchGetItem"] = found()
    result = versioned("upload", str(a_file), "--wait", "--timeout", "120")
    assert result.exit_code == 1
    assert f"1 of 1 files did not end within 120 s; {KEY} is unseen" in result.stderr
    assert "taxi-etl --environment dev verify" in result.stderr


def test_unprocessed_keys_of_the_ledger_are_requested_again(versioned, a_file, fast_clock):
    keys = {"ledger": {"Keys": [{"pk": {"S": f"lake/{KEY}"}, "sk": {"S": "v7"}}]}}
    answers = iter([{"Responses": {}, "UnprocessedKeys": keys}, found(file_item(KEY, "v7", "loaded"))])
    versioned.aws.answers["dynamodb.BatchGetItem"] = lambda request: next(answers)
    result = versioned("upload", str(a_file), "--wait")
    assert result.exit_code == 0
    assert "unseen" not in result.stderr


def test_nothing_is_uploaded_if_any_file_cannot_be_loaded(versioned, a_file, tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / a_file.name).write_bytes(b"x")
    names = ("empty.csv", "notes.txt", "missing.csv", f"twin/{a_file.name}")
    result = versioned("upload", str(a_file), *(str(tmp_path / name) for name in names))
    assert result.exit_code == 1
    assert "empty.csv: the file is empty" in result.stderr
    assert "notes.txt: the file name must end in .parquet" in result.stderr
    assert "missing.csv: the file does not exist" in result.stderr
    assert f"{KEY}: two files have this object key" in result.stderr
    assert not versioned.aws.requests("s3.PutObject")


def test_upload_to_an_unversioned_bucket_is_an_error(versioned, a_file):
    versioned.aws.answers["s3.GetBucketVersioning"] = {}
    result = versioned("upload", str(a_file), "--bucket", "other")
    assert result.exit_code == 1
    assert "bucket other is not versioned" in result.stderr
    assert "put-bucket-versioning --bucket other" in result.stderr
    assert not versioned.aws.requests("s3.PutObject")


def test_start_sends_the_current_version_to_the_orchestrator(taxi_etl):
    taxi_etl.aws.answers |= {"s3.HeadObject": HEAD, "lambda.Invoke": orchestrator(execution())}
    code, document = taxi_etl.json("start", "--key", KEY)
    assert (code, document["executions"][0]["name"]) == (0, "run")
    [request] = taxi_etl.aws.requests("lambda.Invoke")
    assert request["FunctionName"] == "etl-orchestrator-dev"
    assert json.loads(request["Payload"]) == {
        "command": "start",
        "bucket": "lake",
        "files": [{"key": KEY, "size": 10, "etag": "abc", "versionId": "v7", "sequencer": ""}],
        "trigger": "manual",
    }


def test_start_of_an_ended_execution_is_an_error_with_the_replay_command(taxi_etl):
    taxi_etl.aws.answers |= {"s3.HeadObject": HEAD, "lambda.Invoke": orchestrator(execution("closed"))}
    result = taxi_etl("start", "--key", KEY)
    assert result.exit_code == 1
    assert "next: load its files again: taxi-etl --environment dev replay --execution run" in result.stderr


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (error("404"), f"s3://lake/{KEY} does not exist"),
        ({**HEAD, "VersionId": "null"}, "has no version ID"),
        ({"ContentLength": 10}, "has no version ID"),
    ],
)
def test_start_of_an_object_without_a_version_is_an_error(head, message, taxi_etl):
    taxi_etl.aws.answers["s3.HeadObject"] = head
    result = taxi_etl("start", "--key", KEY)
    assert result.exit_code == 1
    assert message in result.stderr


def test_an_error_of_the_orchestrator_is_printed(taxi_etl):
    failure = json.dumps({"errorMessage": "no time left", "errorType": "StartError"}).encode()
    taxi_etl.aws.answers |= {
        "s3.HeadObject": HEAD,
        "lambda.Invoke": lambda request: {"FunctionError": "Unhandled", "Payload": stream(failure)},
    }
    code, document = taxi_etl.json("start", "--key", KEY)
    assert code == 1
    assert document["error"] == "the orchestrator failed: no time left"
    assert "/aws/lambda/etl-orchestrator-dev" in document["nextStep"]


def test_a_refused_command_is_printed_with_its_reason(taxi_etl):
    taxi_etl.aws.answers["lambda.Invoke"] = lambda request: {
        "Payload": stream(json.dumps({"refused": "the ledger has no execution 'run-9'"}).encode())
    }
    code, document = taxi_etl.json("replay", "run-9")
    assert code == 1
    assert document["error"] == "the orchestrator refused the command: the ledger has no execution 'run-9'"
    assert document["nextStep"].endswith("taxi-etl --environment dev replay --help")


@pytest.mark.parametrize("words", [("run-2",), ("--execution", "run-2")])
def test_replay_of_an_execution_sends_its_name(words, taxi_etl):
    taxi_etl.aws.answers["lambda.Invoke"] = orchestrator(execution())
    assert taxi_etl("replay", *words).exit_code == 0
    [request] = taxi_etl.aws.requests("lambda.Invoke")
    assert json.loads(request["Payload"]) == {"command": "replay", "execution": "run-2"}


@pytest.mark.parametrize(("target", "bucket"), [(KEY, "lake"), (f"s3://other/{KEY}", "other")])
def test_replay_of_a_file_sends_its_current_version(target, bucket, taxi_etl):
    taxi_etl.aws.answers |= {"s3.HeadObject": HEAD, "lambda.Invoke": orchestrator(execution())}
    assert taxi_etl("replay", target).exit_code == 0
    payload = json.loads(taxi_etl.aws.requests("lambda.Invoke")[0]["Payload"])
    assert (payload["command"], payload["bucket"], payload["files"][0]["versionId"]) == (
        "replay",
        bucket,
        "v7",
    )


def test_replay_of_held_files_continues_while_there_are_more(taxi_etl):
    answers = iter([orchestrator(execution(), more=True), orchestrator({**execution(), "name": "run-b"})])

    def next_answer(request):
        return next(answers)(request)

    taxi_etl.aws.answers["lambda.Invoke"] = next_answer
    code, document = taxi_etl.json("replay", "--held")
    assert (code, [each["name"] for each in document["executions"]]) == (0, ["run", "run-b"])


def test_replay_without_held_files_is_an_error(taxi_etl):
    taxi_etl.aws.answers["lambda.Invoke"] = orchestrator()
    result = taxi_etl("replay", "--held")
    assert result.exit_code == 1
    assert "no execution was started" in result.stderr


@pytest.mark.parametrize("words", [(), ("run", "--held"), ("run", "--execution", "run"), ("s3://lake",)])
def test_replay_needs_exactly_one_target(words, taxi_etl):
    assert taxi_etl("replay", *words).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["start", "--key", KEY],
        ["replay", f"s3://lake/{KEY}"],
        ["replay", "--execution", "run"],
        ["replay", "--held"],
        ["backfill", "--yes"],
        ["backfill", "--again", "--yes"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(("option", "engine"), [([], None), (["--engine", "glue"], "glue")])
def test_the_engine_is_sent_to_the_orchestrator(versioned, words, option, engine):
    listed = {"Key": KEY, "VersionId": "v7", "Size": 10, "ETag": '"abc"', "IsLatest": True}
    versioned.aws.answers |= {
        "s3.HeadObject": HEAD,
        "s3.ListObjectVersions": {"Versions": [listed]},
        "dynamodb.BatchGetItem": found(),
        "lambda.Invoke": orchestrator(execution()),
    }
    code, _ = versioned.json(*words, *option)
    assert code == 0
    [request] = versioned.aws.requests("lambda.Invoke")
    assert json.loads(request["Payload"]).get("engine") == engine


def test_an_unknown_engine_is_wrong_usage(versioned):
    result = versioned("start", "--key", KEY, "--engine", "spark")
    assert result.exit_code == 2
    assert "'glue', 'auto'" in result.output
