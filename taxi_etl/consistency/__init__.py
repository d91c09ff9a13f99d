"""Compares the raw objects, the ledger, the tables and the executions with each other.

The function etl-close-execution has a reconciler of open claims; this package judges every file, and starts
nothing.
"""
