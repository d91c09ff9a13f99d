"""Paths of the local AWS's files, below the checkout's `.local/`, which git ignores."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOCAL = CHECKOUT / ".local"
EMULATOR_ENVIRONMENT = LOCAL / "emulator"
"""The emulator's own virtual environment."""
ACCOUNT = LOCAL / "aws"
"""The default account's record, log and job runs."""
SPARK_CONF = LOCAL / "spark-conf"
"""An empty folder: the class archive needs the same class path everywhere, without files in its folders."""
JARS = LOCAL / "spark-jars.json"
DEBUGGER = LOCAL / "debugger"
"""The folder into which a developer installs debugpy."""
EMULATOR_LOCK = CHECKOUT / "local_aws" / "requirements.txt"
JAVA = LOCAL / "java"
"""Java from PyPI, on machines that have none."""
JAVA_LOCK = CHECKOUT / "local_aws" / "java.txt"
