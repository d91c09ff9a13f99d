"""The base class of the local AWS's errors."""


class LocalAwsError(Exception):
    """The local account cannot be started, reached or deployed to; the message names the next step."""
