"""What can be set on a running local account? Tests do it through the control door."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

OWNER_VARIABLE = "LOCAL_AWS_OWNER"
"""Names the process without which the emulator stops; unset, it runs until it is stopped."""
PYTHON_VARIABLE = "LOCAL_AWS_PYTHON"
"""Names the project's interpreter, which runs Glue jobs and crawls."""
STATE_VARIABLE = "LOCAL_AWS_STATE"
"""Names the directory of the account's files."""


@dataclass
class Settings:
    """Times are seconds. A crawler that `crawl_fails` ends FAILED with that message."""

    crawl_seconds: float = 2.0
    crawl_fails: str = ""
    glue_minute_seconds: float = 60.0
    """How long a minute of a Glue job's Timeout lasts."""
    hold_job_runs: bool = False
    """Whether job runs stay STARTING, as on AWS for a minute: time to change what they are about to read."""
    enforce_roles: bool = False
    """Whether functions, state machines, jobs and crawlers may do only what their roles allow."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set the named values. Raises ValueError for an unknown name or a wrong type."""
        names = [field.name for field in fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"no such setting: {name}; there are {', '.join(names)}")
            setattr(self, name, type(getattr(self, name))(value))


SETTINGS = Settings()


def python() -> str:
    """The project's interpreter."""
    return os.environ[PYTHON_VARIABLE]


def state() -> Path:
    """The directory of the account's files."""
    return Path(os.environ[STATE_VARIABLE])


def endpoint_url() -> str:
    """Where this emulator answers."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
