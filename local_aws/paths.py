"""Where does the local AWS keep its things? Everything below `.local/` of the checkout, which git ignores."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOCAL = CHECKOUT / ".local"
EMULATOR_ENVIRONMENT = LOCAL / "emulator"
"""The emulator's own virtual environment."""
ACCOUNT = LOCAL / "aws"
"""The default account's pid file, log and job runs."""
JARS = LOCAL / "spark-jars.json"
DEBUGGER = LOCAL / "debugger"
"""Where a developer installs debugpy."""
EMULATOR_LOCK = CHECKOUT / "local_aws" / "requirements.txt"
