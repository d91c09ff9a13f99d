"""What if two processes need at once what is made at first use? One makes it, the other waits."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from local_aws import paths


@contextmanager
def alone() -> Iterator[None]:
    """The block runs in one process at a time; it looks first whether there is a need left."""
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    with (paths.LOCAL / "first-use.lock").open("w") as lock:
        # Given back by the system, however this process ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
