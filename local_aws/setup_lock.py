"""Locks for one-time setup that several processes may start at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from local_aws import paths


@contextmanager
def exclusive(part: str) -> Iterator[None]:
    """Run the block for this part of the setup in one process or thread at a time.

    The block checks first whether the setup is still needed.
    """
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    with (paths.LOCAL / f"setup-{part}.lock").open("w") as lock:
        # The system releases it when this process ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
