"""Validate the files of one execution and write its manifest."""
