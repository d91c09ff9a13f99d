"""Repositories of the pipeline's state in AWS, shared by the functions and the command line."""
