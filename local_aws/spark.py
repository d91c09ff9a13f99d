"""Spark's jars and configuration for the local account.

Glue ships Spark, Iceberg and S3 access. Here PySpark gets the same versions as jars, resolved once and
recorded. The job is unchanged: it keeps its own `--conf`, and local differences (endpoints, path-style
addresses, memory) are in a spark-defaults.conf.
"""

import importlib.util
import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from local_aws import class_archive, java, paths, setup_lock
from local_aws.errors import LocalAwsError

ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0"
S3 = (
    "org.apache.iceberg:iceberg-aws-bundle:1.11.0",
    "org.apache.hadoop:hadoop-aws:3.4.2",
    # S3A needs it and the bundle above lacks it. Same version as the AWS SDK in that bundle.
    "software.amazon.awssdk:s3-transfer-manager:2.44.4",
)
COORDINATES = (ICEBERG, *S3)

REGION = "us-east-1"
_CATALOG_PREFIX = "spark.sql.catalog."


class JarResolutionError(LocalAwsError):
    """The jars could not be resolved: Maven Central is unreachable, or Java is missing."""


def jars(coordinates: Iterable[str] = COORDINATES, record: Path = paths.JARS) -> tuple[Path, ...]:
    """Return the jar files of `coordinates`, in order. All jars are resolved once and listed in `record`.

    Resolves again when the coordinates have changed or a jar is missing. Raises JarResolutionError.
    """
    with setup_lock.exclusive("jars"):
        known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
        if set(known) != set(COORDINATES) or not all(Path(jar).is_file() for jar in known.values()):
            known = resolve()
            record.parent.mkdir(parents=True, exist_ok=True)
            partial = record.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(known, indent=2))
            partial.replace(record)
    return tuple(Path(known[coordinate]) for coordinate in coordinates)


def resolve() -> dict[str, str]:
    """Return each coordinate's jar file, fetched by the Ivy that Spark ships. Raises JarResolutionError.

    The dependencies of these jars are left out: Spark ships them, or iceberg-aws-bundle contains them.
    """
    java.require()
    with tempfile.TemporaryDirectory() as folder:
        module, found = Path(folder) / "ivy.xml", Path(folder) / "jars.txt"
        dependencies = "".join(map(_ivy_dependency, COORDINATES))
        module.write_text(f"<ivy-module version='2.0'>{_IVY_INFO}{dependencies}</dependencies></ivy-module>")
        options = ["-ivy", str(module), "-cachepath", str(found)]
        resolved = subprocess.run(
            [java.program() or "java", "-jar", str(_ivy()), *options],
            capture_output=True,
            text=True,
            check=False,
        )
        if resolved.returncode != 0 or not found.exists():
            raise JarResolutionError(
                "Spark's jars could not be fetched; check Java and the network to Maven Central:\n"
                f"{(resolved.stdout + resolved.stderr)[-3000:]}"
            )
        files = {Path(file).name: file for file in found.read_text().strip().split(os.pathsep)}
    jars = {}
    for coordinate in COORDINATES:
        _, artifact, version = coordinate.split(":")
        jar = files.get(f"{artifact}-{version}.jar")
        if jar is None:
            raise JarResolutionError(f"Ivy fetched {', '.join(files)}, but not {coordinate}")
        jars[coordinate] = jar
    return jars


_IVY_INFO = "<info organisation='local' module='jars'/><dependencies>"


def _ivy_dependency(coordinate: str) -> str:
    """Return Ivy's element for a jar alone: of a Maven artifact, its configuration `master`."""
    group, artifact, version = coordinate.split(":")
    return f"<dependency org='{group}' name='{artifact}' rev='{version}' conf='default-&gt;master'/>"


def _ivy() -> Path:
    """Return the Ivy jar that Spark ships. Raises JarResolutionError."""
    spark = importlib.util.find_spec("pyspark")
    folders = (spark.submodule_search_locations if spark else None) or ()
    for jar in (jar for folder in folders for jar in Path(folder).glob("jars/ivy-*.jar")):
        return jar
    raise JarResolutionError("Spark is not installed in this environment: run `make setup`")


DRIVER_OPTIONS = "spark.driver.extraJavaOptions"
JAVA_OPTIONS = "-Duser.timezone=UTC -XX:+ExitOnOutOfMemoryError"
"""Ends the JVM when it is out of memory, as a cluster ends the worker. Otherwise a local Spark may hang."""
QUICK_START = "-XX:TieredStopAtLevel=1"
"""Leaves out Java's optimizing compiler, which costs small files half of a job run's processor time."""


def base_conf(*, iceberg: bool = True, memory: str = "2g") -> dict[str, str]:
    """Return Spark's configuration for local sessions: small, quick to start, on loopback, in UTC as on Glue.

    Without `iceberg`, Iceberg's runtime is left out, as on Glue without `--datalake-formats iceberg`. The
    class path must be set before the JVM starts: in `write_conf`, or in the first session's builder.
    """
    java.require()
    classpath = jars(COORDINATES if iceberg else S3)
    options = (JAVA_OPTIONS, QUICK_START, class_archive.reading_options(class_archive.path(classpath)))
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": memory,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraClassPath": os.pathsep.join(map(str, classpath)),
        DRIVER_OPTIONS: " ".join(filter(None, options)),
        # Otherwise the session's end waits two minutes for data that a hanging task still uses.
        "spark.cleaner.referenceTracking.blocking": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def account_conf(endpoint_url: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return the configuration for a local account: S3A for `s3://`, and endpoints for the Iceberg catalogs.

    `own` is the job's configuration; each of its keys `spark.sql.catalog.NAME` is a catalog.
    """
    conf = {
        # Glue has its own file system for s3://. Hadoop's S3A serves both schemes.
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": endpoint_url,
        "spark.hadoop.fs.s3a.endpoint.region": REGION,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.aws.credentials.provider": (
            "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"
        ),
    }
    for key in own:
        if key.startswith(_CATALOG_PREFIX) and "." not in key.removeprefix(_CATALOG_PREFIX):
            conf |= {
                f"{key}.glue.endpoint": endpoint_url,
                f"{key}.s3.endpoint": endpoint_url,
                f"{key}.s3.path-style-access": "true",
                f"{key}.client.region": REGION,
            }
    return conf


def parse_conf_argument(text: str) -> dict[str, str]:
    """Parse a Glue job's `--conf` argument, such as `a=1 --conf b=2`. Raises ValueError.

    Source: AWS Glue job parameters, "--conf"; several settings are chained in its one value.
    """
    conf = {}
    for part in shlex.split(text):
        if part == "--conf":
            continue
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"--conf contains {part!r}, which is not KEY=VALUE")
        conf[key] = value
    return conf


def write_conf(folder: Path, conf: Mapping[str, str]) -> dict[str, str]:
    """Write `conf` below `folder`, and return the environment of a process that starts Spark with it.

    Spark logs warnings to stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logging = folder / "log4j2.properties"
    logging.write_text(
        "rootLogger.level = warn\n"
        "rootLogger.appenderRef.console.ref = console\n"
        "appender.console.type = Console\n"
        "appender.console.name = console\n"
        "appender.console.target = SYSTEM_ERR\n"
        "appender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex\n"
        # Suppresses the warning that there is no native Hadoop library.
        "logger.native.name = org.apache.hadoop.util.NativeCodeLoader\n"
        "logger.native.level = error\n"
    )
    option = f"-Dlog4j2.configurationFile={logging.as_uri()}"
    options = {DRIVER_OPTIONS: f"{conf.get(DRIVER_OPTIONS, '')} {option}".strip()}
    lines = [f"{key} {_escaped(value)}" for key, value in {**conf, **options}.items()]
    defaults = folder / "spark-defaults.conf"
    defaults.write_text("\n".join(lines) + "\n")
    return {
        **conf_dir(),
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {shlex.quote(str(defaults))} pyspark-shell",
    }


def conf_dir() -> dict[str, str]:
    """Return the environment variable that gives Spark's JVM the class path of the class archive."""
    paths.SPARK_CONF.mkdir(parents=True, exist_ok=True)
    return {"SPARK_CONF_DIR": str(paths.SPARK_CONF)}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
