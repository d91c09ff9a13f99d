"""Benchmarks: the throughput of the job (`make bench`), and a burst of small files (`make burst`)."""
