"""Tests of physical names and object keys."""

import pytest

from taxi_etl import names


@pytest.mark.parametrize(
    ("environment", "function", "database", "bucket"),
    [
        ("prod", "etl-orchestrator", "taxi_raw", "123456789012-oubt-datalake"),
        ("dev", "etl-orchestrator-dev", "taxi_raw_dev", "123456789012-oubt-datalake-dev"),
        ("pr-7", "etl-orchestrator-pr-7", "taxi_raw_pr_7", "123456789012-oubt-datalake-pr-7"),
    ],
)
def test_only_prod_has_plain_names(environment: str, function: str, database: str, bucket: str) -> None:
    assert names.physical_name(names.ORCHESTRATOR_FUNCTION, environment) == function
    assert names.database_name(names.RAW_DATABASE, environment) == database
    assert names.bucket_name("123456789012", environment) == bucket


def test_the_documents_of_a_run_lie_together() -> None:
    assert names.manifest_key("nightly") == "runs/etl-pipeline-workflow/nightly/manifest.json"
    assert names.result_key("nightly") == "runs/etl-pipeline-workflow/nightly/result.json"
    assert names.summary_key("nightly") == "runs/etl-pipeline-workflow/nightly/summary.json"
