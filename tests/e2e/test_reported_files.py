"""Tests of the reported files through the deployed app, with handwritten outcomes and few executions."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from stores.execution_documents import ExecutionDocuments
from taxi_etl.documents import FileResult
from taxi_etl.identity import FileVersion, source_id
from tests.e2e.app_controls import deliver_events
from tests.e2e.conftest import App, eventually
from tests.fixtures.reported_cases import (
    CASES,
    EVENTS,
    REPORTED,
    TRIP_SQL,
    Failed,
    Loaded,
    Rejected,
    Trip,
    need_reported_files,
    parameters,
    reported_file,
)


@dataclass
class Reported:
    """The reported files by case: their final outcomes, the job's results, and their rows by source ID."""

    outcomes: Mapping[str, Any]
    results: Mapping[str, FileResult]
    trips: Mapping[str, Sequence[Trip]]
    quarantined: Mapping[str, Sequence[tuple[str, str]]]

    def source(self, case: str) -> str:
        """The source ID of a case's file."""
        version = self.outcomes[case].version
        return source_id(version.bucket, version.key)


@pytest.fixture(scope="module")
def reported(app: App) -> Reported:
    """All reported files, uploaded before any event is delivered, so that few executions load them."""
    need_reported_files()
    s3, bucket = app.session.client("s3"), app.deployed.bucket_name
    versions = {}
    deliver_events(app, enabled=False)
    try:
        for case in CASES:
            path, key = reported_file(case)
            put = s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
            versions[case] = FileVersion(bucket, key, put["VersionId"], path.stat().st_size)
    finally:
        deliver_events(app, enabled=True)
    found = {outcome.version.key: outcome for outcome in app.follow(list(versions.values()))}
    documents = ExecutionDocuments(s3, bucket)
    executions = {outcome.execution for outcome in found.values()}
    results = {
        file.version.key: file
        for execution in executions
        if (result := documents.result(execution))
        for file in result.files
    }
    sources = ", ".join(f"'{source_id(bucket, version.key)}'" for version in versions.values())
    rows = f"WHERE source_id IN ({sources})"
    trips, quarantined = defaultdict(list), defaultdict(list)
    for source, *values in app.rows(f"SELECT source_id, {TRIP_SQL} FROM yellow_trips {rows}"):
        trips[source].append(Trip(*values))
    for source, reasons, as_read in app.rows(
        f"SELECT source_id, reasons, row_as_read FROM quarantined_trips {rows}"
    ):
        quarantined[source].append((" ".join(reasons), "|".join(as_read.values())))
    return Reported(
        {case: found[version.key] for case, version in versions.items()},
        {case: results[version.key] for case, version in versions.items() if version.key in results},
        trips,
        quarantined,
    )


def test_every_reported_folder_has_an_expected_outcome() -> None:
    need_reported_files()
    assert {path.name for path in REPORTED.iterdir()} == {*CASES, EVENTS}


@pytest.mark.parametrize("case", parameters(Rejected, Failed))
def test_a_reported_file_is_refused_with_its_cause(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    outcome = reported.outcomes[case]

    assert outcome.status == ("failed" if type(expected) is Failed else "rejected")
    (reason,) = outcome.reasons
    assert reason.startswith(f"{expected.code}: ")
    assert [word for word in expected.words if word not in reason] == []
    assert reported.source(case) not in reported.trips


@pytest.mark.parametrize("case", parameters(Loaded))
def test_a_reported_file_loads_with_exactly_its_trips(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    outcome, source = reported.outcomes[case], reported.source(case)

    assert outcome.status == "loaded", outcome.reasons
    assert sorted(reported.trips[source], key=repr) == sorted(expected.trips, key=repr)
    assert reported.quarantined[source] == list(expected.quarantined)
    document = reported.results[case].to_json()
    assert tuple(each["name"] for each in document.get("columnsLeftOut", [])) == expected.left_out
    assert tuple(document.get("columnsFromKey", ())) == expected.from_key
    assert [each["message"] for each in document.get("warnings", []) if each["code"] != "same_trips"] == []


def test_a_reported_message_of_a_topic_is_read(app: App) -> None:
    need_reported_files()
    path, _ = reported_file("c13_sep_line")
    bucket, key = app.deployed.bucket_name, "raw/taxi/topic/yellow_tripdata_2019-01.csv"
    put = app.session.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    (message,) = (each.read_text() for each in (REPORTED / EVENTS).iterdir())
    body = json.loads(message)
    announced = body["Message"].replace("BUCKET", bucket).replace('"v1"', json.dumps(put["VersionId"]))
    body["Message"] = announced.replace("raw/taxi/yellow_tripdata_2019-01.parquet", key)

    app.session.client("sqs").send_message(QueueUrl=app.deployed.queue_url, MessageBody=json.dumps(body))

    (outcome,) = app.follow([FileVersion(bucket, key, put["VersionId"], path.stat().st_size)])
    assert outcome.status == "loaded", outcome.reasons
    eventually(lambda: app.pending()["events, dead letters"] == 0, "no dead letters")
