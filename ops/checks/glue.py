"""Can files be loaded? The Glue job with its script, and the crawler."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Place, expect

GLUE_VERSION = "6.0"


def job(place: Place) -> Iterator[Finding]:
    """The job runs on the Glue it was written for, is never retried blindly, queues, and finds its files."""
    part = "job"
    found = place.session.client("glue").get_job(JobName=place.deployment.glue_job_name)["Job"]
    version, retries = found.get("GlueVersion"), found.get("MaxRetries", 0)
    yield expect(part, "Glue version", version == GLUE_VERSION, f"it is {version}", place.redeploy)
    problem = f"it is {retries}: each retry is another paid run"
    yield expect(part, "MaxRetries", retries == 0, problem, place.redeploy)
    queued = found.get("JobRunQueuingEnabled", False)
    yield expect(part, "queuing", queued, "runs beyond the limit fail instead of waiting", place.redeploy)
    arguments = found.get("DefaultArguments", {})
    files = {
        "script": found["Command"]["ScriptLocation"],
        "Python files": arguments.get("--extra-py-files", ""),
    }
    for check, uris in files.items():
        lost = [uri for uri in uris.split(",") if not _exists(place, uri.strip())]
        yield expect(part, check, not lost, f"{', '.join(lost)} does not exist", place.redeploy)
    database = arguments.get("--database")
    wanted = place.deployment.taxi_database_name
    yield expect(
        part, "database", database == wanted, f"it loads into {database}, not {wanted}", place.redeploy
    )


def crawler(place: Place) -> Iterator[Finding]:
    """The crawler catalogs into the raw database, and its last crawl did not fail."""
    part = "crawler"
    found = place.session.client("glue").get_crawler(Name=place.deployment.crawler_name)["Crawler"]
    wanted = place.deployment.raw_database_name
    database = found.get("DatabaseName")
    yield expect(part, "database", database == wanted, f"it is {database}, not {wanted}", place.redeploy)
    last = found.get("LastCrawl", {})
    failed = last.get("Status") == "FAILED"
    problem = f"it failed: {last.get('ErrorMessage', 'no reason given')}"
    remedy = f"aws glue start-crawler --name {place.deployment.crawler_name}"
    yield expect(part, "last crawl", not failed, problem, f"mend the cause, then {remedy}")


def databases(place: Place) -> Iterator[Finding]:
    """Both databases exist."""
    glue = place.session.client("glue")
    for name in (place.deployment.raw_database_name, place.deployment.taxi_database_name):
        try:
            glue.get_database(Name=name)
        except glue.exceptions.EntityNotFoundException:
            yield expect("catalog", f"database {name}", False, "it does not exist", place.redeploy)
        else:
            yield expect("catalog", f"database {name}", True, "", "")


def _exists(place: Place, uri: str) -> bool:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not key:
        return False  # no address at all
    try:
        place.session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
            raise
        return False
    return True
