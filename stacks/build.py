"""Paths to what `make build` prepares, and the error that names the command when a path is missing."""

from pathlib import Path

from stacks.settings import LayerTarget

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
GLUE_SCRIPT = ROOT / "glue_scripts" / "process_taxi_data.py"


class BuildMissingError(Exception):
    """A path that synthesis reads does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing; run `make build` first")


def function_code() -> str:
    """The directory with the functions' code."""
    return str(_existing(BUILD / "code"))


def job_zip() -> str:
    """The zip file with the packages that the Glue job imports."""
    return str(_existing(BUILD / "job.zip"))


def glue_script() -> str:
    """The Glue job's script, which is deployed unchanged."""
    return str(_existing(GLUE_SCRIPT))


def layer(name: str, target: LayerTarget) -> tuple[str, str]:
    """The directory of a Lambda layer and its asset hash.

    The hash comes from the lock file and the target, because installed files differ from machine to machine.
    """
    directory = BUILD / "layers" / target / name
    return str(_existing(directory)), _existing(directory.with_suffix(".hash")).read_text().strip()


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BuildMissingError(path)
    return path
