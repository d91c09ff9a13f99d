"""Configuration of the Glue table optimizers: compaction, snapshot expiry and orphan file removal.

Source: AWS Glue, CreateTableOptimizer; Iceberg, table maintenance.
"""

import json
from dataclasses import dataclass
from typing import Any

OPTIMIZERS_PROPERTY = "taxi-etl.optimizers"
"""Table property with the optimizers that the job created for the table, as JSON."""
OPTIMIZER_TYPES = ("compaction", "retention", "orphan_file_deletion")
WARNING = "WARNING: no table optimizers"
"""Text of the job's log line when Glue refused a table's optimizers; a metric counts these lines."""
RUN_RATE_HOURS = 168
"""Weekly, the longest interval that Glue accepts: each run is paid for, and files change monthly."""
MIN_INPUT_FILES = 5
"""Small data files of one partition that start a compaction.

Glue's default is 100, which the partition of one source file never reaches. 5 is the default of Iceberg's
`rewrite_data_files`, with which the local account compacts.
"""


@dataclass(frozen=True)
class TableMaintenance:
    """The optimizers' role ARN, and for how many days old snapshots and orphan files are kept.

    The retention must exceed the longest job run: until a run commits, its data files are orphan files, and
    its commit is validated against an older snapshot.
    """

    role_arn: str
    retention_days: int

    @property
    def account(self) -> str:
        """The account ID of the role and the catalog. Raises ValueError if `role_arn` is not a role's ARN."""
        parts = self.role_arn.split(":")
        if len(parts) < 6 or parts[0] != "arn" or not parts[4]:
            raise ValueError(f"{self.role_arn!r} is not the ARN of a role")
        return parts[4]

    def optimizers(self) -> dict[str, dict[str, Any]]:
        """The configuration of each optimizer type, as CreateTableOptimizer takes it.

        Compaction merges the small data files of one partition, which holds the rows of one source file.
        """
        common = {"roleArn": self.role_arn, "enabled": True}
        compaction = {"strategy": "binpack", "minInputFiles": MIN_INPUT_FILES}
        expiry = {
            "snapshotRetentionPeriodInDays": self.retention_days,
            "numberOfSnapshotsToRetain": 1,
            "cleanExpiredFiles": True,
            "runRateInHours": RUN_RATE_HOURS,
        }
        orphans = {
            "orphanFileRetentionPeriodInDays": self.retention_days,
            "runRateInHours": RUN_RATE_HOURS,
        }
        return {
            "compaction": {
                **common,
                "compactionConfiguration": {"icebergConfiguration": compaction},
            },
            "retention": {**common, "retentionConfiguration": {"icebergConfiguration": expiry}},
            "orphan_file_deletion": {
                **common,
                "orphanFileDeletionConfiguration": {"icebergConfiguration": orphans},
            },
        }

    def property_value(self) -> str:
        """The value of `OPTIMIZERS_PROPERTY` for a table that has these optimizers."""
        return json.dumps(self.optimizers(), sort_keys=True)
