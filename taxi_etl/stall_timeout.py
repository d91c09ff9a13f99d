"""Limits how long a job run may make no progress."""

STALLS_MAX = 3
"""A job run continues after this many stalls; the next one ends it."""


def longest_stall_minutes(stall_minutes: float) -> float:
    """The most minutes a job run can spend in stalls of `stall_minutes` each, its last one included."""
    return (STALLS_MAX + 1) * stall_minutes
