"""The engine for small batches: DuckDB reads, transforms and writes; pyiceberg commits. No Spark, no JVM.

It loads only what it reads exactly as Spark does, and declines everything else (`loading.engine.Declined`).
DuckDB runs in a child process with limits (`writer_process.py`), because damaged bytes can crash a native
library, make it hang, or make it allocate any amount of memory.
"""
