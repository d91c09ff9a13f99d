"""How does the command line refuse? With what is wrong and what to do next."""


class CliError(Exception):
    """Something stands in the way of what was asked; `next_step` says what the operator can do about it."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def to_json(self) -> dict[str, str]:
        """What `--json` prints instead of a result."""
        return {"error": self.message, "nextStep": self.next_step}
