"""What stands in for AWS on a laptop? An emulated account whose Glue really runs Spark."""
