"""Does what does the work do it as agreed? The stateless stack's template, the state machine apart."""

import json
import re
import zipfile
from typing import Any

import pytest

from .conftest import ROOT
from .templates import Resource, Stacks, flat, only, resources

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


def test_validation_is_as_large_and_patient_as_designed_and_alone_carries_pyarrow(prod: Stacks) -> None:
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


def test_events_come_in_batches_and_only_failed_ones_come_again(prod: Stacks) -> None:
    mapping = only(prod.pipeline, "AWS::Lambda::EventSourceMapping").properties

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (500, 120)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert "EventsQueue" in flat(mapping["EventSourceArn"])
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

    assert "CatalogTaxi" in arguments["--database"]
    assert arguments["--catalog"] == "glue_catalog"
    assert arguments["--max-quarantine-share"] == "0.5"
    assert arguments["--sort-by-pickup"] == "false"
    assert arguments["--stall-minutes"] == "5"
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
    assert others[3].startswith("spark.sql.catalog.glue_catalog.warehouse=s3://${")
    assert others[3].endswith("/warehouse/")
    assert others[4:] == ["spark.task.reaper.enabled=true", "spark.task.reaper.killTimeout=60s"]


def test_the_jobs_zip_holds_every_package_that_the_script_imports() -> None:
    sources = (ROOT / "glue_scripts").glob("*.py")
    imported = {
        name
        for source in sources
        for name in re.findall(
            r"^from ((?:taxi_etl|glue_scripts)[\w.]*) import", source.read_text(), re.MULTILINE
        )
    }
    with zipfile.ZipFile(ROOT / "build" / "job.zip") as archive:
        held = set(archive.namelist())

    assert imported
    for name in imported:
        path = name.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & held, f"{name} is not in build/job.zip"


def test_the_crawler_catalogs_every_raw_zone_and_forgets_nothing(prod: Stacks, custom: Stacks) -> None:
    crawler = only(prod.pipeline, "AWS::Glue::Crawler").properties

    assert crawler["Name"] == "crawler-taxi-raw"
    assert [flat(target["Path"])[-10:] for target in crawler["Targets"]["S3Targets"]] == ["/raw/taxi/"]
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert json.loads(crawler["Configuration"])["Grouping"] == {
        "TableGroupingPolicy": "CombineCompatibleSchemas"
    }
    # The workflow starts it; a schedule would crawl without need.
    assert "Schedule" not in crawler
    targets = only(custom.pipeline, "AWS::Glue::Crawler").properties["Targets"]["S3Targets"]
    assert targets[1] == {"Path": "s3://our-old-bucket/raw/taxi/"}


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(prod: Stacks) -> None:
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


def test_rules_of_eventbridge_may_use_the_topic_and_its_key_too(prod: Stacks) -> None:
    key = only(prod.pipeline, "AWS::KMS::Key")
    (use,) = [each for each in key.properties["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    *_, allow = only(prod.pipeline, "AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]

    assert use["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert flat(allow["Condition"]["ArnLike"]["aws:SourceArn"]) == (
        "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/*"
    )


def test_people_are_subscribed_by_settings(prod: Stacks, custom: Stacks) -> None:
    assert resources(prod.pipeline, "AWS::SNS::Subscription") == []
    subscription = only(custom.pipeline, "AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


def rules(stacks: Stacks) -> dict[str, Any]:
    found = resources(stacks.pipeline, "AWS::Events::Rule")
    return {each.path.split("/", 1)[1].removesuffix("/Resource"): each.properties for each in found}


def test_every_ending_reaches_the_closer(prod: Stacks) -> None:
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


def test_every_end_of_a_run_of_the_job_reaches_the_closer_for_its_cost(prod: Stacks) -> None:
    job = only(prod.pipeline, "AWS::Glue::Job").id
    ended = rules(prod)["Closer/JobEnded"]

    assert ended["EventPattern"] == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Job State Change"],
        "detail": {"jobName": [{"Ref": job}], "state": ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"]},
    }
    assert ended["State"] == "ENABLED"


def test_the_closer_sweeps_on_a_schedule(prod: Stacks) -> None:
    sweep = rules(prod)["Closer/Sweep"]

    assert sweep["ScheduleExpression"] == "rate(15 minutes)"
    assert json.loads(sweep["Targets"][0]["Input"]) == {"sweep": True}
    assert sweep["State"] == "ENABLED"


@pytest.mark.parametrize("rule", ["Closer/Ended", "Closer/JobEnded", "Closer/Sweep"])
def test_an_event_that_the_closer_never_got_is_tried_for_a_day_and_then_kept(prod: Stacks, rule: str) -> None:
    closer = function(prod, "etl-close-execution").id
    queue = only(prod.pipeline, "AWS::SQS::Queue", QueueName="etl-close-execution-dlq")
    (target,) = rules(prod)[rule]["Targets"]

    assert target["Arn"] == {"Fn::GetAtt": [closer, "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue.id, "Arn"]}}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 100}


def test_an_event_on_which_the_closer_fails_is_kept_too(prod: Stacks) -> None:
    queue = only(prod.pipeline, "AWS::SQS::Queue", QueueName="etl-close-execution-dlq")
    config = only(prod.pipeline, "AWS::Lambda::EventInvokeConfig").properties

    assert config["FunctionName"] == {"Ref": function(prod, "etl-close-execution").id}
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": [queue.id, "Arn"]}}
    assert queue.properties["SqsManagedSseEnabled"] is True


# name: (namespace and metric, statistic, comparison, threshold, what missing data means)
AT_LEAST, ABOVE = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold"
CALM, AS_BEFORE = "notBreaching", "ignore"
ALARMS = {
    "ExecutionsFailed": ("AWS/States ExecutionsFailed", "Sum", AT_LEAST, 1, CALM),
    "ExecutionsTimedOut": ("AWS/States ExecutionsTimedOut", "Sum", AT_LEAST, 1, CALM),
    "ExecutionsAborted": ("AWS/States ExecutionsAborted", "Sum", AT_LEAST, 1, CALM),
    "ExecutionThrottled": ("AWS/States ExecutionThrottled", "Sum", AT_LEAST, 1, CALM),
    "ExecutionTime": ("AWS/States ExecutionTime", "Maximum", ABOVE, 3_600_000, CALM),
    "JobFailures": ("AWS/Events TriggeredRules", "Sum", AT_LEAST, 1, CALM),
    "FilesFailed": ("TaxiEtl FilesFailed", "Sum", AT_LEAST, 1, CALM),
    "QuarantineShare": ("TaxiEtl QuarantinePercent", "Maximum", AT_LEAST, 10, CALM),
    "Silence": ("TaxiEtl HoursSinceLastFile", "Maximum", AT_LEAST, 1_080, AS_BEFORE),
    "OldestEvent": ("AWS/SQS ApproximateAgeOfOldestMessage", "Maximum", AT_LEAST, 1_800, AS_BEFORE),
    "EventDeadLetters": ("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", AT_LEAST, 1, AS_BEFORE),
    "CloseDeadLetters": ("AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", AT_LEAST, 1, AS_BEFORE),
    "OrchestratorErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, CALM),
    "ValidateErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, CALM),
    "CloseErrors": ("AWS/Lambda Errors", "Sum", AT_LEAST, 1, CALM),
    "OrchestratorThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, CALM),
    "ValidateThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, CALM),
    "CloseThrottles": ("AWS/Lambda Throttles", "Sum", AT_LEAST, 1, CALM),
}


def alarms(stacks: Stacks) -> dict[str, dict[str, Any]]:
    return {
        each.properties["AlarmName"].removeprefix("etl-pipeline-"): each.properties
        for each in resources(stacks.pipeline, "AWS::CloudWatch::Alarm")
    }


def test_alarms_ring_at_the_thresholds_of_the_design_and_say_what_a_gap_means(prod: Stacks) -> None:
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


def test_every_alarm_tells_the_topic_within_minutes(prod: Stacks) -> None:
    topic = only(prod.pipeline, "AWS::SNS::Topic").id
    for name, alarm in alarms(prod).items():
        assert alarm["AlarmActions"] == [{"Ref": topic}], name
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 1), name


def test_every_alarm_says_what_happened_and_links_to_its_part_of_the_runbook(prod: Stacks) -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {heading.lower() for heading in headings}
    linked = set()

    for name, alarm in alarms(prod).items():
        says, link = alarm["AlarmDescription"].split(" What to do: ")
        assert says.endswith("."), name
        page, anchor = link.split("#")
        heading = "FunctionThrottles" if name.endswith("Throttles") else name
        assert (page, anchor) == ("docs/runbook.md", heading.lower())
        assert anchor in anchors, f"the runbook has no heading {heading}"
        linked.add(heading)
    assert set(headings) == linked, "the runbook has a heading for an alarm that is gone"


def test_job_failures_are_events_of_glue_for_this_job(prod: Stacks) -> None:
    job = only(prod.pipeline, "AWS::Glue::Job").id
    (rule,) = [
        each for each in resources(prod.pipeline, "AWS::Events::Rule") if "Targets" not in each.properties
    ]

    assert rule.properties["EventPattern"] == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Job State Change"],
        "detail": {"jobName": [{"Ref": job}], "state": ["FAILED", "TIMEOUT"]},
    }
    assert rule.properties["State"] == "ENABLED"
    assert alarms(prod)["JobFailures"]["Dimensions"] == [{"Name": "RuleName", "Value": {"Ref": rule.id}}]


def test_questions_to_the_logs_are_saved_where_the_logs_are(prod: Stacks) -> None:
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


def test_failed_files_are_counted_where_the_closer_counts_them(prod: Stacks) -> None:
    alarm = only(prod.pipeline, "AWS::CloudWatch::Alarm", AlarmName="etl-pipeline-FilesFailed").properties

    assert alarm["Dimensions"] == [{"Name": "service", "Value": "etl-close-execution"}]


def test_every_log_group_is_ours_and_forgets_after_the_set_time(prod: Stacks) -> None:
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


def test_the_command_line_finds_its_outputs(prod: Stacks) -> None:
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
    assert len(names[1]) == len(ALARMS)
