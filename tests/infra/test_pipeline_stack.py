"""Tests of the stateless stack's template, except for the state machine."""

import json
import re
import zipfile
from typing import Any

import pytest

from taxi_etl.table_maintenance import WARNING
from tests.fixtures.cost_tables import ALARM_COUNT

from .conftest import ROOT
from .templates import Resource, Stacks, flat, only, permissions, readable, resources

FUNCTIONS = {
    "etl-orchestrator": "lambdas.etl_orchestrator.handler.handler",
    "etl-orchestrator-validate-input": "lambdas.validate_input.handler.handler",
    "etl-close-execution": "lambdas.close_execution.handler.handler",
}


def function(stacks: Stacks, name: str) -> Resource:
    return only(stacks.pipeline, "AWS::Lambda::Function", FunctionName=name)


def test_the_functions_have_their_names_and_handlers(prod: Stacks) -> None:
    found = {
        each.properties["FunctionName"]: each.properties["Handler"]
        for each in resources(prod.pipeline, "AWS::Lambda::Function")
    }

    assert found == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_traced_and_logs_into_its_own_group(prod: Stacks, name: str) -> None:
    properties = function(prod, name).properties
    group = only(prod.pipeline, "AWS::Logs::LogGroup", LogGroupName=f"/aws/lambda/{name}")

    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": group.id}}
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
    environment = properties["Environment"]["Variables"]
    assert environment["POWERTOOLS_SERVICE_NAME"] == name
    assert environment["POWERTOOLS_METRICS_NAMESPACE"] == "TaxiEtl"
    assert environment["POWERTOOLS_LOG_LEVEL"] == "INFO"


def test_locally_functions_run_on_the_hosts_python(environments: dict[str, Stacks]) -> None:
    import sys

    expected = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = {
        each.properties["Runtime"]
        for each in resources(environments["local"].pipeline, "AWS::Lambda::Function")
    }

    assert found == {expected}


def test_only_the_validator_has_pyarrow(prod: Stacks) -> None:
    properties = function(prod, "etl-orchestrator-validate-input").properties

    assert (properties["Timeout"], properties["MemorySize"]) == (60, 256)
    layers = {name: len(function(prod, name).properties["Layers"]) for name in FUNCTIONS}
    assert layers == {"etl-orchestrator": 1, "etl-orchestrator-validate-input": 2, "etl-close-execution": 1}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("etl-orchestrator", "OrchestratorSettings"),
        ("etl-orchestrator-validate-input", "ValidatorSettings"),
        ("etl-close-execution", "FinalizerSettings"),
    ],
)
def test_a_function_can_read_its_settings_from_its_environment(
    prod: Stacks, name: str, settings: str
) -> None:
    from taxi_etl import function_settings

    environment = {
        key: flat(value) for key, value in function(prod, name).properties["Environment"]["Variables"].items()
    }

    read = getattr(function_settings, settings).from_environment(environment)
    if name != "etl-orchestrator-validate-input":
        machine = only(prod.pipeline, "AWS::StepFunctions::StateMachine").id
        assert read.state_machine_arn == f"${{{machine}}}"
    if name == "etl-orchestrator":
        assert (read.enable_orchestration, read.batch_max_files) == (True, 99)
    if name == "etl-close-execution":
        assert (read.command, read.sweep_after_seconds) == ("taxi-etl --environment prod", 900)


def test_events_arrive_in_batches_and_only_failed_ones_are_redelivered(prod: Stacks) -> None:
    mapping = only(prod.pipeline, "AWS::Lambda::EventSourceMapping").properties

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (500, 120)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert flat(mapping["EventSourceArn"]) == "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:etl-file-events"
    assert mapping["FunctionName"] == {"Ref": function(prod, "etl-orchestrator").id}


def test_the_job_is_glue_6_with_queuing_and_without_retries(prod: Stacks) -> None:
    job = only(prod.pipeline, "AWS::Glue::Job").properties

    assert job["Name"] == "job-process-taxi-data"
    assert job["GlueVersion"] == "6.0"
    assert (job["WorkerType"], job["NumberOfWorkers"]) == ("G.1X", 10)
    assert (job["MaxRetries"], job["JobRunQueuingEnabled"]) == (0, True)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 5}
    assert job["Timeout"] == 120
    # Flex cannot be queued.
    assert job.get("ExecutionClass", "STANDARD") == "STANDARD"
    assert (job["Command"]["Name"], job["Command"]["PythonVersion"]) == ("glueetl", "3")


def test_the_job_gets_every_static_argument(prod: Stacks) -> None:
    arguments = {
        name: flat(value)
        for name, value in only(prod.pipeline, "AWS::Glue::Job").properties["DefaultArguments"].items()
    }

    assert arguments["--database"] == "taxi"
    assert arguments["--catalog"] == "glue_catalog"
    assert arguments["--max-quarantine-share"] == "0.5"
    assert arguments["--sort-by-pickup"] == "false"
    assert arguments["--anomaly-policy"] == "warn"
    assert arguments["--stall-minutes"] == "5"
    assert arguments["--command-line"] == "taxi-etl --environment prod"
    assert arguments["--retention-days"] == "7"
    assert arguments["--datalake-formats"] == "iceberg"
    assert arguments["--enable-auto-scaling"] == "true"
    assert arguments["--custom-logGroup-prefix"] == "/aws-glue/jobs/job-process-taxi-data"
    # Bookmarks would fight replay.
    assert "--job-bookmark-option" not in arguments
    first, *others = arguments["--conf"].split(" --conf ")
    assert [first, *others][:4] == [
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
    ]
    warehouse = "s3://${AWS::AccountId}-oubt-datalake/warehouse/"
    assert others[3] == f"spark.sql.catalog.glue_catalog.warehouse={warehouse}"
    assert others[4:] == ["spark.task.reaper.enabled=true", "spark.task.reaper.killTimeout=60s"]


def test_glues_own_metrics_are_off_until_the_setting_turns_them_on(prod: Stacks, custom: Stacks) -> None:
    def metrics(stacks: Stacks) -> set[str]:
        arguments = only(stacks.pipeline, "AWS::Glue::Job").properties["DefaultArguments"]
        return {"--enable-metrics", "--enable-observability-metrics"} & set(arguments)

    assert metrics(prod) == set()
    assert metrics(custom) == {"--enable-metrics", "--enable-observability-metrics"}


def test_optimizers_keep_their_role_when_the_pipeline_is_deployed_again(prod: Stacks) -> None:
    named = [
        role.properties["RoleName"]
        for role in resources(prod.pipeline, "AWS::IAM::Role")
        if "RoleName" in role.properties
    ]

    # The optimizers outlive the stack and hold the ARN. IAM's names do not differ by region.
    assert [flat(name) for name in named] == ["taxi-table-optimizer-${AWS::Region}"]


def test_optimizers_that_glue_refuses_are_counted_from_the_jobs_log(prod: Stacks) -> None:
    output = only(
        prod.pipeline, "AWS::Logs::LogGroup", LogGroupName="/aws-glue/jobs/job-process-taxi-data/output"
    )

    found = only(prod.pipeline, "AWS::Logs::MetricFilter").properties

    assert found["LogGroupName"] == {"Ref": output.id}
    assert found["FilterPattern"] == f'"{WARNING}"'
    # Without a default value, the metric exists only while there are warnings.
    assert found["MetricTransformations"] == [
        {"MetricNamespace": "TaxiEtl", "MetricName": "TableOptimizersRefused", "MetricValue": "1"}
    ]


def test_the_job_zip_holds_every_package_that_the_script_imports() -> None:
    sources = [*(ROOT / "glue_scripts").glob("*.py"), *(ROOT / "loading").glob("*.py")]
    imported = {
        name
        for source in sources
        for name in re.findall(
            r"^from ((?:taxi_etl|loading|glue_scripts)[\w.]*) import", source.read_text(), re.MULTILINE
        )
    }
    with zipfile.ZipFile(ROOT / "build" / "job.zip") as archive:
        held = set(archive.namelist())

    assert imported
    for name in imported:
        path = name.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & held, f"{name} is not in build/job.zip"


def test_the_crawler_catalogs_a_folder_of_each_dataset_and_deletes_no_table(
    prod: Stacks, custom: Stacks
) -> None:
    crawler = only(prod.pipeline, "AWS::Glue::Crawler").properties

    assert crawler["Name"] == "crawler-taxi-raw"
    folders = ["yellow_parquet", "green_parquet", "fhv_parquet", "fhvhv_parquet", "zones_parquet"]
    targets = crawler["Targets"]["S3Targets"]
    assert [flat(target["Path"]).partition("/raw/taxi/")[2] for target in targets] == [
        f"{folder}/" for folder in folders
    ]
    # Athena reads subfolders too, but as partitions they would need a crawl each.
    assert {tuple(target["Exclusions"]) for target in targets} == {("*/**", "*.csv", "*.csv.gz")}
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert json.loads(crawler["Configuration"])["Grouping"] == {
        "TableGroupingPolicy": "CombineCompatibleSchemas"
    }
    # The workflow starts it; a schedule would crawl without need.
    assert "Schedule" not in crawler
    targets = only(custom.pipeline, "AWS::Glue::Crawler").properties["Targets"]["S3Targets"]
    assert [target["Path"] for target in targets[5:]] == [
        f"s3://our-old-bucket/raw/taxi/{folder}/" for folder in folders
    ]


def test_alarms_may_use_the_topic_and_its_key(prod: Stacks) -> None:
    topic = only(prod.pipeline, "AWS::SNS::Topic")
    key = only(prod.pipeline, "AWS::KMS::Key")

    assert topic.properties["TopicName"] == "etl-pipeline-notifications"
    assert topic.properties["KmsMasterKeyId"] == {"Fn::GetAtt": [key.id, "Arn"]}
    assert key.properties["EnableKeyRotation"] is True
    (use,) = [each for each in key.properties["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    assert "cloudwatch.amazonaws.com" in use["Principal"]["Service"]
    assert sorted(use["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]
    deny, allow, _ = only(prod.pipeline, "AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_eventbridge_rules_may_use_the_topic_and_its_key(prod: Stacks) -> None:
    key = only(prod.pipeline, "AWS::KMS::Key")
    (use,) = [each for each in key.properties["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    *_, allow = only(prod.pipeline, "AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]

    assert use["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert flat(allow["Condition"]["ArnLike"]["aws:SourceArn"]) == (
        "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/*"
    )


def test_settings_subscribe_e_mail_addresses(prod: Stacks, custom: Stacks) -> None:
    assert resources(prod.pipeline, "AWS::SNS::Subscription") == []
    subscription = only(custom.pipeline, "AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


def rules(stacks: Stacks) -> dict[str, Any]:
    found = resources(stacks.pipeline, "AWS::Events::Rule")
    return {each.path.split("/", 1)[1].removesuffix("/Resource"): each.properties for each in found}


def test_the_finalizer_is_invoked_when_an_execution_ends_with_any_status(prod: Stacks) -> None:
    machine = only(prod.pipeline, "AWS::StepFunctions::StateMachine").id
    ended = rules(prod)["Closer/Ended"]

    assert ended["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [{"Ref": machine}],
            "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
        },
    }
    assert ended["State"] == "ENABLED"


def test_the_finalizer_is_invoked_when_a_job_run_ends(prod: Stacks) -> None:
    job = only(prod.pipeline, "AWS::Glue::Job").id
    ended = rules(prod)["Closer/JobEnded"]

    assert ended["EventPattern"] == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Job State Change"],
        "detail": {
            "jobName": [{"Ref": job}],
            "state": ["SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"],
        },
    }
    assert ended["State"] == "ENABLED"


def test_the_finalizer_reconciles_on_a_schedule(prod: Stacks) -> None:
    schedule = rules(prod)["Closer/Sweep"]

    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert json.loads(schedule["Targets"][0]["Input"]) == {"sweep": True}
    assert schedule["State"] == "ENABLED"


@pytest.mark.parametrize("rule", ["Closer/Ended", "Closer/JobEnded", "Closer/Sweep"])
def test_an_undelivered_event_is_retried_for_a_day_and_then_dead_lettered(prod: Stacks, rule: str) -> None:
    finalizer = function(prod, "etl-close-execution").id
    queue = only(prod.pipeline, "AWS::SQS::Queue", QueueName="etl-close-execution-dlq")
    (target,) = rules(prod)[rule]["Targets"]

    assert target["Arn"] == {"Fn::GetAtt": [finalizer, "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue.id, "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 100}


def test_an_event_on_which_the_finalizer_fails_is_dead_lettered(prod: Stacks) -> None:
    queue = only(prod.pipeline, "AWS::SQS::Queue", QueueName="etl-close-execution-dlq")
    config = only(prod.pipeline, "AWS::Lambda::EventInvokeConfig").properties

    assert config["FunctionName"] == {"Ref": function(prod, "etl-close-execution").id}
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": [queue.id, "Arn"]}}
    assert queue.properties["SqsManagedSseEnabled"] is True


# name: (namespace and metric, statistic, comparison, threshold, treatment of missing data)
AT_LEAST, ABOVE = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold"
NOT_BREACHING, IGNORE = "notBreaching", "ignore"
ALARMS = {
    "ExecutionsFailed": ("AWS/States ExecutionsFailed", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ExecutionsTimedOut": ("AWS/States ExecutionsTimedOut", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ExecutionsAborted": ("AWS/States ExecutionsAborted", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ExecutionThrottled": ("AWS/States ExecutionThrottled", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ExecutionTime": ("AWS/States ExecutionTime", "Maximum", ABOVE, 3_600_000, NOT_BREACHING),
    "JobFailures": ("TaxiEtl JobRunsFailed", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "FilesFailed": ("TaxiEtl FilesFailed", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "QuarantineShare": ("TaxiEtl QuarantinePercent", "Maximum", AT_LEAST, 10, NOT_BREACHING),
    "UnusualMonths": ("TaxiEtl UnusualMonths", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "Silence": ("TaxiEtl HoursSinceLastFile", "Maximum", AT_LEAST, 1_080, IGNORE),
    "OldestEvent": ("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", AT_LEAST, 1_800, IGNORE),
    "EventDeadLetters": ("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", AT_LEAST, 1, IGNORE),
    "CloseDeadLetters": ("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", AT_LEAST, 1, IGNORE),
    "OrchestratorErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ValidateErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "CloseErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "OrchestratorThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "ValidateThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, NOT_BREACHING),
    "CloseThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, NOT_BREACHING),
}


def alarms(stacks: Stacks) -> dict[str, dict[str, Any]]:
    return {
        each.properties["AlarmName"].removeprefix("etl-pipeline-"): each.properties
        for each in resources(stacks.pipeline, "AWS::CloudWatch::Alarm")
    }


def test_alarms_have_the_thresholds_and_missing_data_treatment_of_the_design(prod: Stacks) -> None:
    found = {
        name: (
            f"{alarm['Namespace']} {alarm['MetricName']}",
            alarm["Statistic"],
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            alarm["TreatMissingData"],
        )
        for name, alarm in alarms(prod).items()
    }

    assert found == ALARMS


def test_every_alarm_notifies_the_topic_within_minutes(prod: Stacks) -> None:
    topic = only(prod.pipeline, "AWS::SNS::Topic").id
    for name, alarm in alarms(prod).items():
        assert alarm["AlarmActions"] == [{"Ref": topic}], name
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 1), name


def test_every_alarm_states_what_happened_and_links_to_its_runbook_heading(prod: Stacks) -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {heading.lower() for heading in headings}
    linked = set()

    for name, alarm in alarms(prod).items():
        description, link = alarm["AlarmDescription"].split(" What to do: ")
        assert description.endswith("."), name
        page, anchor = link.split("#")
        heading = "FunctionThrottles" if name.endswith("Throttles") else name
        assert (page, anchor) == ("docs/runbook.md", heading.lower())
        assert anchor in anchors, f"the runbook has no heading {heading}"
        linked.add(heading)
    assert set(headings) == linked, "the runbook has a heading for an alarm that is gone"


def test_every_rule_has_a_target(prod: Stacks) -> None:
    # AWS does not document whether it counts events that match a rule without one.
    assert [name for name, rule in rules(prod).items() if not rule.get("Targets")] == []


def test_athena_has_a_saved_query_for_each_of_five_questions(prod: Stacks) -> None:
    saved = [each.properties for each in resources(prod.pipeline, "AWS::Athena::NamedQuery")]
    assert sorted(each["Name"] for each in saved) == [
        "taxi: airport trips by month",
        "taxi: busiest pickup zones",
        "taxi: payment types by year",
        "taxi: quarantined rows by reason and month",
        "taxi: trips and revenue by month",
    ]
    assert {each["Database"] for each in saved} == {"taxi"}
    assert max(len(each["Description"]) for each in saved) <= 1024, "Athena's limit"


def test_log_queries_are_saved_for_the_log_groups_of_the_stack(prod: Stacks) -> None:
    saved = {
        each.properties["Name"]: each.properties
        for each in resources(prod.pipeline, "AWS::Logs::QueryDefinition")
    }
    groups = {each.id for each in resources(prod.pipeline, "AWS::Logs::LogGroup")}

    assert set(saved) == {
        "etl-pipeline-workflow/errors of the functions",
        "etl-pipeline-workflow/how executions ended",
        "etl-pipeline-workflow/states of the workflow that failed",
        "etl-pipeline-workflow/time and memory of the functions by hour",
        "etl-pipeline-workflow/what job runs cost by day",
    }
    for name, query in saved.items():
        assert {group["Ref"] for group in query["LogGroupNames"]} <= groups, name
    assert len(saved["etl-pipeline-workflow/errors of the functions"]["LogGroupNames"]) == 3
    assert 'message = "closed"' in saved["etl-pipeline-workflow/how executions ended"]["QueryString"]


@pytest.mark.parametrize(("environment", "suffix"), [("prod", ""), ("dev", "-dev")])
@pytest.mark.parametrize(
    "name", ["JobFailures", "FilesFailed", "QuarantineShare", "UnusualMonths", "Silence"]
)
def test_an_alarm_watches_the_metrics_of_its_own_environments_finalizer(
    environments: dict[str, Stacks], environment: str, suffix: str, name: str
) -> None:
    alarm = only(
        environments[environment].pipeline, "AWS::CloudWatch::Alarm", AlarmName=f"etl-pipeline-{name}{suffix}"
    ).properties

    assert alarm["Dimensions"] == [{"Name": "service", "Value": f"etl-close-execution{suffix}"}]


def test_every_log_group_has_the_retention_of_the_settings(prod: Stacks) -> None:
    groups = {
        each.properties["LogGroupName"]: each.properties["RetentionInDays"]
        for each in resources(prod.pipeline, "AWS::Logs::LogGroup")
    }

    assert groups == dict.fromkeys(
        [
            "/aws/lambda/etl-orchestrator",
            "/aws/lambda/etl-orchestrator-validate-input",
            "/aws/lambda/etl-close-execution",
            "/aws/vendedlogs/states/etl-pipeline-workflow",
            "/aws-glue/jobs/job-process-taxi-data/output",
            "/aws-glue/jobs/job-process-taxi-data/error",
        ],
        90,
    )


def test_the_stack_has_the_outputs_that_the_command_line_reads(prod: Stacks) -> None:
    assert set(prod.pipeline["Outputs"]) == {
        "StateMachineArn",
        "OrchestratorFunctionName",
        "ValidateFunctionName",
        "CloseFunctionName",
        "GlueJobName",
        "CrawlerName",
        "TopicArn",
        "AlarmNames",
        "CloseDeadLetterQueueUrl",
    }
    names = prod.pipeline["Outputs"]["AlarmNames"]["Value"]["Fn::Join"]
    assert names[0] == ","
    assert len(names[1]) == len(ALARMS) == ALARM_COUNT


def test_lake_formation_grants_what_iam_grants_where_the_settings_ask_for_it(
    prod: Stacks, custom: Stacks
) -> None:
    assert resources(prod.pipeline, "AWS::LakeFormation") == []

    registered = only(custom.pipeline, "AWS::LakeFormation::Resource")
    assert flat(registered.properties["ResourceArn"]) == "arn:aws:s3:::our-taxi-lake/warehouse/"
    grants = {}
    for each in resources(custom.pipeline, "AWS::LakeFormation::PrincipalPermissions"):
        (kind,) = each.properties["Resource"]
        role = each.properties["Principal"]["DataLakePrincipalIdentifier"]["Fn::GetAtt"][0]
        grants[readable(custom.pipeline, role), kind] = sorted(each.properties["Permissions"])
        assert each.properties["PermissionsWithGrantOption"] == []
        if kind == "DataLocation":
            assert registered.id in each.raw["DependsOn"], "an unregistered location cannot be granted"
    assert grants == {
        ("JobRole", "Database"): ["CREATE_TABLE", "DESCRIBE"],
        ("JobRole", "Table"): ["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"],
        ("JobRole", "DataLocation"): ["DATA_LOCATION_ACCESS"],
        ("JobOptimizerRole", "Table"): ["ALTER", "DELETE", "DESCRIBE", "INSERT"],
        ("JobOptimizerRole", "DataLocation"): ["DATA_LOCATION_ACCESS"],
        ("CrawlerRole", "Database"): ["CREATE_TABLE", "DESCRIBE"],
        ("CrawlerRole", "Table"): ["ALTER", "DESCRIBE"],
    }
    needed = "lakeformation:GetDataAccess on *"
    assert [role for role, held in permissions(custom.pipeline).items() if needed in held] == [
        "Job/OptimizerRole"
    ]
