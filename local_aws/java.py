"""Detection of a Java that Spark can use."""

import os
import re
import shutil
import subprocess

MINIMUM = 17


def program() -> str | None:
    """Return the path of the Java that Spark starts; it may not exist below a wrong JAVA_HOME."""
    home = os.environ.get("JAVA_HOME")
    return os.path.join(home, "bin", "java") if home else shutil.which("java")  # noqa: PTH118  (may not exist)


def problem() -> str | None:
    """Return what is wrong with this machine's Java and the next step, None when Spark can use it."""
    found = program()
    if not found:
        return f"Java is missing: install Java {MINIMUM} or newer, or set JAVA_HOME"
    try:
        version = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"Java does not start ({error}): install Java {MINIMUM} or newer, or set JAVA_HOME"
    version_line = re.search(r'version "(\d+)', version.stderr + version.stdout)
    if version.returncode != 0 or not version_line:
        return f"{found} is not a working Java: install Java {MINIMUM} or newer, or set JAVA_HOME"
    if int(version_line.group(1)) < MINIMUM:
        return f"{found} is Java {version_line.group(1)}: Spark needs Java {MINIMUM} or newer; set JAVA_HOME"
    return None
