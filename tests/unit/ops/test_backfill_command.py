"""Does backfill find what was never loaded, hand it over in portions, and start only when told to?"""

import json

import pytest
from conftest import ARN, NOON, file_item
from fake_aws import error, stream

from taxi_etl.names import RAW_PREFIX

NEW, DONE, RUNS, HELD = (f"{RAW_PREFIX}{name}.csv" for name in ("a", "b", "c", "d"))
STATUSES = {DONE: "loaded", RUNS: "running", HELD: "held"}


def version(key, name="v1", *, latest=True, size=10):
    described = {"Key": key, "VersionId": name, "IsLatest": latest, "Size": size, "ETag": '"e"'}
    return {**described, "LastModified": NOON}


def listing(*versions, **more):
    """What S3 answers to a look at the versions under a prefix."""
    return {"IsTruncated": False, "Versions": list(versions), **more}


def ledger(statuses):
    """The files on record, each in its only version."""

    def answer(request):
        asked = [
            (each["pk"].removeprefix("lake/"), each["sk"])
            for each in request["RequestItems"]["ledger"]["Keys"]
        ]
        known = [file_item(key, name, statuses[key]) for key, name in asked if key in statuses]
        return {"Responses": {"ledger": known}}

    return answer


@pytest.fixture
def bucket(taxi_etl):
    """One file in each situation; the orchestrator starts what it is given, an execution a command."""
    count = iter(range(1, 100))

    def orchestrator(request):
        order = json.loads(request["Payload"])
        name = f"run-{next(count)}"
        started = {
            "name": name,
            "arn": f"{ARN}:execution:m:{name}",
            "files": len(order["files"]),
            "state": "started",
        }
        return {"Payload": stream(json.dumps({"executions": [started]}).encode())}

    taxi_etl.aws.answers |= {
        "s3.ListObjectVersions": listing(*(version(key) for key in (NEW, DONE, RUNS, HELD))),
        "dynamodb.BatchGetItem": ledger(STATUSES),
        "lambda.Invoke": orchestrator,
    }
    return taxi_etl


def orders(taxi_etl):
    return [json.loads(request["Payload"]) for request in taxi_etl.aws.requests("lambda.Invoke")]


def keys(order):
    return [file["key"] for file in order["files"]]


def test_without_yes_it_says_what_it_would_load_and_starts_nothing(bucket):
    code, document = bucket.json("backfill")
    assert code == 0
    assert document == {
        "done": False,
        "where": f"s3://lake/{RAW_PREFIX}",
        "statuses": {"held": 1, "loaded": 1, "running": 1, "unseen": 1},
        "chosen": 1,
        "bytes": 10,
        "skipped": [],
        "executions": [],
    }
    assert orders(bucket) == []
    said = bucket("backfill").stderr
    assert f"taxi-etl --environment dev backfill {RAW_PREFIX} --yes" in said


def test_only_files_that_the_ledger_does_not_know_are_started_as_a_backfill(bucket):
    code, document = bucket.json("backfill", "--yes")
    assert (code, document["done"]) == (0, True)
    assert [each["name"] for each in document["executions"]] == ["run-1"]
    [order] = orders(bucket)
    assert (order["command"], order["bucket"], order["trigger"]) == ("start", "lake", "backfill")
    assert order["files"] == [{"key": NEW, "size": 10, "etag": "e", "versionId": "v1", "sequencer": ""}]


def test_a_second_backfill_finds_nothing_to_do_and_says_so(bucket):
    bucket.aws.answers["dynamodb.BatchGetItem"] = ledger({**STATUSES, NEW: "running"})
    result = bucket("backfill", "--yes")
    assert result.exit_code == 0
    assert "nothing to load; --again would load again" in result.stderr
    assert orders(bucket) == []


def test_again_takes_what_is_done_and_held_but_leaves_what_runs(bucket):
    result = bucket("backfill", RAW_PREFIX, "--again")
    assert f"backfill {RAW_PREFIX} --again --yes" in result.stderr
    assert bucket("backfill", "--again", "--yes").exit_code == 0
    [order] = orders(bucket)
    assert (order["command"], keys(order)) == ("replay", [NEW, DONE, HELD])


def test_only_the_current_version_of_a_key_counts_and_a_deleted_key_not_at_all(bucket):
    marker = {"Key": DONE, "VersionId": "m", "IsLatest": True, "LastModified": NOON}
    bucket.aws.answers["s3.ListObjectVersions"] = listing(
        version(NEW, "v2"),
        version(NEW, "v1", latest=False),
        version(DONE, latest=False),
        DeleteMarkers=[marker],
    )
    assert bucket("backfill", "--again", "--yes").exit_code == 0
    [order] = orders(bucket)
    assert [(file["key"], file["versionId"]) for file in order["files"]] == [(NEW, "v2")]


def test_what_can_never_load_is_left_out_with_its_reason(bucket):
    old, folder = f"{RAW_PREFIX}old.csv", f"{RAW_PREFIX}2024/"
    bucket.aws.answers["s3.ListObjectVersions"] = listing(version(old, "null"), version(folder), version(NEW))
    code, document = bucket.json("backfill", "--yes")
    assert code == 0
    assert [each["key"] for each in document["skipped"]] == [old, folder]
    assert "was not versioned" in document["skipped"][0]["why"]
    assert "must end in .parquet" in document["skipped"][1]["why"]
    assert keys(orders(bucket)[0]) == [NEW]


def test_many_files_go_in_portions_that_fill_their_executions(bucket):
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
    assert [len(order["files"]) for order in orders(bucket)] == [495, 495, 110]
    assert len({key for order in orders(bucket) for key in keys(order)}) == 1100


def test_with_wait_it_tells_what_became_of_every_file(bucket, quick):
    looks = iter([{}, {NEW: "running"}, {NEW: "rejected"}])
    last = {}

    def answer(request):
        last.update(next(looks, last))
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
    ("words", "answer", "said", "step"),
    [
        (("warehouse/",), {}, f"only keys under {RAW_PREFIX} load", RAW_PREFIX),
        ((f"{RAW_PREFIX}2031/",), listing(), f"nothing under s3://lake/{RAW_PREFIX}2031/", "aws s3 ls"),
        (("--bucket", "gone"), error("NoSuchBucket"), "there is no bucket gone", "aws s3 ls"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(words, answer, said, step, bucket):
    bucket.aws.answers["s3.ListObjectVersions"] = answer
    code, document = bucket.json("backfill", *words, "--yes")
    assert code == 1
    assert said in document["error"]
    assert step in document["nextStep"]
    assert orders(bucket) == []
