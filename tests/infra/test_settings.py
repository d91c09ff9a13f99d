"""Tests of the settings: invalid values are refused with every reason, and documents quote the values."""

import re
from dataclasses import FrozenInstanceError, replace

import pytest

from stacks.settings import DEV, ENVIRONMENTS, LOCAL, PRODUCTION, settings_for
from tests.conftest import ROOT
from tests.fixtures.documents import PAGES


def test_environments_are_found_by_name() -> None:
    assert {name: settings.environment for name, settings in ENVIRONMENTS.items()} == {
        "dev": "dev",
        "prod": "prod",
        "local": "local",
    }
    assert settings_for("prod") is PRODUCTION


@pytest.mark.parametrize("name", ["staging", "", None])
def test_an_unknown_environment_is_refused_and_the_valid_ones_are_named(name: str | None) -> None:
    with pytest.raises(ValueError, match=r"there is no environment .*; choose one: .* dev, local, prod"):
        settings_for(name)


def test_settings_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        DEV.worker_count = 5  # type: ignore[misc]


def test_only_prod_retains_its_data_when_a_stack_is_deleted() -> None:
    assert (PRODUCTION.retain_data, PRODUCTION.termination_protection) == (True, True)
    assert (DEV.retain_data, LOCAL.retain_data) == (False, False)


def test_the_glue_task_timeout_includes_time_in_the_queue() -> None:
    settings = replace(DEV, job_timeout_minutes=30, expected_queue_depth=3)

    assert settings.glue_task_timeout_minutes == 120


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"event_batch_size": 0}, "event_batch_size is 0; it must be between 1 and 10000"),
        ({"event_batch_size": 10_001}, "event_batch_size is 10001"),
        ({"event_batch_window_seconds": 301}, "event_batch_window_seconds is 301"),
        *(
            (
                {"event_batch_size": size, "event_batch_window_seconds": 0},
                f"event_batch_size is {size}; batches of more than 10 events need a window of at least 1",
            )
            for size in (11, 100, 500)
        ),
        ({"execution_max_files": 100}, "execution_max_files is 100; it must be between 1 and 99"),
        ({"orchestrator_concurrency": 1}, "orchestrator_concurrency is 1; it must be between 2 and 1000"),
        ({"worker_count": 1}, "worker_count is 1; it must be between 2"),
        ({"worker_type": "G.99X"}, "worker_type is 'G.99X'; choose one of"),
        ({"max_quarantine_share": 1.01}, "max_quarantine_share is 1.01"),
        ({"max_concurrent_runs": 0}, "max_concurrent_runs is 0; it must be at least 1"),
        ({"expected_queue_depth": -1}, "expected_queue_depth is -1"),
        ({"table_retention_days": 0}, "table_retention_days is 0; it must be at least 1"),
        (
            {"table_retention_days": 1, "job_timeout_minutes": 1440},
            "could delete files that a job run still writes",
        ),
        ({"stall_minutes": 0}, "stall_minutes is 0; it must be at least 1"),
        (
            {"stall_minutes": 5, "job_timeout_minutes": 20},
            "a job run may make no progress for up to 20 minutes in all",
        ),
        ({"log_retention_days": 8}, "log_retention_days is 8; choose one of"),
        ({"max_file_bytes": DEV.execution_max_bytes + 1}, "a file of that size could never be loaded"),
        ({"environment": "Dev_1"}, "the environment's name must be"),
        ({"bucket_name": "Big Bucket"}, "'Big Bucket' is not a valid bucket name"),
        ({"existing_buckets": ("x",)}, "'x' is not a valid bucket name"),
        ({"existing_topics": ("arn:aws:sns:r:1:t",)}, "is not the name of a standard topic"),
        ({"alert_emails": ("nobody",)}, "'nobody' is not a valid e-mail address"),
        ({"kms_key_arn": "alias/key"}, "'alias/key' is not the ARN of a KMS key"),
        ({"existing_key_arns": ("alias/key",)}, "'alias/key' is not the ARN of a KMS key"),
        ({"validate_timeout_seconds": 901}, "validate_timeout_seconds is 901"),
        ({"noncurrent_version_days": 0}, "noncurrent_version_days is 0; it must be at least 1"),
        ({"alarm_execution_minutes": 1_441}, "alarm_execution_minutes is 1441"),
    ],
)
def test_an_invalid_value_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="settings of environment") as raised:
        replace(DEV, **wrong)

    assert message in str(raised.value)


def test_every_invalid_value_is_named_in_one_error() -> None:
    with pytest.raises(ValueError, match=r"worker_count is 0.*worker_type is 'tiny'"):
        replace(DEV, worker_count=0, worker_type="tiny")


@pytest.mark.parametrize(
    "right",
    [
        {"execution_max_files": 99},
        {"execution_max_files": 1},
        {"event_batch_size": 10, "event_batch_window_seconds": 0},
        {"event_batch_size": 11, "event_batch_window_seconds": 1},
        {"max_quarantine_share": 0.0},
        {"max_quarantine_share": 1.0},
        {"orchestrator_concurrency": 2},
        {"max_file_bytes": DEV.execution_max_bytes},
        {"stall_minutes": 5, "job_timeout_minutes": 21},
        {"expected_queue_depth": 0},
    ],
)
def test_values_at_the_limits_are_accepted(right: dict[str, object]) -> None:
    replace(DEV, **right)


README = (ROOT / "README.md").read_text()
SHOWN = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \| ([^|]+) \|", README, re.MULTILINE)


def test_the_readme_shows_the_current_settings() -> None:
    assert len(SHOWN) >= 8
    for names, *shown in SHOWN:
        for settings, text in zip((DEV, PRODUCTION), shown, strict=True):
            values = [getattr(settings, name) for name in re.findall(r"\w+", names)]
            assert ", ".join(_plain(value) for value in values) == text, f"{names} of {settings.environment}"


def test_other_documents_quote_the_current_settings() -> None:
    text = "\n".join((ROOT / page).read_text() for page in PAGES)
    both = re.findall(r"`(\w+)` \(prod ([\d.]+), dev ([\d.]+)\)", text)
    alike = [(name, value, value) for name, value in re.findall(r"`(\w+)` \(([\d.]+)\)", text)]
    assert len(both) >= 2
    assert len(alike) >= 2
    for name, prod, dev in both + alike:
        assert (_plain(getattr(PRODUCTION, name)), _plain(getattr(DEV, name))) == (prod, dev), name


def _plain(value: object) -> str:
    """A value as documents write it; a dash for an empty value."""
    if value in (None, ()):
        return "\N{EN DASH}"
    return str(value).lower() if isinstance(value, bool) else str(value)
