"""Tests of Spark's jars and configuration for the local account."""

import json
from pathlib import Path

import pytest

from local_aws import spark

CATALOG = "spark.sql.catalog.glue_catalog"
OWN = {CATALOG: "org.apache.iceberg.spark.SparkCatalog", f"{CATALOG}.warehouse": "s3://lake/warehouse/"}


@pytest.fixture
def record(tmp_path):
    """A record of jars that exist."""
    known = {}
    for number, coordinate in enumerate(spark.COORDINATES):
        jar = tmp_path / f"{number}.jar"
        jar.touch()
        known[coordinate] = str(jar)
    path = tmp_path / "jars.json"
    path.write_text(json.dumps(known))
    return path


@pytest.fixture
def resolutions(tmp_path, monkeypatch):
    """A fake of Ivy's resolution: the list of its calls."""
    calls = []

    def resolve():
        calls.append(1)
        return {coordinate: str(tmp_path / "resolved.jar") for coordinate in spark.COORDINATES}

    monkeypatch.setattr(spark, "resolve", resolve)
    return calls


def test_recorded_jars_that_exist_are_not_resolved_again(record, resolutions, tmp_path):
    assert spark.jars(record=record) == tuple(tmp_path / f"{number}.jar" for number in range(4))
    assert spark.jars([spark.ICEBERG], record) == (tmp_path / "0.jar",)
    assert resolutions == []


def test_jars_without_a_record_are_resolved_once(resolutions, tmp_path):
    (tmp_path / "resolved.jar").touch()
    record = tmp_path / "new" / "jars.json"
    first, second = spark.jars(record=record), spark.jars(record=record)
    assert first == second == (tmp_path / "resolved.jar",) * 4
    assert resolutions == [1]


def test_a_missing_jar_is_resolved_again(record, resolutions, tmp_path):
    (tmp_path / "2.jar").unlink()
    assert spark.jars([spark.ICEBERG], record) == (tmp_path / "resolved.jar",)


def test_changed_coordinates_are_resolved_again(record, resolutions, monkeypatch):
    monkeypatch.setattr(spark, "COORDINATES", (*spark.COORDINATES[:3], "group:newer:2"))
    spark.jars([spark.ICEBERG], record)
    assert resolutions == [1]


def test_iceberg_is_included_only_on_request():
    with_iceberg = spark.base_conf()["spark.driver.extraClassPath"]
    without = spark.base_conf(iceberg=False)["spark.driver.extraClassPath"]
    assert "iceberg-spark-runtime" in with_iceberg
    assert "iceberg-spark-runtime" not in without
    assert "hadoop-aws" in without


def test_each_iceberg_catalog_is_pointed_at_the_account():
    conf = spark.account_conf("http://127.0.0.1:9", {**OWN, "spark.sql.catalogImplementation": "hive"})
    pointed = {key: value for key, value in conf.items() if key.startswith("spark.sql")}
    assert pointed == {
        f"{CATALOG}.glue.endpoint": "http://127.0.0.1:9",
        f"{CATALOG}.s3.endpoint": "http://127.0.0.1:9",
        f"{CATALOG}.s3.path-style-access": "true",
        f"{CATALOG}.client.region": "us-east-1",
    }
    assert conf["spark.hadoop.fs.s3.impl"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"


@pytest.mark.parametrize(
    ("text", "conf"),
    [
        ("", {}),
        ("spark.a=1", {"spark.a": "1"}),
        ("spark.a=1 --conf spark.b=x=y", {"spark.a": "1", "spark.b": "x=y"}),
        ("spark.a='two words' --conf spark.b=2", {"spark.a": "two words", "spark.b": "2"}),
    ],
)
def test_glues_conf_argument_chains_settings(text, conf):
    assert spark.parse_conf_argument(text) == conf


def test_a_malformed_conf_argument_is_refused():
    with pytest.raises(ValueError, match=r"contains 'spark\.b'"):
        spark.parse_conf_argument("spark.a=1 --conf spark.b")


def test_the_configuration_is_written_where_spark_reads_it(tmp_path):
    folder = tmp_path / "with space"
    environment = spark.write_conf(folder, {"spark.a": "two words", "spark.b": "back\\slash"})
    defaults = folder / "spark-defaults.conf"
    assert environment["PYSPARK_SUBMIT_ARGS"] == f"--properties-file '{defaults}' pyspark-shell"
    assert list(Path(environment["SPARK_CONF_DIR"]).iterdir()) == []
    logging = f"file://{tmp_path}/with%20space/log4j2.properties"
    assert defaults.read_text().splitlines() == [
        "spark.a two words",
        "spark.b back\\\\slash",
        f"spark.driver.extraJavaOptions -Dlog4j2.configurationFile={logging}",
    ]
