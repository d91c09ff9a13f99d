"""The rules of the pipeline: pure Python, standard library only, no I/O.

The Lambda functions, the Spark job, the CDK app and the command line import them.
"""
