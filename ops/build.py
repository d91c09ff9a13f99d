"""What is deployed? Prepares `build/`: the functions' code, their layers, and the job's packages as a zip.

`make build` runs it. It needs the network (for the layers); synthesis then needs none. Layers are installed
from hash-locked lists, once for AWS Lambda and once for the host, on which the local AWS runs the functions.
Each layer has its asset hash beside it, made from the lock and the target: what pip writes differs from
machine to machine, and an unchanged tree must deploy nothing.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOCKS = ROOT / "lambdas" / "layers"
LAYERS = {"runtime": "aws_lambda_powertools", "parquet": "pyarrow.parquet"}
"""The layers, each with a module that must import from it alone."""
ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold: the same sources give the same bytes."""


@dataclass(frozen=True)
class Target:
    """A machine that functions run on: `pip` are the arguments that make pip choose wheels for it."""

    name: str
    identity: str
    pip: tuple[str, ...]


HOST_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AWS = Target(
    name="aws",
    identity="linux-arm64-3.13",
    pip=(
        "--only-binary=:all:",
        "--implementation=cp",
        "--python-version=3.13",
        "--platform=manylinux_2_34_aarch64",
        "--platform=manylinux_2_28_aarch64",
        "--platform=manylinux_2_17_aarch64",
        "--platform=manylinux2014_aarch64",
    ),
)
LOCAL = Target(name="local", identity=f"{sys.platform}-{HOST_PYTHON}", pip=())

# What a layer never needs: bytecode and sources of wheels, their tests, pyarrow's RPC and second copies of
# its libraries. Lambda allows 250 MB for a function with its layers, and every MB costs time at a cold start.
PRUNED = (
    "**/__pycache__",
    "**/tests",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "bin",
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/*flight*",
    "pyarrow/*_cpp_tests*",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*",
)


def main() -> int:
    """Build everything that is out of date; returns the exit code."""
    BUILD.mkdir(exist_ok=True)
    build_code(BUILD / "code")
    build_job_zip(BUILD / "job.zip")
    for target in (AWS, LOCAL):
        for layer in LAYERS:
            try:
                build_layer(layer, target)
            except subprocess.CalledProcessError as error:
                print(
                    f"make build: the {layer!r} layer for {target.identity} failed (exit "
                    f"{error.returncode}); the messages are above. pip needs the network to install it.",
                    file=sys.stderr,
                )
                return 1
    return 0


def build_code(directory: Path) -> None:
    """The functions' code: the core, the repositories and the handlers, sources only."""
    shutil.rmtree(directory, ignore_errors=True)
    for package in ("taxi_etl", "stores", "lambdas"):
        shutil.copytree(
            ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__", "layers")
        )


def build_job_zip(path: Path) -> None:
    """The job's packages as Glue's `--extra-py-files` takes them; the same sources give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in ("glue_scripts", "taxi_etl"):
            for source in sorted((ROOT / package).rglob("*.py")):
                entry = zipfile.ZipInfo(source.relative_to(ROOT).as_posix(), ZIP_TIMESTAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, source.read_bytes())


def build_layer(layer: str, target: Target) -> None:
    """One layer for one target, unless it is there already with the same lock. Raises CalledProcessError."""
    lock = LOCKS / f"{layer}.txt"
    directory = BUILD / "layers" / target.name / layer
    stamp = directory.with_suffix(".hash")
    wanted = layer_hash(lock.read_bytes(), target)
    if directory.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(directory, ignore_errors=True)
    site = directory / "python"
    print(f"building layer {layer} for {target.identity}", flush=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    options = ["--no-deps", "--require-hashes", "--requirement", str(lock), "--target", str(site)]
    subprocess.run([*command, *target.pip, *options], check=True)  # noqa: S603 (fixed words and own paths)
    prune(site)
    if target is LOCAL:
        check_import(LAYERS[layer], site)
    stamp.write_text(wanted)


def layer_hash(lock: bytes, target: Target) -> str:
    """The asset hash of a layer: 64 hex digits that change with the lock, the target, or what is pruned."""
    facts = b"\0".join([lock, target.identity.encode(), "\n".join(PRUNED).encode()])
    return hashlib.sha256(facts).hexdigest()


def prune(site: Path) -> None:
    """Remove from an installed layer what `PRUNED` names."""
    for pattern in PRUNED:
        for path in list(site.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()


def check_import(module: str, site: Path) -> None:
    """Import a module from the pruned packages, seen by nothing else. Raises CalledProcessError."""
    program = f"import sys; sys.path.insert(0, {str(site)!r}); import {module}"
    # Without -S the project's own environment would fill the gaps.
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], check=True)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
