"""How long may a job run stand still? So long that no sound file does, and never for ever."""

STALLS_MAX = 3
"""So many times a run goes on after it stood still: once for the quick decoder, then for single files."""


def longest_stall_minutes(stall_minutes: float) -> float:
    """The longest that a run stands still in all, where each time lasts `stall_minutes`: the last time ends
    it."""
    return (STALLS_MAX + 1) * stall_minutes
