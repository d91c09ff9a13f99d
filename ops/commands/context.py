"""What do all commands share? The target, where output goes, and the deployment once it is needed."""

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
        """The account that the global options name."""
        return Session(self.target)

    @cached_property
    def deployment(self) -> deployment.Deployment:
        """The deployed app in that account. Raises CliError when there is none."""
        return deployment.discover(self.session)


def app_of(context: typer.Context) -> App:
    """The state that the global options made."""
    found: App = context.obj
    return found


def finish(ok: bool) -> None:
    """End with exit code 1 when what was asked for was not reached."""
    if not ok:
        raise typer.Exit(1)
