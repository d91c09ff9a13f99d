"""Finds a Java that Spark can use, or installs one from PyPI."""

import functools
import os
import platform
import re
import shlex
import shutil
import ssl
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local_aws import installer, paths, setup_lock
from local_aws.errors import LocalAwsError

MINIMUM = 17
_PLATFORMS = {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")}
"""Systems and processors for which the package has a wheel; on Linux, only with glibc."""
# Spark 4 always asks for a module that this Java lacks and that Spark runs without.
_LAUNCHER = """\
#!/bin/sh
for option; do
    shift
    [ "$option" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$option"
done
exec {java} "$@"
"""


class JavaError(LocalAwsError):
    """This machine has no Java that Spark can use, and none could be installed."""


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


def is_installable() -> bool:
    """Return whether PyPI has a Java for this machine."""
    system = platform.system().lower()
    is_supported = (system, platform.machine()) in _PLATFORMS
    return is_supported and (system != "linux" or platform.libc_ver()[0] == "glibc")


@functools.cache
def require() -> None:
    """Select the Java of this process and its children; install one if the machine has no usable one.

    Raises JavaError.
    """
    lacking = problem()
    if lacking is None:
        return
    if not is_installable():
        raise JavaError(lacking)
    os.environ["JAVA_HOME"] = str(_installed(paths.JAVA, paths.JAVA_LOCK))
    lacking = problem()
    if lacking:
        raise JavaError(lacking)


def _installed(folder: Path, lock: Path) -> Path:
    """Return the JAVA_HOME of the Java in `folder`; install it first unless `lock` is installed there."""
    home, mark, wanted = folder / "home", folder / "installed.txt", lock.read_text()
    with setup_lock.exclusive("java"):
        if mark.exists() and mark.read_text() == wanted:
            return home
        shutil.rmtree(folder, ignore_errors=True)
        try:
            installer.install(lock, target=folder / "packages")
        except installer.InstallationError as error:
            raise JavaError(
                f"Java could not be installed; check the network, or set JAVA_HOME: {error}"
            ) from error
        (java,) = (folder / "packages").glob("*/java-runtime/bin/java")
        java.chmod(0o755)
        # The package lacks the JVM's class archive, which Spark's class archive extends.
        subprocess.run([str(java), "-Xshare:dump"], capture_output=True, check=False)
        _write_launcher(home / "bin" / "java", java)
        mark.write_text(wanted)
    return home


def _write_launcher(launcher: Path, java: Path) -> None:
    """Write a program that starts `java` as Spark needs it, with the certificates that Python trusts."""
    launcher.parent.mkdir(parents=True)
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    command = [str(java)]
    if certificates:
        store = launcher.parents[1] / "certificates.jks"
        store.write_bytes(key_store(certificates))
        command.append(f"-Djavax.net.ssl.trustStore={store}")
    launcher.write_text(_LAUNCHER.format(java=shlex.join(command)))
    launcher.chmod(0o755)


def key_store(certificates: Iterable[bytes]) -> bytes:
    """Return certificates, in DER, as a Java key store without a password.

    Source: OpenJDK, sun.security.provider.JavaKeyStore: magic number, version, count, then for each entry its
    tag, alias, time, type, and certificate. Java checks the digest at the end only if there is a password.
    """
    entries = [
        struct.pack(">IH", 2, len(alias)) + alias + struct.pack(">QH", 0, 5) + b"X.509" + _sized(certificate)
        for alias, certificate in ((str(number).encode(), each) for number, each in enumerate(certificates))
    ]
    return struct.pack(">III", 0xFEEDFEED, 2, len(entries)) + b"".join(entries)


def _sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
