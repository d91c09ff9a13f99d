"""Creates Glue's table optimizers for each table of a load.

A table property records the optimizers that a table has, so Glue is called only for a new table, after a
changed setting, or after a failed attempt. A failure is a warning in the log; the load succeeds regardless.
"""

from collections.abc import Iterable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from loading.engine import Engine, TableT
from taxi_etl.table_maintenance import OPTIMIZERS_PROPERTY, WARNING, TableMaintenance

ERRORS = (BotoCoreError, ClientError, ValueError)


def create_optimizers(
    engine: Engine[TableT], tables: Iterable[TableT], database: str, maintenance: TableMaintenance
) -> list[str]:
    """Create missing or changed optimizers; returns a warning for each table where that failed.

    `database` is the name of the Glue database.
    """
    warnings = []
    for table in tables:
        try:
            if table.property(OPTIMIZERS_PROPERTY) != maintenance.property_value():
                _create_for_table(boto3.client("glue"), database, table.name, maintenance)
                table.set_property(OPTIMIZERS_PROPERTY, maintenance.property_value())
        except (*ERRORS, *engine.errors) as error:
            warnings.append(f"{WARNING} for {table.name}: {engine.error_line(error)}")
    return warnings


def _create_for_table(client: Any, database: str, table: str, maintenance: TableMaintenance) -> None:
    for kind, configuration in maintenance.optimizers().items():
        request = {
            "CatalogId": maintenance.account,
            "DatabaseName": database,
            "TableName": table,
            "Type": kind,
            "TableOptimizerConfiguration": configuration,
        }
        try:
            client.create_table_optimizer(**request)
        except client.exceptions.AlreadyExistsException:
            # It was created by another job run, perhaps with other settings.
            client.update_table_optimizer(**request)
