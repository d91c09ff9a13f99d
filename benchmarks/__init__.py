"""Throughput benchmark of the job; `make bench` runs it."""
