"""Tests of docs/recovery.md: its commands restore files, tables and the ledger.

The tests build on each other and run in order.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.table import Table

import sample_data
from ops import file_outcomes, orchestrator, tables
from taxi_etl.identity import FileVersion, execution_name, source_id
from taxi_etl.inputs import ExecutionInput, Trigger
from taxi_etl.ledger import Claim, timestamp
from taxi_etl.names import RAW_PREFIX
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY
from tests.conftest import ROOT
from tests.e2e.app_controls import deliver_events, rejected_file
from tests.e2e.conftest import App, eventually

PREFIX = f"{RAW_PREFIX}recovery/"
TABLE = "fhvhv_trips"
ROWS = {"fhvhv_tripdata_2023-01.parquet": 300, "fhvhv_tripdata_2023-02.parquet": 200}
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "recovery.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def loaded(app: App, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two loaded files below a separate prefix."""
    folder = tmp_path_factory.mktemp("recovery")
    months = [(name.split("_")[-1].removesuffix(".parquet"), rows) for name, rows in ROWS.items()]
    made = [
        sample_data.generate(folder, dataset="fhvhv", month=month, rows=rows, seed=51)
        for month, rows in months
    ]
    paths = [sample.path for sample in made]
    code, document = app.command("upload", *map(str, paths), "--prefix", PREFIX, "--wait")
    assert (code, {file["status"] for file in document["files"]}) == (0, {"loaded"})
    assert rows_by_file(app) == ROWS
    return paths


def test_a_table_is_rolled_back_to_a_snapshot_and_a_replay_continues_from_it(
    app: App, loaded: list[Path], tmp_path: Path
) -> None:
    list_snapshots, roll_back, _ = SNIPPETS
    good = table_of(app).current_snapshot().snapshot_id
    name = loaded[0].name
    wrong = sample_data.generate(tmp_path / name, dataset="fhvhv", month="2023-01", rows=50, seed=52)
    assert app.command("upload", str(wrong.path), "--prefix", PREFIX, "--wait")[0] == 0
    assert rows_by_file(app)[name] == 50

    output = python(app, list_snapshots, f"SNAPSHOT = {good}", roll_back)

    assert [line.split()[0] for line in output.splitlines()].count(str(good)) == 1
    assert rows_by_file(app) == ROWS
    assert app.command("replay", f"{PREFIX}{name}", "--wait")[0] == 0
    assert rows_by_file(app) == {**ROWS, name: 50}
    assert app.command("upload", str(loaded[0]), "--prefix", PREFIX, "--wait")[0] == 0
    assert rows_by_file(app) == ROWS


def test_a_copy_under_another_key_is_warned_of_and_removed_again(
    app: App, loaded: list[Path], tmp_path: Path
) -> None:
    copy = shutil.copy(loaded[0], tmp_path / "copy [1] fhvhv_2023-01.parquet")
    code, document = app.command("upload", str(copy), "--prefix", f"{RAW_PREFIX}copies/", "--wait")
    [file] = document["files"]
    assert (code, file["status"]) == (0, "loaded")
    [note] = file["notes"]
    [advised] = re.findall(r"`taxi-etl --environment local (remove .*)`", note)
    original = f"s3://{app.deployed.bucket_name}/{PREFIX}{loaded[0].name}"
    assert (note.split(":")[0], shlex.split(advised)) == ("same_trips", ["remove", original])

    uri = f"s3://{app.deployed.bucket_name}/{file['key']}"
    planned, removed, repeated = (app.command("remove", uri, *yes) for yes in ([], ["--yes"], ["--yes"]))

    assert [(code, document["tables"]) for code, document in (planned, removed, repeated)] == [
        (0, {TABLE: 300}),
        (0, {TABLE: 300}),
        (0, {}),
    ]
    assert app.rows(f"SELECT count(*) FROM {TABLE} WHERE source_file = '{uri}'") == [(0,)]
    assert rows_by_file(app) == ROWS
    arrived = [each for each in app.received() if each.get("status") == "REMOVED"]
    assert [(each["key"], each["tables"]) for each in arrived] == [(file["key"], {TABLE: 300})]


def test_a_dropped_table_is_registered_again_from_its_last_metadata(app: App, loaded: list[Path]) -> None:
    metadata = table_of(app).metadata_location
    assert OPTIMIZERS_PROPERTY in table_of(app).properties
    drop(app)

    python(app, f"METADATA = {metadata!r}", SNIPPETS[2])

    assert rows_by_file(app) == ROWS
    assert OPTIMIZERS_PROPERTY not in table_of(app).properties
    assert app.command("replay", f"{PREFIX}{loaded[0].name}", "--wait")[0] == 0
    assert rows_by_file(app) == ROWS
    assert OPTIMIZERS_PROPERTY in table_of(app).properties


def test_a_lost_table_and_ledger_are_rebuilt_from_the_raw_files(app: App, loaded: list[Path]) -> None:
    before = app.executions()
    drop(app)
    delete_ledger_records(app)

    code, planned = app.command("backfill", PREFIX, "--again")
    assert (code, planned["done"], planned["chosen"]) == (0, False, 2)
    assert app.executions() == before
    code, done = app.command("backfill", PREFIX, "--again", "--yes", "--wait")

    assert (code, {file["status"] for file in done["files"]}) == (0, {"loaded"})
    assert len(done["executions"]) == 1
    assert len(app.executions() - before) == 1
    assert rows_by_file(app) == ROWS
    code, nothing = app.command("backfill", PREFIX, "--yes")
    assert (code, nothing["chosen"], nothing["statuses"]) == (0, 0, {"loaded": 2})


def test_damage_in_each_of_the_four_places_is_found_and_repaired(
    app: App, loaded: list[Path], tmp_path: Path
) -> None:
    first, second = (f"{PREFIX}{path.name}" for path in loaded)
    bucket, before = app.deployed.bucket_name, app.executions()
    assert reconcile(app) == (0, {})
    table_of(app).delete(f"source_id = '{source_id(bucket, first)}'")
    delete_ledger_records(app, second)
    lost, claimed = lose_events(
        app, *(rejected_file(tmp_path, name) for name in ("lost.csv.gz", "claimed.csv.gz"))
    )
    name, text = execution_name([claimed]), ExecutionInput(bucket, (claimed,), Trigger.S3).dumps()
    claim = Claim(name, text, str(Trigger.S3), (claimed,))
    assert file_outcomes.ledger(app.session, app.deployed).claim(claim, timestamp(datetime.now(UTC)))

    found = reconcile(app)

    assert found == (
        1,
        {
            first: "rows_missing",
            second: "not_received",
            lost.key: "not_received",
            claimed.key: "claim_not_started",
        },
    )
    assert app.executions() == before
    assert reconcile(app, "--repair") == found
    files = orchestrator.current_versions(app.session, bucket, [first, second])
    outcomes = app.follow([*files, lost, claimed])
    assert [outcome.status for outcome in outcomes] == ["loaded", "loaded", "rejected", "rejected"]
    assert rows_by_file(app) == ROWS
    repaired = app.executions()
    assert name in repaired
    eventually(lambda: reconcile(app, "--repair") == (0, {}), "no findings")
    assert app.executions() == repaired


def reconcile(app: App, *words: str) -> tuple[int, dict[str, str]]:
    """Run `reconcile` on this module's files, and return the exit code and the kinds of findings by key."""
    code, document = app.command("reconcile", "--prefix", PREFIX, "--older-than-minutes", "0", *words)
    prefix = f"s3://{app.deployed.bucket_name}/"
    return code, {each["file"].removeprefix(prefix): each["kind"] for each in document["findings"]}


def lose_events(app: App, *paths: Path) -> list[FileVersion]:
    """Upload files whose events do not arrive."""
    deliver_events(app, enabled=False)
    try:
        versions = app.send(*paths, folders={path.name: PREFIX for path in paths})
        eventually(lambda: app.pending()["events"] == len(paths), "the events in the queue")
        app.session.client("sqs").purge_queue(QueueUrl=app.deployed.queue_url)
    finally:
        deliver_events(app, enabled=True)
    return versions


def rows_by_file(app: App) -> dict[str, int]:
    ours = f"source_file LIKE '%/{PREFIX}%'"
    sql = f"SELECT parse_filename(source_file), count(*) FROM {TABLE} WHERE {ours} GROUP BY 1"
    return dict(app.rows(sql))


def table_of(app: App) -> Table:
    """Return the table in its current state."""
    return tables.glue_catalog(app.session).load_table((app.deployed.taxi_database_name, TABLE))


def python(app: App, *pieces: str) -> str:
    """Run code of the document in one process, on this module's table and with the account's credentials."""
    account = app.aws.account
    endpoints = {
        f"PYICEBERG_CATALOG__GLUE__{name}__ENDPOINT": account.endpoint_url for name in ("GLUE", "S3")
    }
    text = "\n".join(pieces).replace("taxi.yellow_trips", f"{app.deployed.taxi_database_name}.{TABLE}")
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, **account.environment(), **endpoints},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def drop(app: App) -> None:
    """Delete the table from the catalog."""
    app.session.client("glue").delete_table(DatabaseName=app.deployed.taxi_database_name, Name=TABLE)


def delete_ledger_records(app: App, key: str = PREFIX) -> None:
    """Delete the ledger's records of this module's files, or of one."""
    table = app.session.table(app.deployed.ledger_table_name)
    pk = f"{app.deployed.bucket_name}/{key}"

    def ours() -> list[dict[str, Any]]:
        return [item for item in table.scan()["Items"] if item["pk"].startswith(pk)]

    eventually(lambda: all(item["status"] == "loaded" for item in ours()), "closed records")
    for item in ours():
        table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    assert ours() == []
