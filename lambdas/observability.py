"""How do the functions log, trace and count? One logger, tracer and metrics for each container.

Metrics have the dimension `service`, the function's physical name: environments of one account stay apart.
"""

import os
import warnings

from aws_lambda_powertools import Logger, Metrics, Tracer

from taxi_etl.metrics import Metric
from taxi_etl.names import METRICS_NAMESPACE

_SERVICE = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", METRICS_NAMESPACE)

logger = Logger(service=_SERVICE)
tracer = Tracer(service=_SERVICE, patch_modules=["botocore"])
metrics = Metrics(namespace=METRICS_NAMESPACE, service=_SERVICE)


# An event that changes nothing counts nothing, which is no reason for a line in the log.
warnings.filterwarnings("ignore", message="No application metrics to publish")


def count(name: Metric, number: int) -> None:
    """Add to a metric; nothing is sent for zero, which would only cost."""
    if number:
        metrics.add_metric(name=name, unit="Count", value=number)


def gauge(name: Metric, number: int) -> None:
    """Send a metric as it stands now, zero too: a gauge that is not there says nothing."""
    metrics.add_metric(name=name, unit="Count", value=number)


def measure(name: Metric, amount: float) -> None:
    """Send an amount in whatever unit the metric's name says, zero too."""
    metrics.add_metric(name=name, unit="None", value=amount)
