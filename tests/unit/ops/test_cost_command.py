"""Tests of `cost`: what it reads, and what an execution and a month cost."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from conftest import ARN, MACHINE, NOON, at, execution_item, file_item
from fake_aws import error

from ops import tables
from ops.commands import cost
from ops.execution_usage import table_bytes
from taxi_etl.tables import table_names

INPUT = '{"bucket": "lake", "files": [{"key": "raw/taxi/a.csv", "versionId": "v1", "size": 1073741824}]}'
RUN = {"Id": "jr_1", "DPUSeconds": 360.0}


def event(number, kind, seconds, **details):
    return {"id": number, "type": kind, "timestamp": at(seconds), **details}


def state(name, first, seconds, *tasks):
    """Return the events of a state that is entered at a second and left after some more."""
    entered = event(first, "TaskStateEntered", first, stateEnteredEventDetails={"name": name})
    left = event(first + 90, "TaskStateExited", first + seconds, stateExitedEventDetails={"name": name})
    return [entered, *tasks, left]


def scheduled(number):
    details = {"resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": "{}"}
    return event(number, "TaskScheduled", number, taskScheduledEventDetails=details)


def succeeded(number, output):
    details = {"resourceType": "glue", "resource": "startJobRun.sync", "output": output}
    return event(number, "TaskSucceeded", number, taskSucceededEventDetails=details)


CHOICE = [
    event(3, "ChoiceStateEntered", 3, stateEnteredEventDetails={"name": "CheckValidation"}),
    event(93, "ChoiceStateExited", 3, stateExitedEventDetails={"name": "CheckValidation"}),
]
VALIDATION = [*state("ValidateInput", 1, 2, scheduled(1), scheduled(2)), *CHOICE]
JOB = state("RunGlueETLJob", 4, 60, scheduled(4), succeeded(5, '{"JobRunId": "jr_1"}'))
SMALL = state("RunSmallBatch", 4, 1, scheduled(4))
NOTICE = state("NotifySuccess", 70, 1, scheduled(70))


class FakeTable:
    """Snapshots with these summaries."""

    def __init__(self, *summaries):
        self._summaries = summaries

    def snapshots(self):
        return [SimpleNamespace(summary=each and _Summary(each)) for each in self._summaries]


class _Summary(dict):
    def __missing__(self, key):
        return None


class FakeCatalog:
    def __init__(self, **found):
        self.tables = found

    def table_exists(self, identifier):
        return identifier[1] in self.tables

    def load_table(self, identifier):
        return self.tables[identifier[1]]


CATALOG = FakeCatalog(
    yellow_trips=FakeTable(
        {"taxi-etl.execution": "one", "added-files-size": "1073741824"}, {"taxi-etl.execution": ""}, None
    ),
    quarantined_trips=FakeTable(
        {"taxi-etl.execution": "one", "added-files-size": "1073741824"}, {"taxi-etl.execution": "two"}
    ),
)


@pytest.fixture
def account(taxi_etl, monkeypatch):
    """Two executions of one file each: `one` with a job run, `two` a day later with the function."""
    monkeypatch.setattr(tables, "glue_catalog", lambda session: CATALOG)
    monkeypatch.setattr(cost, "now", lambda: NOON + timedelta(days=14))
    histories = {"one": [*VALIDATION, *JOB, *NOTICE], "two": [*VALIDATION, *SMALL]}

    def described(name):
        started = NOON if name == "one" else NOON + timedelta(days=1)
        arn = f"{ARN}:execution:{name}"
        return {
            "executionArn": arn,
            "stateMachineArn": MACHINE,
            "name": name,
            "status": "SUCCEEDED",
            "startDate": started,
            "stopDate": started + timedelta(minutes=2),
        }

    def listed(request):
        return {"executions": [described("two"), described("one")]}

    def describe(request):
        return {**described(request["executionArn"].rpartition(":")[2]), "input": INPUT}

    def history(request):
        return {"events": histories[request["executionArn"].rpartition(":")[2]]}

    def query(request):
        name = request["ExpressionAttributeValues"][":execution"]
        dataset = {"one": "yellow", "two": "green"}[name]
        return {"Items": [file_item("raw/taxi/a.csv", "v1", "loaded", execution=name, dataset=dataset)]}

    def configuration(request):
        assert request["FunctionName"] == "etl-orchestrator-validate-input-dev"
        return {"MemorySize": 256, "EphemeralStorage": {"Size": 4096}}

    taxi_etl.aws.answers |= {
        "stepfunctions.DescribeExecution": describe,
        "stepfunctions.GetExecutionHistory": history,
        "stepfunctions.ListExecutions": listed,
        "glue.GetJobRun": {"JobRun": RUN},
        "lambda.GetFunctionConfiguration": configuration,
        "dynamodb.Query": query,
        "dynamodb.GetItem": lambda request: {"Item": execution_item("one", "closed")},
    }
    return taxi_etl


def items(document, name="items"):
    return {each["item"]: (each["quantity"], each["usd"], each["basis"]) for each in document[name]}


def test_an_execution_costs_what_it_used(account):
    code, document = account.json("cost", "one")
    found = items(document)
    assert (code, document["name"], document["engine"], document["files"]) == (0, "one", "glue", 1)
    # four states, one of them with a retry
    assert found["state transitions"] == (5, 0.000125, "measured")
    assert found["Glue job"] == (0.1, 0.0308, "measured")
    # two seconds of 256 MB, with 3.5 GB of storage beyond the free
    assert found["function ValidateInput"] == (0.5, 0.00000708, "measured")
    assert found["notifications"][0] == 1
    assert found["ledger writes"][2] == "estimated"
    assert document["usd"] == round(sum(usd for _, usd, _ in found.values()), 6)
    assert document["usdPerFile"] == document["usd"]
    assert items(document, "storagePerMonth") == {
        "raw files": (1, 0.023, "measured"),
        "table data files": (2, 0.046, "measured"),
    }


def test_a_removed_function_is_estimated_at_its_default_size(account):
    # 1 s of 1769 MB, with 3.5 GB of storage beyond the free
    assert items(account.json("cost", "two")[1])["function RunSmallBatch"] == (
        1.727539,
        0.00002334,
        "estimated",
    )


def test_a_job_run_that_glue_forgot_is_estimated(account):
    account.aws.answers["glue.GetJobRun"] = error("EntityNotFoundException")
    assert items(account.json("cost", "one")[1])["Glue job"] == (0, 0, "estimated")


def test_a_month_is_the_sum_of_its_executions_with_a_forecast(account):
    code, document = account.json("cost", "--month", "2024-06")
    assert (code, document.get("executions"), document.get("files")) == (0, 2, 2), document
    assert (document["from"], document["until"]) == ("2024-06-01T00:00:00+00:00", "2024-07-01T00:00:00+00:00")
    assert items(document)["state transitions"][0] == 9
    assert document["metricHours"] == {"hours": 2, "usd": 0.014795}
    one, two = (account.json("cost", name)[1]["usd"] for name in ("one", "two"))
    assert document["usd"] == pytest.approx(one + two + 0.014795, abs=2e-6)
    assert document["datasets"] == pytest.approx({"yellow": one, "green": two}, abs=2e-6)
    # 14.5 of 30 days have passed
    expected = document["forecast"]
    assert expected["variable"] == pytest.approx(document["usd"] * 30 / 14.5, abs=1e-5)
    assert expected["usd"] == pytest.approx(
        expected["variable"] + sum(document["fixedPerMonth"].values()), abs=1e-5
    )


def test_executions_after_a_month_are_left_out(account):
    assert account.json("cost", "--month", "2024-05")[1]["executions"] == 0


def test_since_counts_only_later_executions(account):
    _, document = account.json("cost", "--since", "2024-06-02T00:00:00+00:00")
    assert (document["executions"], list(document["datasets"])) == (1, ["green"])


def test_people_see_items_datasets_and_the_forecast(account, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    result = account("cost", "--month", "2024-06")
    assert "state transitions" in result.stdout
    assert "2 executions of 2 files since 2024-06-01 00:00:00" in result.stdout
    assert "list prices of us-east-1" in result.stderr
    assert "for 1 file, plus" in account("cost", "one").stderr


@pytest.mark.parametrize("words", [("--month", "June"), ("one", "--since", "7d"), ("--since", "soon")])
def test_anything_else_is_wrong_usage(account, words):
    assert account("cost", *words).exit_code == 2


def test_bytes_of_expired_snapshots_are_unknown():
    assert table_bytes(CATALOG, "taxi") == {"one": 2 * 1024**3, "two": 0}
    assert set(CATALOG.tables) < set(table_names())


def test_a_small_quantity_is_printed_in_full():
    item = {"item": "logs", "quantity": 1.4e-05, "unit": "GB", "usd": 0.0, "basis": "estimated"}
    [row] = cost._items_table([item]).rows
    assert row[1].plain == "0.000014"
    assert cost._quantity(2000) == "2,000"
