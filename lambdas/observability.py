"""Logger and metrics of the functions, one of each per container. Lambda itself traces invocations.

Metrics have the dimension `service`, the function's physical name, which keeps the environments of one
account apart.
"""

import os
import warnings

from aws_lambda_powertools import Logger, Metrics

from taxi_etl.metrics import Metric
from taxi_etl.names import METRICS_NAMESPACE

_SERVICE = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", METRICS_NAMESPACE)

logger = Logger(service=_SERVICE)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=_SERVICE)

# Many events change nothing and therefore count nothing.
warnings.filterwarnings("ignore", message="No application metrics to publish")


def count(name: Metric, number: int) -> None:
    """Add to a counter; zero is not sent, because CloudWatch charges for it."""
    if number:
        metrics.add_metric(name=name, unit="Count", value=number)


def gauge(name: Metric, number: int) -> None:
    """Send the current value of a gauge, also when it is zero."""
    metrics.add_metric(name=name, unit="Count", value=number)


def measure(name: Metric, amount: float) -> None:
    """Send an amount in the unit that the metric's name states, also when it is zero."""
    metrics.add_metric(name=name, unit="None", value=amount)
