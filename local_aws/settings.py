"""Settings of a running local account, which tests change through the control API."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

OWNER_VARIABLE = "LOCAL_AWS_OWNER"
"""Process id of the owner, with whose end the emulator stops. Optional."""
PYTHON_VARIABLE = "LOCAL_AWS_PYTHON"
"""Path of the project's interpreter, which runs Glue jobs and crawls."""
STATE_VARIABLE = "LOCAL_AWS_STATE"
"""Path of the directory with the account's files."""


@dataclass
class Settings:
    """Settings of the emulated services. Times are in seconds."""

    crawl_seconds: float = 2.0
    crawl_error: str = ""
    """When not empty, crawls end FAILED with this message."""
    glue_minute_seconds: float = 60.0
    """Seconds that a minute of a Glue job's Timeout lasts."""
    hold_job_runs: bool = False
    """Whether job runs stay STARTING, so that a test can change what they read."""
    enforce_roles: bool = False
    """Whether functions, state machines, jobs and crawlers are restricted to their roles' permissions."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set the named values. Raises ValueError for an unknown name or a wrong type."""
        names = [field.name for field in fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such setting: {name}; the settings are {', '.join(names)}")
            setattr(self, name, type(getattr(self, name))(value))


SETTINGS = Settings()


def python() -> str:
    """Return the path of the project's interpreter."""
    return os.environ[PYTHON_VARIABLE]


def state() -> Path:
    """Return the directory with the account's files."""
    return Path(os.environ[STATE_VARIABLE])


def endpoint_url() -> str:
    """Return this emulator's endpoint URL."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
