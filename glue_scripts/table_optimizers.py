"""Who looks after a table when no run does? Glue's table optimizers, which the job makes with each table.

A table remembers, as a property, the optimizers it was given: a run asks Glue only about a new table, after
a changed setting, or where it failed before. What fails is a line in the log, never a failed load.
"""

from collections.abc import Iterable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JJavaError

from glue_scripts.iceberg import LakeTable
from glue_scripts.spark_errors import one_line
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY, TableMaintenance

FAULTS = (BotoCoreError, ClientError, Py4JJavaError, ValueError)


def create_optimizers(
    tables: Iterable[LakeTable], database: str, care: TableMaintenance, client: Any = None
) -> list[str]:
    """Give each table its optimizers where it lacks them; returns a line for each table where that failed.

    `database` is the Glue database's name; `client` a Glue client, by default a new one where it is needed.
    """
    warnings = []
    for table in tables:
        try:
            if table.property(OPTIMIZERS_PROPERTY) != care.mark():
                client = client or boto3.client("glue")
                for kind, configuration in care.optimizers().items():
                    of = {"DatabaseName": database, "TableName": table.name, "Type": kind}
                    _put(client, {"CatalogId": care.account, **of}, configuration)
                table.set_property(OPTIMIZERS_PROPERTY, care.mark())
        except FAULTS as error:
            warnings.append(f"WARNING: table {table.name} has no optimizers yet: {one_line(error)}")
    return warnings


def _put(client: Any, of: dict[str, Any], configuration: dict[str, Any]) -> None:
    """Create an optimizer, or change the one that is there: another run may have been quicker."""
    try:
        client.create_table_optimizer(**of, TableOptimizerConfiguration=configuration)
    except client.exceptions.AlreadyExistsException:
        client.update_table_optimizer(**of, TableOptimizerConfiguration=configuration)
