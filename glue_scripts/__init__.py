"""The Spark job. `process_taxi_data.py` is the script; the modules beside it travel with the core's zip."""
