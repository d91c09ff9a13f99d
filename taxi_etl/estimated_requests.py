"""The requests of one execution by service, which neither its history nor a metric reports.

The counts of S3 and the Data Catalog are those that `make usage` counted in the local account. The others
follow from the code:

- SQS: S3 sends one message per file; a poller receives and deletes up to ten at a time.
- DynamoDB: a write unit for each KB of an item, two in a transaction, and those of the two indexes. A file is
  claimed, marked running and closed: 13 units. An execution's item holds its input, 0.25 KB a file, and is
  written four times: 16 units for each KB.
- Functions outside the workflow: the orchestrator and the finalizer, each started for the execution. Together
  they use 0.8 seconds of CPU time, at 1.73 GB of memory per core.
- Logs: a few KB an invocation. X-Ray: a trace from the orchestrator to the notification, and the finalizer's.
  One e-mail per notification, for one subscriber.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from taxi_etl.engines import Engine

SQS_BATCH = 10
FILE_WRITE_UNITS = 13
EXECUTION_WRITE_UNITS_PER_KB = 16
INPUT_KB_PER_FILE = 0.25
OUTSIDE_INVOCATIONS = 2
LOG_GB = 12e-6
LOG_GB_PER_FILE = 0.5e-6
TRACES = 2
KMS_REQUESTS_PER_NOTIFICATION = 2

TITLES: Mapping[str, str] = {
    "function_memory": "orchestrator and finalizer",
    "function_request": "their requests",
    "sqs_request": "queue requests",
    "dynamodb_write": "ledger writes",
    "dynamodb_read": "ledger reads",
    "s3_put": "S3 writes",
    "s3_get": "S3 reads",
    "catalog_request": "Data Catalog requests",
    "sns_email": "e-mails to one subscriber",
    "kms_request": "KMS requests",
    "log_ingestion": "logs",
    "xray_trace": "traces",
}
"""How the command `cost` names each estimated item, by the name of its price."""


@dataclass(frozen=True)
class Counts:
    """A linear count: once for each execution, and for each of its files."""

    execution: float
    file: float

    def of(self, files: int) -> float:
        """The count of an execution with this many files."""
        return self.execution + self.file * files


OUTSIDE_GB_SECONDS = Counts(1.4, 0.008)
"""The orchestrator and the finalizer."""
COUNTED: Mapping[Engine | None, Mapping[str, Counts]] = {
    Engine.DUCKDB: {
        "s3_put": Counts(5, 1),
        "s3_get": Counts(16, 5.1),
        "catalog_request": Counts(12, 0),
    },
    Engine.GLUE: {
        "s3_put": Counts(5.6, 3.4),
        "s3_get": Counts(41, 21),
        "catalog_request": Counts(34, 0),
    },
    None: {"s3_put": Counts(1, 0), "s3_get": Counts(1, 4), "catalog_request": Counts(0, 0)},
}
"""Requests by engine; None: every file was rejected."""


def requests(engine: Engine | None, *, files: int, notifications: int) -> dict[str, float]:
    """The estimated quantities of one execution by the name of their price."""
    counted = {name: counts.of(files) for name, counts in COUNTED[engine].items()}
    kilobytes = max(1, math.ceil(INPUT_KB_PER_FILE * files))
    return {
        "function_memory": OUTSIDE_GB_SECONDS.of(files),
        "function_request": OUTSIDE_INVOCATIONS,
        "sqs_request": files + 2 * math.ceil(files / SQS_BATCH),
        "dynamodb_write": FILE_WRITE_UNITS * files + EXECUTION_WRITE_UNITS_PER_KB * kilobytes,
        "dynamodb_read": files + 2 * kilobytes,
        **counted,
        "sns_email": notifications,
        "kms_request": KMS_REQUESTS_PER_NOTIFICATION * notifications,
        "log_ingestion": LOG_GB + LOG_GB_PER_FILE * files,
        "xray_trace": TRACES,
    }
