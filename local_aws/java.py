"""Detection of a Java that Spark can use."""

import os
import re
import shutil
import subprocess

MINIMUM = 17


def problem() -> str | None:
    """Return what is wrong with this machine's Java and the next step, None when Spark can use it."""
    home = os.environ.get("JAVA_HOME")
    program = os.path.join(home, "bin", "java") if home else shutil.which("java")  # noqa: PTH118  (may not exist)
    if not program:
        return f"Java is missing: install Java {MINIMUM} or newer, or set JAVA_HOME"
    try:
        version = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"Java does not start ({error}): install Java {MINIMUM} or newer, or set JAVA_HOME"
    found = re.search(r'version "(\d+)', version.stderr + version.stdout)
    if version.returncode != 0 or not found:
        return f"{program} is not a working Java: install Java {MINIMUM} or newer, or set JAVA_HOME"
    if int(found.group(1)) < MINIMUM:
        return f"{program} is Java {found.group(1)}: Spark needs Java {MINIMUM} or newer; set JAVA_HOME"
    return None
