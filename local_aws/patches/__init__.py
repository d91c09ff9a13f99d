"""What does the emulator get wrong, and what do we put in its place? One module for each service and concern.

Each has `apply()`, says in its docstring what AWS does, and has a test in tests/local_aws of the same name.
What still differs from AWS stands in docs/local-aws.md.
"""

from local_aws.patches import (
    cloudwatch,
    eventbridge_metrics,
    eventbridge_targets,
    glue_crawlers,
    glue_events,
    glue_jobs,
    glue_optimizers,
    iam_roles,
    iam_transport,
    injected_faults,
    lambda_debugger,
    lambda_errors,
    lambda_metrics,
    lambda_roles,
    logs_queries,
    s3_missing_keys,
    s3_ranges,
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
    # Before the scripts, whose answers need no rights.
    stepfunctions_roles,
    # Before the limits, which hold for scripted answers too.
    stepfunctions_scripted_tasks,
    stepfunctions_limits,
    stepfunctions_retries,
    stepfunctions_glue,
    stepfunctions_s3,
    stepfunctions_sns,
    eventbridge_targets,
    eventbridge_metrics,
    glue_events,
    s3_ranges,
    iam_transport,
    iam_roles,
    s3_missing_keys,
    cloudwatch,
    lambda_metrics,
    lambda_roles,
    logs_queries,
    sqs_metrics,
    injected_faults,
)


def apply_all() -> None:
    """Apply every patch, in order. Raises PatchMismatchError when one does not fit this emulator."""
    for patch in ALL:
        patch.apply()
