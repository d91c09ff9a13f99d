"""Speed of queries with many items.

MiniStack 1.5.33: Checks the syntax of a condition again for each item, which takes most of its time in a
burst of files.
AWS: Answers in milliseconds.
Source: DynamoDB developer guide, "What is Amazon DynamoDB?"
Delete when: MiniStack checks the syntax of a condition once for each request.
"""

from functools import lru_cache

from ministack.services import dynamodb

from local_aws.patches import patching


def apply() -> None:
    """Remember the result of the check, which depends on the texts alone."""
    check = lru_cache(maxsize=1024)(patching.attribute(dynamodb, "_condition_syntax_error"))
    patching.replace(dynamodb, "_condition_syntax_error", "expr slot", check)
