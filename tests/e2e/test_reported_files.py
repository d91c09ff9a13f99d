"""Tests of the reported files through the deployed app, in few executions, each with its outcome by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

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
    """The final outcomes of the reported files, by case, and the app that has their rows."""

    app: App
    outcomes: Mapping[str, Any]

    def rows(self, case: str, columns: str, table: str) -> list[tuple[Any, ...]]:
        """Columns of the rows that a case has in a table."""
        version = self.outcomes[case].version
        condition = f"source_id = '{source_id(version.bucket, version.key)}'"
        return self.app.rows(f"SELECT {columns} FROM {table} WHERE {condition}")


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
    return Reported(app, {case: found[version.key] for case, version in versions.items()})


@pytest.mark.parametrize("case", parameters(Rejected, Failed))
def test_a_reported_file_is_refused_with_its_cause(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    outcome = reported.outcomes[case]

    assert outcome.status == ("failed" if type(expected) is Failed else "rejected")
    assert expected.code in str(outcome.reasons)
    assert [word for word in expected.words if word not in str(outcome.reasons)] == []
    assert reported.rows(case, "1", "yellow_trips") == []


@pytest.mark.parametrize("case", parameters(Loaded))
def test_a_reported_file_loads_with_exactly_its_trips(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    outcome = reported.outcomes[case]

    assert outcome.status == "loaded", outcome.reasons
    rows = [Trip(*row) for row in reported.rows(case, TRIP_SQL, "yellow_trips")]
    assert sorted(rows, key=repr) == sorted(expected.trips, key=repr)
    held = reported.rows(case, "reasons, row_as_read", "quarantined_trips")
    found = [(" ".join(reasons), "|".join(as_read.values())) for reasons, as_read in held]
    assert found == list(expected.quarantined)


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
