"""Stand-in for the process that reads footers: it misbehaves for footers that ask for it.

A footer with `ABORT_HERE` in it ends the process, one with `SLEEP_HERE` makes it sleep. Others are read.
"""

import os
import time

from lambdas.validate_input import footer_process
from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.parquet_rules import FooterFacts

ABORT, SLEEP = b"ABORT_HERE", b"SLEEP_HERE"


def misbehave_or_read(footer: bytes) -> FooterFacts:
    """Read a footer as the real process does, unless it asks for something else."""
    if ABORT in footer:
        os.abort()
    if SLEEP in footer:
        time.sleep(600)
    return read_footer(footer)


if __name__ == "__main__":
    footer_process.read_footer = misbehave_or_read
    footer_process.main()
