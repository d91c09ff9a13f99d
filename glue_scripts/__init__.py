"""The Glue job: `process_taxi_data.py` is its script, the other modules are its extra Python files."""
