"""Tests of `reconcile`: what it reads, what it prints, and what `--repair` starts."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from conftest import MACHINE, execution_item, file_item
from fake_aws import error, stream

from ops import consistency_facts
from taxi_etl.consistency.facts import SourceRows
from taxi_etl.identity import source_id

NOW = datetime.now(UTC)
OLD, NEW = NOW - timedelta(hours=3), NOW - timedelta(minutes=1)
KEY = "raw/taxi/green_tripdata_2024-01.parquet"
OTHER = "raw/taxi/green_tripdata_2024-02.parquet"
COUNTS = {"read": 10, "written": 8, "quarantined": 2}
ROWS = (("green_trips", 8), ("quarantined_trips", 2))
TAXI_ETL = "taxi-etl --environment dev"
ORCHESTRATOR, FINALIZER = "etl-orchestrator-dev", "etl-close-execution-dev"
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")


def moment(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def record(key, version, status, *, changed=OLD, **more):
    loaded = {"dataset": "green", "rows": COUNTS} if status == "loaded" else {}
    return file_item(key, version, status, **{"updatedAt": moment(changed), **loaded, **more})


def stored(key, version, *, uploaded=OLD, current=True):
    return {
        "Key": key,
        "VersionId": version,
        "LastModified": uploaded,
        "IsLatest": current,
        "Size": 10,
        "ETag": '"e"',
    }


def rows(key, version="v1", counts=ROWS, bucket="lake"):
    versions = frozenset({version})
    return [SourceRows(table, source_id(bucket, key), count, versions) for table, count in counts]


class Account:
    """The four places of an account whose only file is loaded; a test damages them."""

    def __init__(self, taxi_etl, monkeypatch):
        self.command = taxi_etl
        self.objects = {"lake": [stored(KEY, "v1")]}
        self.items = [record(KEY, "v1", "loaded")]
        self.rows = rows(KEY)
        self.executions = {}
        self.enabled = "true"
        self.policy = []
        self.refused = {}
        monkeypatch.setattr(consistency_facts, "source_rows", lambda catalog, database: self.rows)
        monkeypatch.setattr(consistency_facts.tables, "glue_catalog", lambda session: None)
        taxi_etl.aws.answers |= {
            "s3.ListObjectVersions": self._list,
            "s3.GetBucketNotificationConfiguration": self._notifications,
            "events.ListRules": {"Rules": []},
            "dynamodb.Query": self._query,
            "dynamodb.GetItem": self._get,
            "stepfunctions.DescribeExecution": self._describe,
            "sqs.GetQueueAttributes": self._queue,
            "lambda.GetFunctionConfiguration": self._configuration,
            "lambda.Invoke": self._invoke,
        }

    def reconcile(self, *words):
        """Run the command; return its exit code and the findings by file and kind."""
        code, self.document = self.command.json("reconcile", *words)
        return code, [(each["file"].rpartition("/")[2], each["kind"]) for each in self.document["findings"]]

    def sent(self):
        """Return the commands and events that functions received."""
        requests = self.command.aws.requests("lambda.Invoke")
        return [(each["FunctionName"], json.loads(each["Payload"])) for each in requests]

    def _list(self, request):
        if request["Bucket"] in self.refused:
            return error(self.refused[request["Bucket"]])
        return {"Versions": self.objects.get(request["Bucket"], [])}

    def _notifications(self, request):
        if request["Bucket"] in self.refused:
            return error(self.refused[request["Bucket"]])
        rules = [{"Name": "prefix", "Value": "raw/taxi/theirs/"}]
        configuration = {
            "QueueArn": "arn:aws:sqs:eu-west-1:123456789012:events",
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": rules}},
        }
        return {"QueueConfigurations": [configuration]}

    def _query(self, request):
        values = request["ExpressionAttributeValues"]
        found = [each for each in self.items if each["status"]["S"] == values[":status"]]
        is_execution = "#sk = :kind" in request["FilterExpression"]
        found = [each for each in found if (each["sk"]["S"] == "execution") is is_execution]
        before = values.get(":before", "9")
        return {"Items": [deepcopy(each) for each in found if each["updatedAt"]["S"] < before]}

    def _get(self, request):
        by_key = {(each["pk"]["S"], each["sk"]["S"]): each for each in self.items}
        found = by_key.get((request["Key"]["pk"], request["Key"]["sk"]))
        return {"Item": deepcopy(found)} if found else {}

    def _describe(self, request):
        name = request["executionArn"].rpartition(":")[2]
        if name not in self.executions:
            return error("ExecutionDoesNotExist")
        return {
            "executionArn": request["executionArn"],
            "stateMachineArn": MACHINE,
            "name": name,
            "status": self.executions[name],
            "startDate": OLD,
        }

    def _queue(self, request):
        condition = {"ArnEquals": {"aws:SourceArn": [f"arn:aws:s3:::{each}" for each in self.policy]}}
        policy = {"Statement": [{"Effect": "Allow", "Condition": condition}]}
        arn = "arn:aws:sqs:eu-west-1:123456789012:events"
        return {"Attributes": {"Policy": json.dumps(policy), "QueueArn": arn}}

    def _configuration(self, request):
        assert request["FunctionName"] == ORCHESTRATOR
        variables = {
            "STATE_MACHINE_ARN": MACHINE,
            "ENABLE_ORCHESTRATION": self.enabled,
            "LEDGER_TABLE": "ledger",
            "BATCH_MAX_FILES": "99",
            "BATCH_MAX_BYTES": "1000",
            "ENGINE": "glue",
        }
        return {"Environment": {"Variables": variables}}

    def _invoke(self, request):
        sent = json.loads(request["Payload"])
        answer = {"closed": True}
        if request["FunctionName"] == ORCHESTRATOR:
            files = len(sent.get("files", [])) or 1
            entry = {"name": sent["command"], "arn": f"{EXECUTION}:x", "files": files, "state": "started"}
            answer = {"executions": [entry]}
        return {"StatusCode": 200, "Payload": stream(json.dumps(answer).encode())}


@pytest.fixture
def account(taxi_etl, monkeypatch):
    return Account(taxi_etl, monkeypatch)


def test_a_consistent_account_has_no_findings(account):
    assert account.reconcile() == (0, [])
    assert account.document == {
        "clean": True,
        "compared": {"objects": 1, "records": 1, "sources": 1, "executions": 0},
        "notListed": [],
        "findings": [],
        "done": False,
        "executions": [],
        "closed": [],
    }
    assert account.command("reconcile").stdout == (
        "no findings; compared 1 objects, 1 records, 1 sources, 0 executions\n"
    )


def lose_the_event(account):
    account.objects["lake"].append(stored(OTHER, "v9"))


def lose_the_record(account):
    account.items.clear()


def lose_the_rows(account):
    account.rows = []


def claim(account, status):
    file = {"execution": "one"}
    account.items += [
        record(OTHER, "v9", status, **file),
        execution_item("one", "claimed", updatedAt=moment(OLD)),
    ]
    account.objects["lake"].append(stored(OTHER, "v9"))


def never_start(account):
    claim(account, "received")


def never_close(account):
    claim(account, "running")
    account.executions["one"] = "FAILED"


FILE = {"key": OTHER, "size": 10, "etag": "e", "versionId": "v9", "sequencer": ""}
CLAIMED = {**FILE, "sequencer": "1"}
START = {"command": "start", "bucket": "lake", "files": [FILE], "trigger": "backfill"}
ENDED = {"source": "aws.states", "detail": {"name": "one", "status": "FAILED"}}


def replay(key):
    return f"{TAXI_ETL} replay s3://lake/{key}"


def start(key):
    return f"{TAXI_ETL} start --key {key} --bucket lake"


REPAIR = f"{TAXI_ETL} reconcile --repair"
LOADED = {**FILE, "key": KEY, "versionId": "v1"}


@pytest.mark.parametrize(
    ("damage", "finding", "sent"),
    [
        (lose_the_event, ("not_received", f"s3://lake/{OTHER}", start(OTHER)), (ORCHESTRATOR, START)),
        (
            lose_the_record,
            ("not_received", f"s3://lake/{KEY}", start(KEY)),
            (ORCHESTRATOR, {**START, "files": [LOADED]}),
        ),
        (
            lose_the_rows,
            ("rows_missing", f"s3://lake/{KEY}", replay(KEY)),
            (ORCHESTRATOR, {"command": "replay", "bucket": "lake", "files": [LOADED]}),
        ),
        (
            never_start,
            ("claim_not_started", f"s3://lake/{OTHER}", REPAIR),
            (ORCHESTRATOR, {**START, "files": [CLAIMED]}),
        ),
        (never_close, ("claim_not_closed", f"s3://lake/{OTHER}", REPAIR), (FINALIZER, ENDED)),
    ],
    ids=["event", "record", "rows", "start", "ending"],
)
def test_damage_is_found_with_the_next_command_and_repaired_only_on_request(account, damage, finding, sent):
    damage(account)
    assert account.reconcile()[0] == 1
    [found] = account.document["findings"]
    assert (found["kind"], found["file"], found["nextStep"]) == finding
    assert (account.document["clean"], account.sent()) == (False, [])
    assert account.reconcile("--repair")[0] == 1
    assert account.sent() == [sent]
    assert account.document["done"] is True
    assert len(account.document["executions"]) + len(account.document["closed"]) == 1


def test_people_get_one_line_for_each_finding_and_the_command_that_repairs(account):
    account.rows = rows(KEY, counts=ROWS[:1])
    result = account.command("reconcile")
    assert result.stdout.splitlines() == [
        f"row_count: s3://lake/{KEY}: the row counts differ (tables: 8 in green_trips; "
        f"ledger: 8 in green_trips, 2 in quarantined_trips); next: {TAXI_ETL} replay s3://lake/{KEY}",
        "1 row_count; compared 1 objects, 1 records, 1 sources, 0 executions",
    ]
    assert result.stderr == (
        f"nothing was started; to repair 1 of 1 findings: {TAXI_ETL} reconcile --repair\n"
    )
    repaired = account.command("reconcile", "--repair")
    assert repaired.stderr.splitlines()[-1] == "executions started: 1, closed: 0"


def test_deleted_objects_are_information_and_count_only_if_strict(account):
    account.objects["lake"] = [stored(KEY, "v1", current=False)]
    assert account.reconcile() == (0, [(KEY.rpartition("/")[2], "object_deleted")])
    [finding] = account.document["findings"]
    assert finding["nextStep"] == f"to remove its rows too: {TAXI_ETL} remove s3://lake/{KEY}"
    assert account.reconcile("--strict")[0] == 1
    assert account.reconcile("--repair")[0] == 0
    assert account.sent() == []


def test_held_files_start_once_if_orchestration_is_on(account):
    account.items += [record(OTHER, "v9", "held"), record("raw/taxi/c.csv", "v8", "held")]
    account.objects["lake"] += [stored(OTHER, "v9"), stored("raw/taxi/c.csv", "v8")]
    assert account.reconcile("--repair")[0] == 1
    assert account.sent() == [(ORCHESTRATOR, {"command": "replay_held"})]
    account.enabled = "false"
    assert account.reconcile("--repair")[0] == 0
    assert len(account.sent()) == 1
    steps = {each["nextStep"] for each in account.document["findings"]}
    assert steps == {f"once orchestration is on: {TAXI_ETL} replay --held"}


def test_recent_changes_are_left_out_unless_asked_for(account):
    account.objects["lake"].append(stored(OTHER, "v9", uploaded=NEW))
    assert account.reconcile() == (0, [])
    assert account.reconcile("--older-than-minutes", "0")[0] == 1
    stderr = account.command("reconcile", "--older-than-minutes", "0").stderr
    assert f"{TAXI_ETL} reconcile --older-than-minutes 0 --repair" in stderr


def test_a_prefix_limits_what_is_judged_and_repaired(account):
    account.rows = [SourceRows("green_trips", "abc", 3)]
    account.objects["lake"].append(stored("raw/taxi/new/a.csv", "v9"))
    assert len(account.reconcile()[1]) == 3
    assert account.reconcile("--prefix", "raw/taxi/new/", "--repair")[1] == [("a.csv", "not_received")]
    assert [len(command["files"]) for _, command in account.sent()] == [1]
    stderr = account.command("reconcile", "--prefix", "raw/taxi/new/").stderr
    assert f"{TAXI_ETL} reconcile --prefix raw/taxi/new/ --repair" in stderr


def test_markers_and_old_versions_are_not_compared(account):
    account.objects["lake"] += [stored("raw/taxi/_SUCCESS", "v7"), stored(OTHER, "v6", current=False)]
    assert account.reconcile() == (0, [])
    assert account.document["compared"]["objects"] == 1


def test_connected_buckets_are_compared_where_their_uploads_send_events(account):
    account.policy = ["lake", "theirs"]
    inside, outside = "raw/taxi/theirs/a.csv", "raw/taxi/b.csv"
    account.objects["theirs"] = [stored(inside, "v2"), stored(outside, "v3")]
    assert account.reconcile() == (1, [("a.csv", "not_received")])
    [finding] = account.document["findings"]
    assert finding["file"] == f"s3://theirs/{inside}"


@pytest.mark.parametrize("code", ["NoSuchBucket", "AccessDenied"])
def test_a_bucket_that_cannot_be_listed_is_named_and_its_objects_are_not_called_deleted(account, code):
    account.items.append({**record(OTHER, "v9", "loaded"), "bucket": {"S": "gone"}, "pk": {"S": "gone"}})
    account.rows += rows(OTHER, "v9", bucket="gone")
    account.refused = {"gone": code}
    assert account.reconcile() == (0, [])
    assert account.document["notListed"] == ["gone"]


def test_other_errors_of_s3_end_the_command(account):
    account.refused = {"lake": "SlowDown"}
    code, document = account.command.json("reconcile")
    assert (code, "SlowDown" in document["error"]) == (1, True)


def test_a_file_whose_record_changes_meanwhile_is_left_out(account):
    account.rows = []
    queries = []

    def query(request):
        queries.append(request)
        answer = account._query(request)
        for item in answer["Items"]:
            item["updatedAt"] = {"S": moment(OLD + timedelta(seconds=len(queries)))}
        return answer

    account.command.aws.answers["dynamodb.Query"] = query
    assert account.reconcile() == (0, [])


def test_rows_of_an_unknown_file_have_a_query_for_its_name(account):
    account.rows += [SourceRows("green_trips", "abc", 3)]
    assert account.reconcile()[0] == 1
    [finding] = account.document["findings"]
    sql = "SELECT DISTINCT source_file FROM green_trips WHERE source_id = '\"'\"'abc'\"'\"'"
    assert finding["nextStep"] == f"find the file's name: {TAXI_ETL} query '{sql}'"
    assert account.reconcile("--repair")[0] == 1
    assert account.sent() == []


def test_a_lost_claim_is_left_to_a_person(account):
    account.items += [record(OTHER, "v9", "running", execution="one")]
    account.objects["lake"].append(stored(OTHER, "v9"))
    assert account.reconcile("--repair")[1] == [(OTHER.rpartition("/")[2], "claim_lost")]
    assert account.sent() == []
    assert "docs/recovery.md" in account.document["findings"][0]["nextStep"]


def test_a_doubled_file_without_a_record_is_started_once(account):
    account.items.clear()
    account.rows = [*rows(KEY, "v1", ROWS[:1]), *rows(KEY, "v0", ROWS[1:])]
    assert {kind for _, kind in account.reconcile("--repair")[1]} == {"not_received", "two_versions"}
    assert [command["command"] for _, command in account.sent()] == ["start"]


def test_an_open_file_with_a_closed_claim_is_a_lost_claim(account):
    account.items.append(execution_item("one", "closed", updatedAt=moment(OLD)))
    account.items += [record(OTHER, "v9", "running", execution="one")]
    account.objects["lake"].append(stored(OTHER, "v9"))
    account.executions["one"] = "SUCCEEDED"
    assert account.reconcile()[1] == [(OTHER.rpartition("/")[2], "claim_lost")]


def test_missing_rows_of_a_deleted_object_need_an_upload_or_a_recorded_removal(account):
    account.objects["lake"], account.rows = [], []
    assert account.reconcile("--repair")[0] == 1
    assert account.sent() == []
    assert f"{TAXI_ETL} remove s3://lake/{KEY} --yes" in account.document["findings"][0]["nextStep"]


def test_an_execution_that_the_ledger_lacks_is_closed(account):
    never_close(account)
    account.items.pop()
    assert account.reconcile("--repair") == (1, [(OTHER.rpartition("/")[2], "claim_not_closed")])
    assert account.document["closed"] == ["one"]


def test_an_error_of_the_finalizer_ends_the_repair(account):
    never_close(account)
    failed = {"errorMessage": "throttled"}
    account.command.aws.answers["lambda.Invoke"] = lambda request: {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "Payload": stream(json.dumps(failed).encode()),
    }
    code, document = account.command.json("reconcile", "--repair")
    assert (code, document["error"]) == (1, "the finalizer of execution one failed: throttled")
    assert FINALIZER in document["nextStep"]


def test_many_files_are_sent_in_calls_that_the_orchestrator_completes(account):
    account.objects["lake"] += [stored(f"raw/taxi/{number:03}.csv", "v9") for number in range(500)]
    account.reconcile("--repair")
    assert [len(command["files"]) for _, command in account.sent()] == [495, 5]
