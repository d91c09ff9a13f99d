"""The command line `taxi-etl` for operators, the build of the deployed code, and the demo."""
