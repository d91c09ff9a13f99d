"""Tests of `backfill`: which files it loads, in which batches, and that it starts nothing without --yes."""

import json

import pytest
from conftest import ARN, NOON, file_item
from fake_aws import error, stream

from ops.commands import backfill
from ops.orchestrator import FILES_PER_CALL
from taxi_etl.function_settings import OrchestratorSettings
from taxi_etl.names import RAW_PREFIX

NEW, DONE, RUNS, HELD = (f"{RAW_PREFIX}{name}.csv" for name in ("a", "b", "c", "d"))
LIMITS = OrchestratorSettings(
    ARN, True, "ledger", batch_max_files=99, batch_max_bytes=20 * 1024**3, engine="glue"
)
STATUSES = {DONE: "loaded", RUNS: "running", HELD: "held"}


def version(key, name="v1", *, latest=True, size=10):
    described = {"Key": key, "VersionId": name, "IsLatest": latest, "Size": size, "ETag": '"e"'}
    return {**described, "LastModified": NOON}


def listing(*versions, **more):
    """Return S3's answer to a listing of versions."""
    return {"IsTruncated": False, "Versions": list(versions), **more}


def ledger(statuses):
    """Return the ledger's answers for files with these statuses."""

    def answer(request):
        requested = [
            (each["pk"].removeprefix("lake/"), each["sk"])
            for each in request["RequestItems"]["ledger"]["Keys"]
        ]
        known = [file_item(key, name, statuses[key]) for key, name in requested if key in statuses]
        return {"Responses": {"ledger": known}}

    return answer


@pytest.fixture
def bucket(taxi_etl):
    """One file in each status; the orchestrator starts one execution for each command."""
    count = iter(range(1, 100))

    def orchestrator(request):
        payload = json.loads(request["Payload"])
        name = f"run-{next(count)}"
        started = {
            "name": name,
            "arn": f"{ARN}:execution:m:{name}",
            "files": len(payload["files"]),
            "state": "started",
        }
        return {"Payload": stream(json.dumps({"executions": [started]}).encode())}

    taxi_etl.aws.answers |= {
        "s3.ListObjectVersions": listing(*(version(key) for key in (NEW, DONE, RUNS, HELD))),
        "dynamodb.BatchGetItem": ledger(STATUSES),
        "lambda.Invoke": orchestrator,
        "glue.GetJob": {
            "Job": {
                "WorkerType": "G.1X",
                "NumberOfWorkers": 3,
                "ExecutionProperty": {"MaxConcurrentRuns": 3},
            }
        },
        "lambda.GetFunctionConfiguration": {"Environment": {"Variables": LIMITS.to_environment()}},
    }
    return taxi_etl


def payloads(taxi_etl):
    return [json.loads(request["Payload"]) for request in taxi_etl.aws.requests("lambda.Invoke")]


def keys(payload):
    return [file["key"] for file in payload["files"]]


def test_without_yes_it_lists_what_it_would_load_and_starts_nothing(bucket):
    code, document = bucket.json("backfill")
    assert code == 0
    assert document == {
        "done": False,
        "where": f"s3://lake/{RAW_PREFIX}",
        "statuses": {"held": 1, "loaded": 1, "running": 1, "unseen": 1},
        "chosen": 1,
        "bytes": 10,
        # Three G.1X workers for a minute.
        "forecast": {"executions": 1, "hours": 0.02, "dpuHours": 0.05, "usd": 0.0154},
        "skipped": [],
        "executions": [],
    }
    assert payloads(bucket) == []
    hint = bucket("backfill").stderr
    assert f"taxi-etl --environment dev backfill {RAW_PREFIX} --yes" in hint
    assert "to load 1 files (10 bytes) in 1 execution, about 2 minutes and 0.02 USD: " in hint


def test_many_hours_are_shown_as_hours(bucket):
    # One core reads 10,240 MiB of gzip data in as many seconds; three workers are billed.
    bucket.aws.answers["s3.ListObjectVersions"] = listing(version(f"{NEW}.gz", size=10 * 1024**3))
    assert "in 1 execution, about 2.9 hours and 2.64 USD" in bucket("backfill").stderr


def test_markers_and_temporary_objects_are_skipped_with_what_they_are(bucket):
    markers = {
        f"{RAW_PREFIX}.crc": "it is a checksum that Hadoop wrote beside a file",
        f"{RAW_PREFIX}a.csv.part": "it is an unfinished transfer",
        f"{RAW_PREFIX}2019": "it is a folder marker of zero bytes",
    }
    bucket.aws.answers["s3.ListObjectVersions"] = listing(
        version(NEW), *(version(key, "null", size=0) for key in markers)
    )
    _, document = bucket.json("backfill")
    assert document["chosen"] == 1
    assert document["skipped"] == [
        {"key": key, "why": f"the object is not a trip file: {reason}"} for key, reason in markers.items()
    ]


def test_only_files_without_a_ledger_record_are_started(bucket):
    code, document = bucket.json("backfill", "--yes")
    assert (code, document["done"]) == (0, True)
    assert [each["name"] for each in document["executions"]] == ["run-1"]
    [payload] = payloads(bucket)
    assert (payload["command"], payload["bucket"], payload["trigger"]) == ("start", "lake", "backfill")
    assert payload["files"] == [{"key": NEW, "size": 10, "etag": "e", "versionId": "v1", "sequencer": ""}]


def test_a_second_backfill_starts_nothing(bucket):
    bucket.aws.answers["dynamodb.BatchGetItem"] = ledger({**STATUSES, NEW: "running"})
    result = bucket("backfill", "--yes")
    assert result.exit_code == 0
    assert "no files to load; --again loads files again" in result.stderr
    assert payloads(bucket) == []


def test_again_loads_ended_and_held_files_but_not_running_ones(bucket):
    result = bucket("backfill", RAW_PREFIX, "--again")
    assert f"backfill {RAW_PREFIX} --again --yes" in result.stderr
    assert bucket("backfill", "--again", "--yes").exit_code == 0
    [payload] = payloads(bucket)
    assert (payload["command"], keys(payload)) == ("replay", [NEW, DONE, HELD])


def test_only_current_versions_load_and_deleted_keys_do_not(bucket):
    marker = {"Key": DONE, "VersionId": "m", "IsLatest": True, "LastModified": NOON}
    bucket.aws.answers["s3.ListObjectVersions"] = listing(
        version(NEW, "v2"),
        version(NEW, "v1", latest=False),
        version(DONE, latest=False),
        DeleteMarkers=[marker],
    )
    assert bucket("backfill", "--again", "--yes").exit_code == 0
    [payload] = payloads(bucket)
    assert [(file["key"], file["versionId"]) for file in payload["files"]] == [(NEW, "v2")]


def test_files_that_cannot_load_are_skipped_with_a_reason(bucket):
    old, folder = f"{RAW_PREFIX}old.csv", f"{RAW_PREFIX}2024/"
    bucket.aws.answers["s3.ListObjectVersions"] = listing(version(old, "null"), version(folder), version(NEW))
    code, document = bucket.json("backfill", "--yes")
    assert code == 0
    assert [each["key"] for each in document["skipped"]] == [old, folder]
    assert "was not versioned" in document["skipped"][0]["why"]
    assert document["skipped"][1]["why"] == "the object is not a trip file: it is a folder marker"
    assert keys(payloads(bucket)[0]) == [NEW]


def test_many_files_are_sent_in_batches_of_full_executions(bucket):
    pages = [
        listing(
            *(version(f"{RAW_PREFIX}{number:04}.csv") for number in numbers),
            **({"IsTruncated": True, "NextKeyMarker": "k", "NextVersionIdMarker": "v"} if more else {}),
        )
        for numbers, more in ((range(1000), True), (range(1000, 1100), False))
    ]
    answers = iter(pages)
    bucket.aws.answers["s3.ListObjectVersions"] = lambda request: next(answers)
    code, document = bucket.json("backfill", "--yes")
    assert (code, document["chosen"]) == (0, 1100)
    assert [len(payload["files"]) for payload in payloads(bucket)] == [495, 495, 110]
    assert len({key for payload in payloads(bucket) for key in keys(payload)}) == 1100


def test_with_wait_it_reports_the_outcome_of_every_file(bucket, fast_clock):
    polls = iter([{}, {NEW: "running"}, {NEW: "rejected"}])
    last = {}

    def answer(request):
        last.update(next(polls, last))
        return ledger(last)(request)

    bucket.aws.answers |= {
        "s3.ListObjectVersions": listing(version(NEW)),
        "dynamodb.BatchGetItem": answer,
        "stepfunctions.GetExecutionHistory": error("ExecutionDoesNotExist"),
    }
    code, document = bucket.json("backfill", "--yes", "--wait")
    assert code == 1
    assert [(file["key"], file["status"]) for file in document["files"]] == [(NEW, "rejected")]
    assert [each["name"] for each in document["executions"]] == ["run-1"]


@pytest.mark.parametrize(
    ("words", "answer", "message", "step"),
    [
        (("warehouse/",), {}, f"their keys do not begin with {RAW_PREFIX}", RAW_PREFIX),
        ((f"{RAW_PREFIX}2031/",), listing(), f"no objects under s3://lake/{RAW_PREFIX}2031/", "aws s3 ls"),
        (("--bucket", "gone"), error("NoSuchBucket"), "bucket gone does not exist", "aws s3 ls"),
    ],
)
def test_a_prefix_without_loadable_files_is_an_error(words, answer, message, step, bucket):
    bucket.aws.answers["s3.ListObjectVersions"] = answer
    code, document = bucket.json("backfill", *words, "--yes")
    assert code == 1
    assert message in document["error"]
    assert step in document["nextStep"]
    assert payloads(bucket) == []


@pytest.mark.parametrize(("answer", "started"), [("y\n", [NEW]), ("n\n", [])])
def test_at_a_terminal_it_asks_before_it_starts(answer, started, bucket, monkeypatch):
    monkeypatch.setattr(backfill, "_at_terminal", lambda app: True)
    result = bucket("backfill", input=answer)
    assert result.exit_code == 0
    assert "load 1 files (10 bytes) in 1 execution, about 2 minutes and 0.02 USD? [y/N]" in result.stderr
    assert [key for payload in payloads(bucket) for key in keys(payload)] == started


def test_ctrl_c_names_the_command_that_starts_the_other_files(bucket):
    names = [f"{RAW_PREFIX}{number:04}.csv" for number in range(FILES_PER_CALL + 1)]
    bucket.aws.answers["s3.ListObjectVersions"] = listing(*(version(name) for name in names))
    orchestrator, calls = bucket.aws.answers["lambda.Invoke"], iter([1])

    def interrupted(request):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return orchestrator(request)

    bucket.aws.answers["lambda.Invoke"] = interrupted
    result = bucket("backfill", "--yes")
    assert result.exit_code == 130
    assert result.stderr.endswith(
        "stopped; 495 of 496 files were started and are loading; to start the others: "
        f"taxi-etl --environment dev backfill {RAW_PREFIX} --yes\n"
    )
