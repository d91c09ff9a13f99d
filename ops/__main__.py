"""Runs the command line: `python -m ops` is the same as `taxi-etl`."""

from ops.cli import main

if __name__ == "__main__":
    main()
