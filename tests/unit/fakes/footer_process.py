"""Fake of the process that reads footers, which crashes or stalls on marked footers.

A footer that contains `ABORT_HERE` ends the process, one with `SLEEP_HERE` stalls it. Others are read.
"""

import os
import time

from lambdas.validate_input import footer_process
from lambdas.validate_input.parquet_footer import read_footer
from taxi_etl.parquet_rules import FooterFacts

ABORT, SLEEP = b"ABORT_HERE", b"SLEEP_HERE"


def fail_or_read(footer: bytes) -> FooterFacts:
    """Read a footer as the real process does, unless it is marked."""
    if ABORT in footer:
        os.abort()
    if SLEEP in footer:
        time.sleep(600)
    return read_footer(footer)


if __name__ == "__main__":
    footer_process.read_footer = fail_or_read
    footer_process.main()
