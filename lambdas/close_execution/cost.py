"""What did a job run cost? Counted when the run has ended, however it did and whoever started it.

An execution cannot tell: it knows no cost of a run that failed, was stopped or outlived it. Glue tells of
every end, on a best-effort basis and at times twice, so the sum is an estimate; the bill is what counts.
"""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.clients import error_code
from lambdas.observability import logger, measure
from taxi_etl import prices
from taxi_etl.metrics import Metric


def count_cost(glue: Any, job: str, run_id: str) -> float | None:
    """Send what the run took and costs, and give the cost in US dollars; None when Glue does not tell.

    Raises AWS faults.
    """
    try:
        run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
    except ClientError as error:
        if error_code(error) != "EntityNotFoundException":
            raise
        logger.warning("a job run ended that Glue no longer knows", job_run=run_id)
        return None
    hours = prices.dpu_hours(run)
    if hours is None:
        logger.warning("a job run does not tell what it took", job_run=run_id, state=run["JobRunState"])
        return None
    cost = prices.cost_usd(hours)
    measure(Metric.JOB_DPU_HOURS, hours)
    measure(Metric.JOB_COST_USD, cost)
    logger.info("job run ended", job_run=run_id, state=run["JobRunState"], cost_usd=cost)
    return cost
