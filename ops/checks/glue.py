"""Checks of the Glue job, the crawler, and the catalog's databases."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ops.checks.finding import Finding, Scope, expect
from ops.checks.lake_formation import REMEDY, is_refusal
from taxi_etl.s3_uris import parse_s3_uri

GLUE_VERSION = "6.0"


def job(scope: Scope) -> Iterator[Finding]:
    """Check the job's Glue version, retries, queuing, script, Python files and database."""
    part = "job"
    found = scope.session.client("glue").get_job(JobName=scope.deployment.glue_job_name)["Job"]
    version, retries = found.get("GlueVersion"), found.get("MaxRetries", 0)
    problem = f"it is {version}, not {GLUE_VERSION}"
    yield expect(part, "Glue version", version == GLUE_VERSION, problem, scope.redeploy)
    problem = f"it is {retries}, not 0; each retry is another paid job run"
    yield expect(part, "MaxRetries", retries == 0, problem, scope.redeploy)
    queued = found.get("JobRunQueuingEnabled", False)
    problem = "it is off; job runs beyond the limit fail instead of waiting"
    yield expect(part, "queuing", queued, problem, scope.redeploy)
    arguments = found.get("DefaultArguments", {})
    files = {
        "script": found["Command"]["ScriptLocation"],
        "Python files": arguments.get("--extra-py-files", ""),
    }
    for check, uris in files.items():
        missing = [uri for uri in uris.split(",") if not _exists(scope, uri.strip())]
        problem = f"{', '.join(missing) or 'the argument --extra-py-files'} does not exist"
        yield expect(part, check, not missing, problem, scope.redeploy)
    database, wanted = arguments.get("--database"), scope.deployment.taxi_database_name
    problem = f"the job loads into {database}, not {wanted}"
    yield expect(part, "database", database == wanted, problem, scope.redeploy)


def crawler(scope: Scope) -> Iterator[Finding]:
    """Check the crawler's database and its last crawl; a canceled crawl was stopped by an operator."""
    part = "crawler"
    found = scope.session.client("glue").get_crawler(Name=scope.deployment.crawler_name)["Crawler"]
    database, wanted = found.get("DatabaseName"), scope.deployment.raw_database_name
    yield expect(part, "database", database == wanted, f"it is {database}, not {wanted}", scope.redeploy)
    last = found.get("LastCrawl", {})
    problem = f"it failed: {last.get('ErrorMessage', 'no reason given')}"
    remedy = f"fix the cause, then aws glue start-crawler --name {scope.deployment.crawler_name}"
    if is_refusal(problem):
        remedy = REMEDY
    yield expect(part, "last crawl", last.get("Status") != "FAILED", problem, remedy)


def databases(scope: Scope) -> Iterator[Finding]:
    """Check that both databases exist."""
    glue = scope.session.client("glue")
    for name in (scope.deployment.raw_database_name, scope.deployment.taxi_database_name):
        try:
            glue.get_database(Name=name)
            exists = True
        except glue.exceptions.EntityNotFoundException:
            exists = False
        yield expect("catalog", f"database {name}", exists, "it does not exist", scope.redeploy)


def _exists(scope: Scope, uri: str) -> bool:
    try:
        bucket, key = parse_s3_uri(uri)
    except ValueError:
        return False
    try:
        scope.session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
            raise
        return False
    return True
