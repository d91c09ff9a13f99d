"""Tests of the stacks against cdk-nag's AwsSolutions rules, with an acknowledgement for each exception.

An acknowledgement covers one finding on one resource; an unused one fails the test.
"""

import json
import os
import re
from pathlib import Path

import pytest

from .conftest import CDK_JSON, load_app, use_pinned_node

TRACING = "X-Ray has no resources to name"
OWN_PREFIX = "the part of the bucket that is this role's business; keys are not known beforehand"
TABLES = "tables come and go with datasets; only this database's are meant"
PYTHON = "the layer is built for 3.13, the version Glue 6.0 has too; moving both needs a separate release"
GLUE_LOGS = "log groups hold metadata and error lines, no rows; they are encrypted with CloudWatch's own key"
JOB_ROLE, OPTIMIZER = (
    "TaxiPipeline/Job/Role/DefaultPolicy/Resource",
    "TaxiPipeline/Job/OptimizerRole/DefaultPolicy/Resource",
)
CRAWLER_ROLE = "TaxiPipeline/Crawler/Role/DefaultPolicy/Resource"
VALIDATE_ROLE = "TaxiPipeline/ValidateInput/Role/DefaultPolicy/Resource"
CLOSE_ROLE = "TaxiPipeline/CloseExecution/Role/DefaultPolicy/Resource"
ORCHESTRATOR_ROLE = "TaxiPipeline/Orchestrator/Role/DefaultPolicy/Resource"
MACHINE_ROLE = "TaxiPipeline/Workflow/StateMachine/Role/DefaultPolicy/Resource"

ACKNOWLEDGED = {
    (
        "S1",
        "TaxiDataLake/Lake/Bucket/Resource",
    ): "who may read is narrow; CloudTrail data events are the account's choice",
    (
        "SQS3",
        "TaxiPipeline/Closer/DeadLetters/Resource",
    ): "it is a dead-letter queue: of rules and of a function",
    ("L1", "TaxiPipeline/ValidateInput/Function/Resource"): PYTHON,
    ("L1", "TaxiPipeline/Orchestrator/Function/Resource"): PYTHON,
    ("L1", "TaxiPipeline/CloseExecution/Function/Resource"): PYTHON,
    ("GL1", "TaxiPipeline/Job/Job/Resource"): GLUE_LOGS,
    ("GL1", "TaxiPipeline/Crawler/Crawler"): GLUE_LOGS,
    ("GL3", "TaxiPipeline/Job/Job/Resource"): "bookmarks are off: the manifest names the files",
    ("IAM5[Resource::*]", VALIDATE_ROLE): TRACING,
    ("IAM5[Resource::*]", ORCHESTRATOR_ROLE): TRACING,
    ("IAM5[Resource::*]", CLOSE_ROLE): TRACING,
    ("IAM5[Resource::*]", MACHINE_ROLE): "X-Ray and log deliveries have no resources to name",
    ("IAM5[Resource::ASSETS/*]", JOB_ROLE): "the script and its packages; their keys are hashes",
    ("IAM5[Resource::LAKE/raw/taxi/*]", JOB_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/raw/taxi/*]", CRAWLER_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/raw/taxi/*]", VALIDATE_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/runs/*]", JOB_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/runs/*]", VALIDATE_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/runs/*]", MACHINE_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/runs/*]", CLOSE_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/warehouse/*]", JOB_ROLE): OWN_PREFIX,
    ("IAM5[Resource::LAKE/warehouse/*]", OPTIMIZER): OWN_PREFIX,
    ("IAM5[Resource::TABLES/taxi/*]", JOB_ROLE): TABLES,
    ("IAM5[Resource::TABLES/taxi/*]", OPTIMIZER): TABLES,
    ("IAM5[Resource::TABLES/taxi_raw/*]", CRAWLER_ROLE): TABLES,
    ("IAM5[Resource::LOGS/aws-glue/iceberg-*]", OPTIMIZER): "Glue names the optimizers' log groups",
    ("IAM5[Resource::LOGS/aws-glue/crawlers*]", CRAWLER_ROLE): "Glue names the crawlers' log group",
    ("IAM5[Resource::EXECUTIONS:*]", CLOSE_ROLE): "every execution of this one machine",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """The findings in prod as (rule without the pack's name, construct path)."""
    use_pinned_node()
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from stacks.settings import PRODUCTION

    outdir = tmp_path_factory.mktemp("cdk-nag")
    os.environ.pop("CDK_DEFAULT_ACCOUNT", None)
    os.environ.pop("CDK_DEFAULT_REGION", None)
    app = App(
        outdir=str(outdir),
        analytics_reporting=False,
        context={**CDK_JSON["context"], "aws:cdk:disable-asset-staging": True},
    )
    load_app().add_stacks(app, PRODUCTION)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # The report contains the same and more.
    with pytest.raises(RuntimeError, match=r"Validation ?[Ff]ailed"):
        app.synth()
    return _report(outdir / "validation-report.json")


def _report(path: Path) -> set[tuple[str, str]]:
    (report,) = json.loads(path.read_text())["pluginReports"]
    return {
        (_short(violation["ruleName"]), construct["constructPath"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }


def _short(rule: str) -> str:
    """A finding with short references: `IAM5[Resource::LAKE/runs/*]`."""
    rule = rule.removeprefix("AwsSolutions-")
    rule = rule.replace("arn:<AWS::Partition>:s3:::<AWS::AccountId>-oubt-datalake/", "LAKE/")
    rule = re.sub(r"arn:<AWS::Partition>:glue:.*:table/(\w+)/", r"TABLES/\1/", rule)
    rule = re.sub(r"arn:<AWS::Partition>:logs:.*:log-group:/", "LOGS/", rule)
    rule = re.sub(r"arn:<AWS::Partition>:s3:::cdk-\w+-assets-[^/]*/", "ASSETS/", rule)
    rule = re.sub(r"arn:<AWS::Partition>:states:.*:execution:.*:\*", "EXECUTIONS:*", rule)
    return re.sub(r"[0-9A-F]{8}(?=\.Arn>)", "", rule)


def test_every_finding_is_acknowledged_with_a_reason(findings: set[tuple[str, str]]) -> None:
    assert findings - set(ACKNOWLEDGED) == set()
    assert all(ACKNOWLEDGED.values())


def test_every_acknowledgement_has_a_finding(findings: set[tuple[str, str]]) -> None:
    assert set(ACKNOWLEDGED) - findings == set()
