"""The state that all commands share: the target account, the output, and the deployment once it is needed."""

from dataclasses import dataclass
from functools import cached_property

import typer

from ops import deployment
from ops.output import Output
from ops.session import Session, Target


@dataclass
class App:
    """The state of one call of the command line."""

    target: Target
    output: Output

    @cached_property
    def session(self) -> Session:
        """The session for the account that the global options name."""
        return Session(self.target)

    @cached_property
    def deployment(self) -> deployment.Deployment:
        """The app deployed in that account. Raises CliError if it is not deployed."""
        return deployment.discover(self.session)


def app_of(context: typer.Context) -> App:
    """Return the state that the global options created."""
    app: App = context.obj
    return app


def exit_unless(ok: bool) -> None:
    """End the command with exit code 1 unless it succeeded."""
    if not ok:
        raise typer.Exit(1)
