"""etl-run-small-batch: loads a small batch with DuckDB."""
