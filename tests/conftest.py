"""Fixtures that all suites share: the real files, one Spark session and one deployed app."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local_aws import debugger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.fixtures.deployed_app import App

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_configure() -> None:
    """Start accounts without the debugger, which functions of the tests would wait for."""
    os.environ.pop(debugger.VARIABLE, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that selects the deployment for the integration tests."""
    parser.addoption(
        "--deployed",
        metavar="ENVIRONMENT",
        help="run tests/integration against the app deployed as dev, prod, … in the account of the usual AWS "
        "credentials, or as `local` in the running `taxi-etl local` account; without it, they use their own",
    )
    parser.addoption(
        "--random-files", type=int, default=20, help="the number of files of the differential test"
    )
    parser.addoption("--random-seed", type=int, default=1, help="the seed of these files")
    parser.addoption(
        "--random-minutes", type=float, default=10, help="start no further files of these after this time"
    )


GROUPS = {"e2e": "app", "integration": "app", "spark": "spark", "transform": "spark"}
"""Folders that share an expensive fixture. Every other folder is a separate group."""


class ByFolder(LoadScopeScheduling):
    """Scheduling for xdist that keeps the tests of a group in one process and in order."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        return GROUPS.get(folder, folder)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Return the scheduler for `--numprocesses`."""
    return ByFolder(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and damaged TLC files next to the checkout. Skips the test when it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real TLC files in ../shared/data, which this machine lacks")
    return SHARED_DATA


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkSession]":
    """A Spark session as in the local Glue, with an Iceberg catalog `lake`. Fails without Java."""
    from pyspark.sql import SparkSession

    from local_aws.spark import base_conf, conf_dir

    os.environ.update(conf_dir())
    conf = {
        **base_conf(),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": str(tmp_path_factory.mktemp("warehouse")),
    }
    builder = SparkSession.builder
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[App]":
    """The app, deployed once for the session into a separate emulated account."""
    from tests.fixtures.deployed_app import deployed_app

    with deployed_app(tmp_path_factory.mktemp("account")) as deployed:
        yield deployed
