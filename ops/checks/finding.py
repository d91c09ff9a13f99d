"""What does a check find? One line of `taxi-etl verify`: a part, what was looked at, how to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ops.deployment import Deployment, deploy_command
from ops.session import Session


class Level(StrEnum):
    """How grave a finding is; `UNKNOWN` is what the local account cannot tell, AWS could."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown here"


@dataclass(frozen=True)
class Finding:
    """What a check found; `problem` and `remedy` are empty when all is well."""

    part: str
    check: str
    level: Level
    problem: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """What `--json` prints about it."""
        return {
            "part": self.part,
            "check": self.check,
            "level": str(self.level),
            "problem": self.problem,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Place:
    """Where the checks look."""

    session: Session
    deployment: Deployment

    @property
    def redeploy(self) -> str:
        """The remedy for whatever differs from the app's definition."""
        return deploy_command(self.session)


Probe = Callable[[Place], Iterator[Finding]]


def expect(
    part: str, check: str, holds: bool, problem: str, remedy: str, *, otherwise: Level = Level.FAILED
) -> Finding:
    """A finding that is ok when `holds`, else of the level `otherwise`, with the problem and its remedy."""
    return Finding(part, check, Level.OK) if holds else Finding(part, check, otherwise, problem, remedy)
