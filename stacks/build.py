"""Where is what `make build` prepared? Its paths, and a clear refusal when it is missing."""

from pathlib import Path

from stacks.settings import LayerTarget

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
GLUE_SCRIPT = ROOT / "glue_scripts" / "process_taxi_data.py"


class BuildMissingError(Exception):
    """Something that synthesis reads has not been built."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing; run `make build` first")


def function_code() -> str:
    """The directory with the functions' code."""
    return str(_existing(BUILD / "code"))


def job_zip() -> str:
    """The packages that the Glue job imports."""
    return str(_existing(BUILD / "job.zip"))


def glue_script() -> str:
    """The Glue job's script, deployed as it is."""
    return str(_existing(GLUE_SCRIPT))


def layer(name: str, target: LayerTarget) -> tuple[str, str]:
    """The directory of a layer and its asset hash.

    The hash comes from the lock and the target, since installed files differ from machine to machine.
    """
    directory = BUILD / "layers" / target / name
    return str(_existing(directory)), _existing(directory.with_suffix(".hash")).read_text().strip()


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BuildMissingError(path)
    return path
