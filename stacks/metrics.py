"""The finalizer's own metrics and those of queues, for alarms and the dashboard."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.settings import Settings
from taxi_etl.metrics import Metric
from taxi_etl.names import CLOSE_FUNCTION, METRICS_NAMESPACE, physical_name

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
    return _finalizer_metric(name, settings, period, "Sum")


def finalizer_gauge(name: Metric, settings: Settings, period: Duration) -> cloudwatch.Metric:
    """A gauge that the finalizer emits, such as HoursSinceLastFile: the maximum of a period."""
    return _finalizer_metric(name, settings, period, "Maximum")


def _finalizer_metric(
    name: Metric, settings: Settings, period: Duration, statistic: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": physical_name(CLOSE_FUNCTION, settings.environment)},
        period=period,
        statistic=statistic,
    )
