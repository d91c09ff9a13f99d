"""The commands of `taxi-etl`, one module for each; `ops.cli` assembles them."""
