"""Tests of the table optimizers' configuration against botocore's model of Glue."""

import re

import botocore.session
import pytest
from botocore.validate import ParamValidator

from taxi_etl.table_maintenance import MIN_INPUT_FILES, OPTIMIZER_TYPES, RUN_RATE_HOURS, TableMaintenance

MAINTENANCE = TableMaintenance("arn:aws:iam::123456789012:role/optimizers", retention_days=7)


@pytest.fixture(scope="module")
def glue():
    return botocore.session.get_session().get_service_model("glue")


def documentation(glue, shape: str, member: str) -> str:
    return re.sub(r"<[^>]+>", "", glue.shape_for(shape).members[member].documentation)


def test_every_type_of_optimizer_is_configured(glue):
    assert set(OPTIMIZER_TYPES) == set(glue.shape_for("TableOptimizerType").enum)
    assert tuple(MAINTENANCE.optimizers()) == OPTIMIZER_TYPES


@pytest.mark.parametrize("kind", OPTIMIZER_TYPES)
def test_a_configuration_has_only_fields_of_the_service_model(glue, kind):
    shape = glue.shape_for("TableOptimizerConfiguration")

    report = ParamValidator().validate(MAINTENANCE.optimizers()[kind], shape)

    assert not report.has_errors(), report.generate_report()


def test_compaction_starts_far_below_the_default_number_of_files(glue):
    text = documentation(glue, "IcebergCompactionConfiguration", "minInputFiles")
    default = int(re.search(r"the default value (\d+) will be used", text)[1])

    compaction = MAINTENANCE.optimizers()["compaction"]["compactionConfiguration"]["icebergConfiguration"]

    assert compaction["minInputFiles"] == MIN_INPUT_FILES < default


@pytest.mark.parametrize("shape", ["IcebergRetentionConfiguration", "IcebergOrphanFileDeletionConfiguration"])
def test_optimizers_run_at_the_longest_interval_that_glue_accepts(glue, shape):
    text = documentation(glue, shape, "runRateInHours")
    low, high = re.search(r"must be between (\d+) and (\d+) hours", text).groups()

    assert int(low) <= RUN_RATE_HOURS == int(high)
