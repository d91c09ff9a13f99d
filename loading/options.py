"""The options of a load."""

from dataclasses import dataclass

from taxi_etl.anomalies import AnomalyPolicy
from taxi_etl.table_maintenance import TableMaintenance


@dataclass(frozen=True)
class Options:
    """Options that are the same for every engine.

    `database` is the name of the Glue database, `max_quarantine_share` a fraction of a file's rows, and
    `sort_by_pickup` whether each file's rows are sorted by pickup time. `command` is the command line
    that messages show, such as `taxi-etl --environment dev`. `program` begins the lines that the load prints.
    `anomaly_policy` is the policy for unusual months. With `maintenance`, the tables get Glue's table
    optimizers.
    """

    database: str
    max_quarantine_share: float
    sort_by_pickup: bool
    command: str
    program: str
    anomaly_policy: AnomalyPolicy = AnomalyPolicy.WARN
    maintenance: TableMaintenance | None = None
