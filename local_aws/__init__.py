"""The local AWS: an emulated account whose Glue runs Spark jobs for real."""
