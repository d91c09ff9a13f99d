"""The error that a command reports to the operator."""


class CliError(Exception):
    """A command cannot do its work: `message` names the thing and the reason, `next_step` what to do."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def to_json(self) -> dict[str, str]:
        """Return the JSON document that replaces the result."""
        return {"error": self.message, "nextStep": self.next_step}


def enable_versioning(bucket: str) -> str:
    """Return the next step that enables versioning of a bucket."""
    return (
        f"enable versioning: aws s3api put-bucket-versioning --bucket {bucket} "
        "--versioning-configuration Status=Enabled"
    )
