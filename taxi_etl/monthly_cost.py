"""What the pipeline costs each month without a file, by the hour with files, and a month's forecast."""

from calendar import monthrange
from datetime import datetime, timedelta

from taxi_etl.list_prices import PRICES, usd
from taxi_etl.metrics import Metric
from taxi_etl.table_maintenance import RUN_RATE_HOURS
from taxi_etl.tables import table_names

MONTH_HOURS = 730
SMALL_BATCH_METRICS = len((Metric.SMALL_BATCH_DECLINED_PERCENT, Metric.SMALL_BATCH_COST_USD))
"""The custom metrics that only apps with `engine = auto` have."""
ALWAYS_SENT = len((Metric.HOURS_SINCE_LAST_FILE,))
JOB_LOG_METRICS = 1
"""`REFUSED_OPTIMIZERS_METRIC`, which is counted in the job's log."""
HOUR_METRICS = len(Metric) - ALWAYS_SENT - SMALL_BATCH_METRICS + JOB_LOG_METRICS
"""Maximum number of other custom metrics in an hour with loads; CloudWatch bills each by the hour."""
OPTIMIZERS, OPTIMIZER_DPUS, OPTIMIZER_SECONDS = 2, 2, 60
"""The number of optimizers per table, and the estimated DPUs and seconds of each of their runs."""
POLLERS, POLL_SECONDS = 5, 20
"""Lambda's connections to the event queue, and the seconds of each long poll."""
RECONCILERS_PER_HOUR, RECONCILER_GB_SECONDS = 4, 0.5


def fixed_costs(alarms: int) -> dict[str, float]:
    """The US dollars of an idle month by part; storage and the dashboard are not included."""
    runs = len(table_names()) * OPTIMIZERS * MONTH_HOURS / RUN_RATE_HOURS
    polls = POLLERS * MONTH_HOURS * 3600 / POLL_SECONDS
    reconciliations = RECONCILERS_PER_HOUR * MONTH_HOURS
    return {
        "KMS key": PRICES["kms_key"].usd,
        "alarms": usd("alarm", alarms),
        "custom metric": PRICES["metric"].usd,
        "table optimizers": usd("glue_optimizer", runs * OPTIMIZER_DPUS * OPTIMIZER_SECONDS / 3600),
        "queue polling": usd("sqs_request", polls),
        "reconciler": usd("function_memory", reconciliations * RECONCILER_GB_SECONDS)
        + usd("function_request", reconciliations),
    }


def hour_with_files_usd(*, has_small_batches: bool) -> float:
    """The custom metrics of one hour in which files load, in US dollars."""
    metrics = HOUR_METRICS + (SMALL_BATCH_METRICS if has_small_batches else 0)
    return usd("metric", metrics / MONTH_HOURS)


def month_period(text: str) -> tuple[datetime, datetime]:
    """The first moment of a month such as `2026-11` and of the next one, UTC. Raises ValueError."""
    first = datetime.strptime(f"{text} +0000", "%Y-%m %z")
    try:
        return first, first + timedelta(days=monthrange(first.year, first.month)[1])
    except OverflowError as error:
        raise ValueError(str(error)) from None


def forecast_usd(variable: float, start: datetime, end: datetime, now: datetime) -> float:
    """The variable cost of a whole period, extrapolated from the part that has passed."""
    passed = (min(now, end) - start) / (end - start)
    return variable / passed if passed > 0 else 0.0
