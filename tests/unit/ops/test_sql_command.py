"""Tests of `sql`: the printed transform, and errors for unknown datasets and variants."""

import pytest

from taxi_etl.datasets import DATASETS


@pytest.mark.parametrize("dataset", DATASETS)
def test_sql_prints_the_transform_of_a_dataset(dataset, taxi_etl):
    result = taxi_etl("sql", dataset)

    assert result.exit_code == 0
    assert result.stdout.startswith("WITH ")
    assert "reason_bits" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 120
    assert taxi_etl.aws.calls == []


def test_sql_of_the_newest_layout_reads_its_newest_column(taxi_etl):
    code, document = taxi_etl.json("sql", "yellow")

    assert (code, document["dataset"], document["variant"]) == (0, "yellow", "P-Y3")
    assert "`trip_distance` AS raw_trip_distance" in document["sql"]
    assert "cbd_congestion_fee" in document["sql"]


def test_sql_of_a_variant_reads_its_columns(taxi_etl):
    _, document = taxi_etl.json("sql", "green", "--variant", "G1")

    assert (document["variant"], "`Lpep_dropoff_datetime`" in document["sql"]) == ("G1", True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("blue",), "dataset 'blue' does not exist; choose from yellow, green, fhv, fhvhv"),
        (
            ("fhvhv", "--variant", "Y1"),
            "dataset fhvhv has no variant 'Y1'; choose from H1, H2, P-H1, P-H2, P-H3",
        ),
    ],
)
def test_an_unknown_dataset_or_variant_is_wrong_usage_that_names_the_existing_ones(words, message, taxi_etl):
    result = taxi_etl("sql", *words)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
