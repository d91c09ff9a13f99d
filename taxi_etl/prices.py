"""What does a job run cost? AWS list prices that the notifications and the command line quote.

Source: AWS Glue pricing, us-east-1: Glue 6.0 is billed 30 % below the 0.44 USD per DPU-hour of 5.x,
by the second with a minimum of one minute.
"""

GLUE_USD_PER_DPU_HOUR = 0.308
GLUE_MINIMUM_SECONDS = 60
