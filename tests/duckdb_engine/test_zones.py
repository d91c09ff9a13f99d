"""Tests of the zone table and of Athena's saved queries, on tables that the engine loaded."""

from datetime import date, timedelta

import pytest
import sqlglot
from sqlglot import exp

from ops import tables
from sample_data import generate
from taxi_etl.saved_queries import (
    AIRPORT_TRIPS,
    BUSIEST_ZONES,
    PAYMENTS_BY_YEAR,
    QUARANTINE_BY_MONTH,
    SAVED_QUERIES,
    TRIPS_BY_MONTH,
)
from taxi_etl.transform.sources import JobRun
from tests.duckdb_engine.conftest import RUN

ZONES, OTHER_ZONES = "raw/taxi/taxi_zone_lookup.csv", "raw/taxi/zones_2020-01.csv"
OLD = 'locationid,borough,zone,service_zone\n1,"EWR","Newark Airport","EWR"\n264,"Unknown","NV","N/A"\n'
NEW = OLD.replace('"NV"', '"N/A"') + '74,"Manhattan","East Harlem North","Boro Zone"\n' * 2
YELLOW = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,trip_distance,PULocationID,DOLocationID,payment_type,"
    "tip_amount,total_amount\n"
    "2,2024-01-05 10:00:00,2024-01-05 10:30:00,5,74,1,1,4,30\n"
    "2,2024-01-06 10:00:00,2024-01-06 10:20:00,3,74,264,2,0,20\n"
    "2,2024-01-07 10:00:00,2024-01-07 09:00:00,3,74,264,2,0,20\n"
    "2,2024-01-08 10:00:00,2024-01-08 10:40:00,9,1,2,,0,70\n"
)


def query(lake, sql: str) -> list[tuple]:
    """The rows of a query as `taxi-etl query` answers it."""
    return tables.run(lake.catalog, "taxi", sql, 100).rows


def saved(lake, query_of_athena) -> list[tuple]:
    return query(lake, sqlglot.transpile(query_of_athena.sql, read="trino", write="duckdb")[0])


def put(lake, key: str, text: str) -> str:
    lake.storage.put(key, text.encode())
    return key


def test_a_new_copy_of_a_key_replaces_its_zones(lake):
    lake.load(put(lake, ZONES, OLD))
    lake.load(put(lake, ZONES, NEW))

    assert query(lake, "SELECT location_id, zone FROM taxi_zones ORDER BY 1, 2") == [
        (1, "Newark Airport"),
        (74, "East Harlem North"),
        (74, "East Harlem North"),
        (264, "N/A"),
    ]


def test_a_second_key_adds_rows_but_a_zone_is_current_once_with_its_newest_name(lake):
    lake.load(put(lake, ZONES, OLD))
    lake.job_run = JobRun("jr_2", RUN.started_at + timedelta(days=1))

    [file] = lake.load(put(lake, OTHER_ZONES, NEW)).files

    assert (file.written, file.warnings) == (4, ())
    assert query(lake, "SELECT count(*) FROM taxi_zones") == [(6,)]
    assert query(lake, "SELECT location_id, zone FROM current_zones ORDER BY 1") == [
        (1, "Newark Airport"),
        (74, "East Harlem North"),
        (264, "N/A"),
    ]


@pytest.fixture
def trips(lake, tmp_path):
    """A lake with every table: four yellow trips with known values, one of them quarantined."""
    keys = [put(lake, ZONES, NEW), put(lake, "raw/taxi/yellow.csv", YELLOW)]
    for variant in ("G6", "F5", "P-H3"):
        sample = generate(tmp_path, variant=variant, rows=5)
        keys.append(f"raw/taxi/{sample.path.name}")
        lake.storage.put(keys[-1], sample.path)
    lake.load(*keys)
    return lake


def test_each_saved_query_runs_in_the_dialect_of_athena_and_answers_its_question(trips):
    by_month = {(row[0], row[1]): row[2:] for row in saved(trips, TRIPS_BY_MONTH)}
    assert by_month["yellow", date(2024, 1, 1)] == (3, 120.0)
    assert {
        dataset: sum(row[0] for key, row in by_month.items() if key[0] == dataset)
        for dataset in ("green", "fhv", "fhvhv")
    } == {"green": 5, "fhv": 5, "fhvhv": 5}
    assert {row[1] for key, row in by_month.items() if key[0] == "fhv"} == {None}
    assert saved(trips, BUSIEST_ZONES) == [
        (74, "Manhattan", "East Harlem North", 2, 4.0, 25.0),
        (1, "EWR", "Newark Airport", 1, 9.0, 70.0),
    ]
    assert saved(trips, AIRPORT_TRIPS) == [
        (date(2024, 1, 1), "Newark Airport", "from", 1, 40.0, 70.0),
        (date(2024, 1, 1), "Newark Airport", "to", 1, 30.0, 30.0),
    ]
    of_2024 = [row for row in saved(trips, PAYMENTS_BY_YEAR) if row[0] == 2024]
    assert of_2024 == [
        (2024, "card", 1, 33.3, 4.0),
        (2024, "cash", 1, 33.3, 0.0),
        (2024, "not recorded", 1, 33.3, 0.0),
    ]
    assert saved(trips, QUARANTINE_BY_MONTH) == [
        (date(2025, 7, 1), "yellow", "negative_duration", 1, 1, "s3://lake/raw/taxi/yellow.csv")
    ]


def test_the_tlc_file_of_zones_loads_completely(lake, shared_data):
    lake.storage.put(ZONES, shared_data / "tlc" / "zones" / "taxi_zone_lookup.csv")

    [file] = lake.load(ZONES).files

    assert (file.written, file.quarantined) == (265, 0)
    assert query(
        lake, "SELECT zone, service_zone FROM current_zones WHERE location_id >= 264 ORDER BY 1"
    ) == [
        ("NA", "N/A"),
        ("NV", "N/A"),
    ]


@pytest.mark.parametrize("saved_query", SAVED_QUERIES, ids=lambda each: each.name)
def test_a_saved_query_uses_nothing_that_duckdb_would_answer_differently(saved_query):
    """The differences are in findings/sqlglot-trino-to-duckdb-changes-results.sh."""
    tree = sqlglot.parse_one(saved_query.sql, read="trino")
    assert list(tree.find_all(exp.SplitPart, exp.RegexpExtract, exp.Extract)) == []
    assert {str(each.unit) for each in tree.find_all(exp.DateDiff)} <= {"SECOND"}
    dividends = [each.left.sql() for each in tree.find_all(exp.Div)]
    assert [each for each in dividends if not each.startswith(("AVG(", "1e2 *"))] == [], "not doubles"
