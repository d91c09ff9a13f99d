"""What can stand in the way of a local AWS? One kind_family of errors, whose messages say what to do."""


class LocalAwsError(Exception):
    """The account cannot be started, reached or deployed into; the message says what to do."""
