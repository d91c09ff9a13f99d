"""States of an ended Glue job run, as Glue names them."""

FAILED_STATES = ("FAILED", "TIMEOUT", "ERROR", "EXPIRED")
"""The states of a job run that ended without a result, although nobody stopped it."""
ENDED_STATES = ("SUCCEEDED", "STOPPED", *FAILED_STATES)
