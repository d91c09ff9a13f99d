"""Tests of the archive of Spark's classes."""

import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from local_aws import class_archive, java, paths
from local_aws.class_archive import Recording

JARS = (Path("/jars/iceberg-1.jar"), Path("/jars/s3-1.jar"))


@pytest.fixture(autouse=True)
def local(tmp_path, monkeypatch):
    """A folder of the local account's files, with a space in its name, and a Java."""
    folder = tmp_path / "local files"
    folder.mkdir()
    monkeypatch.setattr(paths, "LOCAL", folder)
    program = tmp_path / "java"
    program.touch()
    monkeypatch.setattr(java, "program", lambda: str(program))
    return folder


def test_another_java_other_packages_or_other_jars_have_another_archive(tmp_path, monkeypatch):
    archive = class_archive.path(JARS)
    assert class_archive.path(JARS) == archive
    others = {class_archive.path(JARS[:1])}
    newer = tmp_path / "newer"
    newer.touch()
    with monkeypatch.context() as patch:
        patch.setattr(java, "program", lambda: str(newer))
        others.add(class_archive.path(JARS))
    with monkeypatch.context() as patch:
        (tmp_path / "requirements.txt").write_text("pyspark==5")
        patch.setattr(paths, "CHECKOUT", tmp_path)
        others.add(class_archive.path(JARS))
    assert len(others | {archive}) == 4


def test_an_archive_is_read_once_it_exists(local):
    archive = local / "spark-classes-1.jsa"
    assert class_archive.reading_options(archive) == ""
    archive.touch()
    assert shlex.split(class_archive.reading_options(archive))[0] == f"-XX:SharedArchiveFile={archive}"


def test_the_classes_of_a_run_replace_older_archives_after_its_process_group_has_ended(local, tmp_path):
    old, archive, partial = local / "spark-classes-0.jsa", local / "spark-classes-1.jsa", tmp_path / "partial"
    old.touch()
    writes = f"sleep 0.2; echo classes > {shlex.quote(str(partial))}"
    process = subprocess.Popen(["/bin/sh", "-c", f"({writes}) & exit 0"], start_new_session=True)
    process.wait()

    Recording(archive, partial).publish(process.pid)

    assert {each.name: each.read_text() for each in local.iterdir()} == {archive.name: "classes\n"}


def test_a_process_that_leaves_no_classes_changes_nothing(local, tmp_path):
    old = local / "spark-classes-0.jsa"
    old.touch()
    process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    process.send_signal(signal.SIGKILL)
    process.wait()

    Recording(local / "spark-classes-1.jsa", tmp_path / "partial").publish(process.pid)

    assert list(local.iterdir()) == [old]
