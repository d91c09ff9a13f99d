"""Tests of the crawler's states and of the tables that it catalogs."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fixtures.local_account import eventually


@pytest.fixture
def glue(factory):
    """The Glue client of an account with a lake, a database and a crawler."""
    s3 = factory.aws.client("s3")
    s3.create_bucket(Bucket="lake")
    parquet = io.BytesIO()
    table = pa.table({"VendorID": pa.array([1], pa.int32()), "fare": pa.array([2.5], pa.float64())})
    pq.write_table(table, parquet)
    for month in ("2024-01", "2024-02"):
        s3.put_object(Bucket="lake", Key=f"raw/taxi/yellow_tripdata_{month}.parquet", Body=parquet.getvalue())
    csv = 'id,name,share\n1,"a, b",0.5\n2,c,\n'
    s3.put_object(Bucket="lake", Key="raw/taxi/zones_2024.csv", Body=csv)
    s3.put_object(Bucket="lake", Key="raw/taxi/green/green_tripdata_2024-01.parquet", Body=parquet.getvalue())
    s3.put_object(Bucket="lake", Key="raw/taxi/broken.parquet", Body=b"PAR1 nothing")
    client = factory.aws.client("glue")
    client.create_database(DatabaseInput={"Name": "taxi_raw"})
    client.create_crawler(
        Name="crawler",
        Role="arn:aws:iam::000000000000:role/anything",
        DatabaseName="taxi_raw",
        TablePrefix="raw_",
        Targets={"S3Targets": [{"Path": "s3://lake/raw/taxi/"}]},
    )
    return client


def crawler(glue):
    return glue.get_crawler(Name="crawler")["Crawler"]


def ready(glue):
    return eventually(lambda: crawler(glue), lambda shown: shown["State"] == "READY")


def test_a_crawl_makes_a_table_of_each_kind_of_file(glue):
    glue.start_crawler(Name="crawler")
    assert ready(glue)["LastCrawl"]["Status"] == "SUCCEEDED"
    tables = {table["Name"]: table for table in glue.get_tables(DatabaseName="taxi_raw")["TableList"]}
    columns = {
        name: [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        for name, table in tables.items()
    }
    assert columns == {
        "raw_green": [("vendorid", "int"), ("fare", "double")],
        "raw_yellow_tripdata": [("vendorid", "int"), ("fare", "double")],
        "raw_zones": [("id", "bigint"), ("name", "string"), ("share", "double")],
    }
    yellow = tables["raw_yellow_tripdata"]
    assert yellow["Parameters"]["objectCount"] == "2"
    assert yellow["StorageDescriptor"]["Location"] == "s3://lake/raw/taxi/"


def test_a_crawl_that_combines_schemas_makes_a_table_of_each_target(glue):
    glue.update_crawler(
        Name="crawler",
        Targets={
            "S3Targets": [
                {"Path": "s3://lake/raw/taxi/", "Exclusions": ["*/**", "*.csv"]},
                {"Path": "s3://lake/raw/taxi/green/"},
                {"Path": "s3://lake/raw/taxi/fhv/"},
            ]
        },
        Configuration='{"Version": 1.0, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}',
    )
    glue.start_crawler(Name="crawler")
    assert ready(glue)["LastCrawl"]["Status"] == "SUCCEEDED"
    tables = glue.get_tables(DatabaseName="taxi_raw")["TableList"]
    assert {table["Name"]: table["StorageDescriptor"]["Location"] for table in tables} == {
        "raw_taxi": "s3://lake/raw/taxi/",
        "raw_green": "s3://lake/raw/taxi/green/",
    }


def test_a_crawl_passes_through_running_and_stopping(glue):
    glue.start_crawler(Name="crawler")
    assert crawler(glue)["State"] == "RUNNING"
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name="crawler")
    eventually(lambda: crawler(glue)["State"], lambda state: state == "STOPPING")
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name="crawler")
    ready(glue)
    glue.start_crawler(Name="crawler")


def test_a_later_crawl_has_a_later_start_time(glue, factory):
    factory.aws.settings(crawl_seconds=0.1)
    glue.start_crawler(Name="crawler")
    first = ready(glue)["LastCrawl"]["StartTime"]
    glue.start_crawler(Name="crawler")
    eventually(lambda: crawler(glue)["LastCrawl"]["StartTime"], lambda start: start > first)


def test_a_crawl_can_be_made_to_fail(glue, factory):
    factory.aws.settings(crawl_error="Access denied to s3://lake")
    glue.start_crawler(Name="crawler")
    last = ready(glue)["LastCrawl"]
    assert (last["Status"], last["ErrorMessage"]) == ("FAILED", "Access denied to s3://lake")
    assert glue.get_tables(DatabaseName="taxi_raw")["TableList"] == []


def test_a_stopped_crawl_is_canceled(glue, factory):
    factory.aws.settings(crawl_seconds=30)
    glue.start_crawler(Name="crawler")
    glue.stop_crawler(Name="crawler")
    assert ready(glue)["LastCrawl"]["Status"] == "CANCELLED"
    with pytest.raises(glue.exceptions.CrawlerNotRunningException):
        glue.stop_crawler(Name="crawler")
