"""The result of a check: one line of `taxi-etl verify`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ops.deployment import Deployment, deploy_command
from ops.session import Session


class Level(StrEnum):
    """The severity of a finding; `UNKNOWN` means that the local account cannot answer, but AWS can."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown here"


@dataclass(frozen=True)
class Finding:
    """What a check found; `problem` and `remedy` are empty if the level is `OK`."""

    part: str
    check: str
    level: Level
    problem: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the JSON document of the finding."""
        return {
            "part": self.part,
            "check": self.check,
            "level": str(self.level),
            "problem": self.problem,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Scope:
    """The account and the deployment to check."""

    session: Session
    deployment: Deployment

    @property
    def redeploy(self) -> str:
        """The remedy for a part that differs from the app's definition."""
        return deploy_command(self.session)


Check = Callable[[Scope], Iterator[Finding]]


def expect(
    part: str, check: str, holds: bool, problem: str, remedy: str, *, otherwise: Level = Level.FAILED
) -> Finding:
    """Return an `OK` finding if `holds`, else one of level `otherwise` with the problem and its remedy."""
    return Finding(part, check, Level.OK) if holds else Finding(part, check, otherwise, problem, remedy)
