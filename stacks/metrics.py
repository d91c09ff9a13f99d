"""The finalizer's own metrics and those of queues, for alarms and the dashboard."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.settings import Settings
from taxi_etl.metrics import Metric
from taxi_etl.names import CLOSE_FUNCTION, METRICS_NAMESPACE, SMALL_BATCH_FUNCTION, physical_name

VISIBLE_MESSAGES = "ApproximateNumberOfMessagesVisible"
OLDEST_MESSAGE = "ApproximateAgeOfOldestMessage"


def queue_gauge(name: str, queue: str, period: Duration) -> cloudwatch.Metric:
    """A gauge of SQS for the queue of this name: the maximum of a period."""
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=name,
        dimensions_map={"QueueName": queue},
        period=period,
        statistic="Maximum",
    )


def finalizer_count(name: Metric, settings: Settings, period: Duration) -> cloudwatch.Metric:
    """A count or amount that the finalizer emits, such as FilesFailed or JobCostUsd: the sum of a period."""
    return _function_metric(name, CLOSE_FUNCTION, settings, period, "Sum")


def finalizer_gauge(name: Metric, settings: Settings, period: Duration) -> cloudwatch.Metric:
    """A gauge that the finalizer emits, such as HoursSinceLastFile: the maximum of a period."""
    return _function_metric(name, CLOSE_FUNCTION, settings, period, "Maximum")


def small_batch_sum(name: Metric, settings: Settings, period: Duration) -> cloudwatch.Metric:
    """An amount that the function for small batches emits, such as SmallBatchCostUsd."""
    return _function_metric(name, SMALL_BATCH_FUNCTION, settings, period, "Sum")


def small_batch_average(name: Metric, settings: Settings, period: Duration) -> cloudwatch.Metric:
    """A share that the function for small batches emits, such as SmallBatchDeclinedPercent."""
    return _function_metric(name, SMALL_BATCH_FUNCTION, settings, period, "Average")


def _function_metric(
    name: Metric, function: str, settings: Settings, period: Duration, statistic: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": physical_name(function, settings.environment)},
        period=period,
        statistic=statistic,
    )
