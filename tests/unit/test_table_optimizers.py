"""Tests that a load succeeds whatever Glue answers about table optimizers, and tries again."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from fakes.engine import FakeEngine

from loading.table_optimizers import create_optimizers
from taxi_etl.table_maintenance import WARNING, TableMaintenance

MAINTENANCE = TableMaintenance("arn:aws:iam::123456789012:role/optimizers", retention_days=9)
KINDS = ("compaction", "retention", "orphan_file_deletion")


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A Glue client that validates requests and returns the responses that a test has added."""
    client = boto3.client(
        "glue", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    monkeypatch.setattr("loading.table_optimizers.boto3.client", lambda name: client)
    with Stubber(client) as stub:
        yield stub


def create(engine: FakeEngine, maintenance: TableMaintenance = MAINTENANCE) -> list[str]:
    """The warnings of a load of the green dataset."""
    tables = [engine.table(name) for name in ("green_trips", "quarantined_trips")]
    return create_optimizers(engine, tables, "taxi", maintenance)


def test_an_existing_optimizer_is_updated(glue):
    for table in ("green_trips", "quarantined_trips"):
        for kind, configuration in MAINTENANCE.optimizers().items():
            request = {
                "CatalogId": "123456789012",
                "DatabaseName": "taxi",
                "TableName": table,
                "Type": kind,
                "TableOptimizerConfiguration": configuration,
            }
            glue.add_client_error("create_table_optimizer", "AlreadyExistsException")
            glue.add_response("update_table_optimizer", {}, request)

    assert create(FakeEngine()) == []
    glue.assert_no_pending_responses()


def test_a_load_without_permission_warns_and_the_next_one_tries_again(glue):
    engine = FakeEngine()
    for _ in ("green_trips", "quarantined_trips"):
        glue.add_client_error("create_table_optimizer", "AccessDeniedException", "no permission")

    [first, _] = create(engine)

    assert first.startswith(f"{WARNING} for green_trips: "), "the metric filter of the log counts this text"
    assert "no permission" in first
    for _ in range(2 * len(KINDS)):
        glue.add_response("create_table_optimizer", {})
    assert create(engine) == []
    glue.assert_no_pending_responses()
    assert create(engine) == [], "the third load calls no Glue API"


def test_an_invalid_role_arn_is_a_warning(glue):
    warnings = create(FakeEngine(), TableMaintenance("optimizers", retention_days=9))

    assert warnings == [
        f"{WARNING} for {table}: 'optimizers' is not the ARN of a role"
        for table in ("green_trips", "quarantined_trips")
    ]
