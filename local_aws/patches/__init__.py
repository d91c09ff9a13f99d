"""Patches of the emulator, one module for each service and concern.

Each module has `apply()`, and a test of the same name in tests/local_aws. Its docstring names the emulator's
behavior that makes the patch necessary, AWS's behavior, and what would make the patch unnecessary;
docs/local-aws.md has the table, and the differences that remain.
"""

from local_aws.patches import (
    athena_named_queries,
    cloudwatch,
    dynamodb_conditions,
    eventbridge_targets,
    glue_crawlers,
    glue_events,
    glue_jobs,
    glue_optimizers,
    iam_roles,
    iam_transport,
    injected_faults,
    lambda_concurrency,
    lambda_debugger,
    lambda_errors,
    lambda_metrics,
    lambda_roles,
    logs_queries,
    s3_eventbridge,
    s3_missing_keys,
    s3_ranges,
    sns_body_filters,
    sns_protocols,
    sqs_batches,
    sqs_metrics,
    stepfunctions_choices,
    stepfunctions_endings,
    stepfunctions_glue,
    stepfunctions_limits,
    stepfunctions_retries,
    stepfunctions_roles,
    stepfunctions_s3,
    stepfunctions_scripted_tasks,
    stepfunctions_sns,
    stepfunctions_starts,
)

ALL = (
    sqs_batches,
    lambda_debugger,
    lambda_errors,
    glue_jobs,
    glue_crawlers,
    glue_optimizers,
    stepfunctions_endings,
    stepfunctions_starts,
    stepfunctions_choices,
    # Before the scripted tasks, whose results need no permissions.
    stepfunctions_roles,
    # Before the limits, which also apply to scripted results.
    stepfunctions_scripted_tasks,
    stepfunctions_limits,
    stepfunctions_retries,
    stepfunctions_glue,
    stepfunctions_s3,
    stepfunctions_sns,
    eventbridge_targets,
    glue_events,
    s3_eventbridge,
    s3_ranges,
    sns_body_filters,
    sns_protocols,
    iam_transport,
    iam_roles,
    s3_missing_keys,
    cloudwatch,
    lambda_metrics,
    # After the metrics, so that durations do not include the wait.
    lambda_concurrency,
    lambda_roles,
    dynamodb_conditions,
    logs_queries,
    athena_named_queries,
    sqs_metrics,
    injected_faults,
)


def apply_all() -> None:
    """Apply every patch, in order. Raises PatchMismatchError when one does not match this emulator."""
    for patch in ALL:
        patch.apply()
