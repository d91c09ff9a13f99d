"""Tests of `status` with a file or prefix, and of the state of the whole pipeline."""

from copy import deepcopy

import pytest
from conftest import at, file_item
from fake_aws import error

from ops.commands import status
from ops.pipeline_status import with_rows
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import FileVersion
from taxi_etl.ledger import FileRecord
from taxi_etl.names import RAW_PREFIX

KEY = f"{RAW_PREFIX}green_tripdata_2024-01.parquet"
ROWS = {"read": 10, "written": 8, "quarantined": 2}
EMPTY = [{"code": "empty", "message": "it has 0 bytes"}]
TAXI_ETL = "taxi-etl --environment dev"


def ledger_time(seconds):
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def record(key, version, state, *, received=0, changed=0, **more):
    times = {"receivedAt": ledger_time(received), "updatedAt": ledger_time(changed)}
    return file_item(key, version, state, **times, **more)


def stored(key, version, seconds, *, current=True, size=10):
    return {"Key": key, "VersionId": version, "LastModified": at(seconds), "IsLatest": current, "Size": size}


@pytest.fixture
def lake(taxi_etl):
    """`lake(stored, records)` sets the object versions in S3 and the items in the ledger."""

    def set_up(versions, records):
        def query(request):
            wanted = request["ExpressionAttributeValues"][":key"]
            return {"Items": [item for item in records if item["pk"]["S"] == wanted]}

        def get(request):
            keys = request["RequestItems"]["ledger"]["Keys"]
            found = [item for item in records if {"pk": item["pk"]["S"], "sk": item["sk"]["S"]} in keys]
            return {"Responses": {"ledger": found}}

        def listing(request):
            return {"Versions": [each for each in versions if each["Key"].startswith(request["Prefix"])]}

        taxi_etl.aws.answers |= {
            "s3.ListObjectVersions": listing,
            "dynamodb.Query": query,
            "dynamodb.BatchGetItem": get,
        }
        return taxi_etl

    return set_up


def steps(document):
    return {each["versionId"]: each["nextStep"] for each in document["versions"]}


def test_every_version_of_a_file_with_its_outcome_its_rows_and_what_to_do(lake):
    versions = [stored(KEY, "v2", 100), stored(KEY, "v1", 0, current=False)]
    records = [
        record(KEY, "v1", "loaded", received=5, changed=60, execution="first", dataset="green", rows=ROWS),
        record(KEY, "v2", "rejected", received=105, changed=110, execution="second", reasons=EMPTY),
    ]
    code, document = lake(versions, records).json("status", KEY)
    assert (code, document["where"]) == (0, f"s3://lake/{KEY}")
    upload = f"{TAXI_ETL} upload green_tripdata_2024-01.parquet --bucket lake --prefix raw/taxi/"
    assert document["versions"] == [
        {
            "bucket": "lake",
            "key": KEY,
            "versionId": "v2",
            "current": True,
            "uploaded": "2024-06-01T12:01:40+00:00",
            "received": "2024-06-01T12:01:45+00:00",
            "changed": "2024-06-01T12:01:50+00:00",
            "status": "rejected",
            "execution": "second",
            "attempts": 0,
            "dataset": "",
            "rows": None,
            "tables": {},
            "replacedBy": "",
            "reasons": ["empty: it has 0 bytes"],
            "nextStep": f"download the file again; then upload it: {upload}",
        },
        {
            "bucket": "lake",
            "key": KEY,
            "versionId": "v1",
            "current": False,
            "uploaded": "2024-06-01T12:00:00+00:00",
            "received": "2024-06-01T12:00:05+00:00",
            "changed": "2024-06-01T12:01:00+00:00",
            "status": "loaded",
            "execution": "first",
            "attempts": 0,
            "dataset": "green",
            "rows": ROWS,
            "tables": {"green_trips": 8, "quarantined_trips": 2},
            "replacedBy": "",
            "reasons": [],
            "nextStep": "",
        },
    ]


def test_people_get_a_line_for_each_version_the_next_step_and_the_counts(lake, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    versions = [stored(KEY, "v2", 100), stored(KEY, "v1", 0, current=False)]
    records = [
        record(KEY, "v1", "loaded", execution="first", dataset="green", rows=ROWS),
        record(KEY, "v2", "loaded", execution="second", dataset="green", rows={**ROWS, "quarantined": 0}),
    ]
    lines = lake(versions, records)("status", "green_tripdata_2024-01.parquet").stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["file", KEY, KEY]
    assert lines[1].endswith("second     8 in green_trips        -")
    assert lines[2].endswith("first      replaced by version v2  -")
    assert lines[3:] == ["2 versions of 1 file: 2 loaded"]


@pytest.mark.parametrize(
    ("state", "more", "step"),
    [
        ("received", {}, f"it is being loaded; see its progress: {TAXI_ETL} history run"),
        ("running", {}, f"it is being loaded; see its progress: {TAXI_ETL} history run"),
        ("held", {}, f"orchestration is off; once it is on: {TAXI_ETL} replay --held"),
        ("loaded", {"dataset": "green", "rows": ROWS}, ""),
        ("superseded", {}, ""),
        (
            "removed",
            {},
            f"its rows were removed; to load them again: {TAXI_ETL} replay s3://lake/{KEY}",
        ),
        (
            "failed",
            {"reasons": [{"code": "conflict", "message": "m"}]},
            f"wait until no other execution loads it; then load it again: {TAXI_ETL} replay s3://lake/{KEY}",
        ),
        (
            "failed",
            {"reasons": [{"code": "wrong_month", "message": "m"}]},
            "give it the right name and delete this object; then upload it: "
            f"{TAXI_ETL} upload FILE --bucket lake --prefix raw/taxi/",
        ),
        (
            "rejected",
            {"reasons": [{"code": "unknown_dataset", "message": "m"}]},
            "delete the object if it does not hold taxi trips",
        ),
    ],
)
def test_the_next_step_follows_from_the_status_and_the_reasons(state, more, step, lake):
    _, document = lake([stored(KEY, "v1", 0)], [record(KEY, "v1", state, **more)]).json("status", KEY)
    assert steps(document) == {"v1": step}


def test_a_version_whose_event_did_not_arrive_is_unseen(lake):
    versions = [stored(KEY, "v2", 9), stored(KEY, "v1", 0, current=False)]
    _, document = lake(versions, []).json("status", KEY)
    assert [each["status"] for each in document["versions"]] == ["unseen", "unseen"]
    load = f"{TAXI_ETL} backfill {KEY} --bucket lake --yes"
    assert steps(document) == {
        "v2": f"its event has not arrived; if it does not arrive, load it: {load}",
        "v1": "",
    }


def test_a_failed_older_version_needs_no_next_step(lake):
    versions = [stored(KEY, "v2", 9), stored(KEY, "v1", 0, current=False)]
    records = [record(KEY, "v1", "failed"), record(KEY, "v2", "loaded", dataset="green", rows=ROWS)]
    assert set(steps(lake(versions, records).json("status", KEY)[1]).values()) == {""}


def test_a_deleted_file_is_known_from_the_ledger(lake):
    records = [record(KEY, "v1", "failed", reasons=[{"code": "deleted", "message": "m"}])]
    _, document = lake([], records).json("status", f"s3://lake/{KEY}")
    [version] = document["versions"]
    assert (version["current"], version["uploaded"], version["status"]) == (False, None, "failed")
    assert version["nextStep"].startswith("its object was deleted; to load it, upload it again: taxi-etl")


def test_a_key_does_not_match_longer_keys(lake):
    versions = [stored(f"{RAW_PREFIX}a.csv", "v1", 0), stored(f"{RAW_PREFIX}a.csv.gz", "v2", 0)]
    _, document = lake(versions, []).json("status", "a.csv")
    assert [each["versionId"] for each in document["versions"]] == ["v1"]


def test_a_prefix_shows_its_files_by_key_without_markers(lake):
    versions = [
        stored(f"{RAW_PREFIX}2024/", "v0", 0, size=0),
        stored(f"{RAW_PREFIX}2024/b.csv", "v3", 30),
        stored(f"{RAW_PREFIX}2024/b.csv", "v2", 20, current=False),
        stored(f"{RAW_PREFIX}2024/a.csv", "v1", 10),
        stored(f"{RAW_PREFIX}2023/a.csv", "v9", 10),
    ]
    records = [record(f"{RAW_PREFIX}2024/b.csv", "v2", "loaded", dataset="green", rows=ROWS)]
    _, document = lake(versions, records).json("status", f"{RAW_PREFIX}2024/")
    assert [(each["versionId"], each["status"]) for each in document["versions"]] == [
        ("v1", "unseen"),
        ("v3", "unseen"),
        ("v2", "loaded"),
    ]


def test_an_unknown_file_is_an_error_that_names_its_folder(lake):
    code, document = lake([], []).json("status", f"{RAW_PREFIX}2024/nope.csv")
    assert (code, document) == (
        1,
        {
            "error": "neither S3 nor the ledger has a version of s3://lake/raw/taxi/2024/nope.csv",
            "nextStep": f"list the files there: {TAXI_ETL} status s3://lake/raw/taxi/2024/",
        },
    )


def test_an_unknown_bucket_is_an_error(lake):
    taxi_etl = lake([], [])
    taxi_etl.aws.answers["s3.ListObjectVersions"] = error("NoSuchBucket")
    assert taxi_etl.json("status", "s3://nope/raw/taxi/")[1]["error"] == "bucket nope does not exist"
    assert taxi_etl("status", "s3://").exit_code == 2


# The whole pipeline


@pytest.fixture
def pipeline(taxi_etl, monkeypatch):
    """A pipeline in which files wait, failed and loaded; it is an hour after noon."""
    named = "raw/taxi/{}_tripdata_{}.parquet".format
    loads = [
        record(named("yellow", month), f"v{n}", "loaded", changed=n, dataset="yellow", rows=ROWS)
        for n, month in enumerate(["2024-01", "2024-02", "2024-04", "2024-05", "2024-06", "2024-07"])
    ]
    items = {
        "received": [record("raw/taxi/new.csv", "v1", "received", changed=3590)],
        "running": [record("raw/taxi/slow.csv", "v1", "running", changed=0)],
        "held": [],
        "failed": [
            record(named("yellow", "2024-01"), "v0", "failed", changed=-5),
            record("raw/taxi/bad.csv", "v1", "failed", changed=7, reasons=EMPTY),
        ],
        "rejected": [],
        "loaded": [*loads, record(named("green", "2024-05"), "v1", "loaded", changed=50, dataset="green")],
    }

    def query(request):
        wanted = request["ExpressionAttributeValues"][":status"]
        if request["FilterExpression"] == "#sk = :kind":
            return {"Count": {"running": 2}.get(wanted, 0)}
        return {"Items": deepcopy(items[wanted])}  # boto3 changes what it gets

    taxi_etl.aws.answers |= {
        "dynamodb.Query": query,
        "sqs.GetQueueAttributes": {
            "Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2"}
        },
        "cloudwatch.DescribeAlarms": {
            "MetricAlarms": [
                {"AlarmName": "failed", "StateValue": "ALARM"},
                {"AlarmName": "slow", "StateValue": "OK"},
            ]
        },
    }
    monkeypatch.setattr(status, "now", lambda: at(3600))
    taxi_etl.items = items
    return taxi_etl


def test_status_counts_running_files_and_running_executions_separately(pipeline):
    code, document = pipeline.json("status")
    assert code == 0
    assert document["files"] == {"received": 1, "running": 1, "held": 0, "failed": 2, "rejected": 0}
    assert document["executions"] == {"claimed": 0, "running": 2}
    assert document["queues"] == {"events": 5, "events, dead letters": 5, "closer, dead letters": 5}
    assert document["alarms"] == {"failed": "ALARM", "slow": "OK"}


def test_status_lists_the_last_loads_what_waits_what_failed_and_missing_months(pipeline):
    _, document = pipeline.json("status")
    assert [each["versionId"] for each in document["lastLoads"]] == ["v1", "v5", "v4", "v3", "v2"]
    assert [(each["key"], each["since"]) for each in document["waiting"]] == [
        ("raw/taxi/slow.csv", "2024-06-01T12:00:00+00:00"),
        ("raw/taxi/new.csv", "2024-06-01T12:59:50+00:00"),
    ]
    [problem] = document["problems"]
    assert (problem["key"], problem["reasons"]) == ("raw/taxi/bad.csv", ["empty: it has 0 bytes"])
    assert problem["nextStep"] == (
        f"download the file again; then upload it: {TAXI_ETL} upload bad.csv --bucket lake --prefix raw/taxi/"
    )
    assert document["months"] == [
        {
            "dataset": "green",
            "first": "2024-05",
            "last": "2024-05",
            "loaded": 1,
            "missing": ["2024-06", "2024-07"],
        },
        {"dataset": "yellow", "first": "2024-01", "last": "2024-07", "loaded": 6, "missing": ["2024-03"]},
    ]


def test_people_get_what_needs_attention_first_and_the_rest_in_one_line_each(pipeline):
    lines = pipeline("status").stdout.splitlines()
    words = [" ".join(line.split()) for line in lines]
    assert words[0] == "last loads:"
    waiting = words.index("waiting:")
    assert words[waiting + 1 : waiting + 5] == [
        "file status for execution",
        "raw/taxi/slow.csv running 1 h 00 min run",
        "raw/taxi/new.csv received 10.0 s run",
        "",
    ]
    problems = words.index("not loaded:")
    assert words[problems + 2].startswith("raw/taxi/bad.csv failed 2024-06-01")
    assert words[problems + 3].startswith(
        "next: raw/taxi/bad.csv: download the file again; then upload it: taxi-etl"
    )
    months = words.index("missing months:")
    assert words[months:] == [
        "missing months:",
        "dataset first last missing",
        "green 2024-05 2024-05 2024-06 to 2024-07",
        "yellow 2024-01 2024-07 2024-03",
        "",
        "open executions: 0 claimed, 2 running",
        "queues: 5 file events, 5 dead letters of file events, 5 dead letters of the finalizer",
        "alarms: 1 ALARM (failed), 1 OK",
    ]


def test_nothing_to_show_is_one_line_each(pipeline):
    for items in pipeline.items.values():
        items.clear()
    pipeline.aws.answers["cloudwatch.DescribeAlarms"] = {"MetricAlarms": []}
    assert pipeline("status").stdout.splitlines() == [
        "last loads: none",
        "waiting: none",
        "not loaded: none",
        "missing months: none",
        "open executions: 0 claimed, 2 running",
        "queues: 5 file events, 5 dead letters of file events, 5 dead letters of the finalizer",
        "alarms: none",
    ]


def test_more_than_ten_files_are_counted(pipeline):
    pipeline.items["held"] += [record(f"raw/taxi/{n}.csv", "v1", "held", changed=n) for n in range(20)]
    lines = pipeline("status").stdout.splitlines()
    assert "and 12 more; all: --json" in lines
    assert sum(" held " in line for line in lines) == 9, "beside the one that runs longest"
    assert len(pipeline.json("status")[1]["waiting"]) == 22


def test_a_month_whose_latest_load_wrote_no_rows_is_not_loaded():
    def loaded(name, version, hour, written):
        return FileRecord(
            FileVersion("lake", name, version),
            FileStatus.LOADED,
            rows={"read": written, "written": written, "quarantined": 0},
            updated_at=f"2024-06-01T{hour}:00:00.000Z",
        )

    replaced = loaded("a.csv", "v2", "09", 0), loaded("a.csv", "v1", "08", 5)
    mended = loaded("b.csv", "v2", "09", 7), loaded("b.csv", "v1", "08", 0)
    assert with_rows([*replaced, *mended]) == [mended[0]]
