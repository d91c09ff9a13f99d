"""What keeps the tables small and quick? The table optimizers that Glue runs on each of them.

Source: AWS Glue, CreateTableOptimizer; Iceberg, table maintenance.
"""

import json
from dataclasses import dataclass
from typing import Any

OPTIMIZERS_PROPERTY = "taxi-etl.optimizers"
"""The table property that says, as JSON, which optimizers a table was given."""
RUN_RATE_HOURS = 24


@dataclass(frozen=True)
class TableMaintenance:
    """What an operator decides: the ARN of the role that the optimizers act as, and for how many days old
    snapshots and files that belong to none stay.

    The days must outlast the longest job run: it builds on the snapshot it saw when it began, and its data
    files belong to no snapshot until it commits.
    """

    role_arn: str
    retention_days: int

    @property
    def account(self) -> str:
        """The account of role and catalog. Raises ValueError for a text that is no ARN of an account."""
        parts = self.role_arn.split(":")
        if len(parts) < 6 or parts[0] != "arn" or not parts[4]:
            raise ValueError(f"{self.role_arn!r} is no ARN of a role")
        return parts[4]

    def optimizers(self) -> dict[str, dict[str, Any]]:
        """The configuration of each type of optimizer, as CreateTableOptimizer takes it.

        Compaction binpacks: it merges small files of one partition, which is one source file.
        """
        common = {"roleArn": self.role_arn, "enabled": True}
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
                "compactionConfiguration": {"icebergConfiguration": {"strategy": "binpack"}},
            },
            "retention": {**common, "retentionConfiguration": {"icebergConfiguration": expiry}},
            "orphan_file_deletion": {
                **common,
                "orphanFileDeletionConfiguration": {"icebergConfiguration": orphans},
            },
        }

    def mark(self) -> str:
        """The value of `OPTIMIZERS_PROPERTY` for a table that has these optimizers."""
        return json.dumps(self.optimizers(), sort_keys=True)
