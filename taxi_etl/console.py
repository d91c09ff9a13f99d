"""Links into the AWS console, by the ARN of an execution."""

DEFAULT_DOMAIN = "aws.amazon.com"
CONSOLE_DOMAINS = {
    "aws-cn": "amazonaws.cn",
    "aws-us-gov": "amazonaws-us-gov.com",
}
"""The console's domain in partitions that have their own."""
EXECUTION_PATH = ("/states/home?region=", "#/v2/executions/details/")
"""The path to an execution: the region follows the first part, the execution's ARN the second."""


def console_url(region: str, partition: str) -> str:
    """The console's address in a region, without a path."""
    return f"https://{region}.console.{CONSOLE_DOMAINS.get(partition, DEFAULT_DOMAIN)}"


def execution_url(arn: str) -> str:
    """The page of an execution in the console."""
    _, partition, _, region, *_ = arn.split(":")
    home, details = EXECUTION_PATH
    return f"{console_url(region, partition)}{home}{region}{details}{arn}"
