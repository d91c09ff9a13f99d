"""Tests of what holds for every file after any history of uploads, faults and endings."""
