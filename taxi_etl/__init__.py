"""What are the rules of the pipeline? Pure Python, standard library only, no I/O.

Every rule stands here once; the Lambda functions, the Spark job, the CDK app and the command line import it.
"""
