"""Count the cost of an ended job run, whatever started it.

Executions have no record of the cost of job runs that failed, were stopped or outlived them. Glue reports
the end of every job run, on a best-effort basis and sometimes twice, so the sum is an estimate of the bill.
"""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.observability import logger, measure
from stores.errors import error_code
from taxi_etl import billing
from taxi_etl.metrics import Metric


def count_cost(glue: Any, job: str, run_id: str) -> float | None:
    """Send a job run's DPU hours and cost as metrics, and return the cost in US dollars.

    Returns None when Glue does not have the job run or its duration. Raises AWS faults.
    """
    try:
        run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
    except ClientError as error:
        if error_code(error) != "EntityNotFoundException":
            raise
        logger.warning("Glue does not have the ended job run", job_run=run_id)
        return None
    hours = billing.dpu_hours(run)
    if hours is None:
        logger.warning("the job run has no duration", job_run=run_id, state=run["JobRunState"])
        return None
    cost = billing.job_run_usd(hours)
    measure(Metric.JOB_DPU_HOURS, hours)
    measure(Metric.JOB_COST_USD, cost)
    logger.info("job run ended", job_run=run_id, state=run["JobRunState"], cost_usd=cost)
    return cost
