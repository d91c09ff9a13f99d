"""Builds what is deployed into `build/`: the functions' code, their layers, and the job's packages as a zip.

`make build` runs it. It needs the network to install the layers; synthesis then needs no network. Layers are
installed from hash-locked lists, once for AWS Lambda and once for the host, where the local account runs the
functions. Each layer has its asset hash in a file next to it. The hash comes from the lock and the target,
because the installed files differ between machines and an unchanged source tree must deploy nothing.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.installer import InstallationError, install

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOCKS = ROOT / "lambdas" / "layers"
LAYERS = {
    "runtime": "aws_lambda_powertools",
    "parquet": "pyarrow.parquet",
    "engine": "duckdb, sqlglot, pyiceberg.table, pyiceberg.catalog",
}
"""The layers, each with modules that must be importable from it alone."""
COMPILED = ("engine",)
"""Layers that contain bytecode: without it, each cold start would compile pyiceberg, for about a second."""
ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""A fixed time, the earliest that a zip allows, so that the same sources give the same bytes."""


@dataclass(frozen=True)
class Target:
    """A platform that functions run on, with the options that make uv and pip choose wheels for it."""

    name: str
    identity: str
    python: str
    uv: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()


HOST_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AWS = Target(
    name="aws",
    identity="linux-arm64-3.13",
    python="3.13",
    uv=("--only-binary=:all:", "--python-version=3.13", "--python-platform=aarch64-manylinux_2_34"),
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
LOCAL = Target(name="local", identity=f"{sys.platform}-{HOST_PYTHON}", python=HOST_PYTHON)

# Removed from each layer: bytecode, sources and tests of wheels, pyarrow's RPC and second copies of its
# libraries, pyiceberg's Hive client, and the slower one of zstandard's two backends. Lambda allows 250 MB
# for a function with its layers, and size slows down cold starts.
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
    "fb303",
    "hive_metastore",
    "_duckdb-stubs",
    "adbc_driver_duckdb",
    "zstandard/*_cffi*",
)


def main(names: Sequence[str]) -> int:
    """Build what is out of date, with the layers of the named targets or of all; return the exit code."""
    BUILD.mkdir(exist_ok=True)
    build_code(BUILD / "code")
    build_job_zip(BUILD / "job.zip")
    for target in (AWS, LOCAL):
        for layer in LAYERS if not names or target.name in names else ():
            try:
                build_layer(layer, target)
            except (InstallationError, subprocess.CalledProcessError) as error:
                print(
                    f"make build: the {layer!r} layer for {target.identity} could not be built; it needs "
                    f"the network.\n{error}",
                    file=sys.stderr,
                )
                return 1
    return 0


def build_code(directory: Path) -> None:
    """Copy the sources of the core, the repositories, the engine for small batches and the handlers."""
    shutil.rmtree(directory, ignore_errors=True)
    for package in ("taxi_etl", "stores", "loading", "duckdb_engine", "lambdas"):
        shutil.copytree(
            ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__", "layers")
        )


def build_job_zip(path: Path) -> None:
    """Zip the job's packages for Glue's `--extra-py-files`; the same sources give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in ("glue_scripts", "loading", "taxi_etl"):
            for source in sorted((ROOT / package).rglob("*.py")):
                entry = zipfile.ZipInfo(source.relative_to(ROOT).as_posix(), ZIP_TIMESTAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, source.read_bytes())


def build_layer(layer: str, target: Target) -> None:
    """Install one layer for one target, unless it is up to date.

    Raises InstallationError and CalledProcessError.
    """
    lock = LOCKS / f"{layer}.txt"
    directory = BUILD / "layers" / target.name / layer
    stamp = directory.with_suffix(".hash")
    wanted = layer_hash(lock.read_bytes(), target)
    if directory.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(directory, ignore_errors=True)
    site = directory / "python"
    print(f"building layer {layer} for {target.identity}", flush=True)
    install(lock, target=site, uv=target.uv, pip=target.pip)
    prune(site)
    if layer in COMPILED:
        compile_bytecode(site, target)
    if target is LOCAL:
        check_import(LAYERS[layer], site)
    stamp.write_text(wanted)


def layer_hash(lock: bytes, target: Target) -> str:
    """Return the asset hash of a layer: 64 hex digits that depend on the lock, the target and `PRUNED`."""
    facts = b"\0".join([lock, target.identity.encode(), "\n".join(PRUNED).encode()])
    return hashlib.sha256(facts).hexdigest()


def prune(site: Path) -> None:
    """Remove the files in `PRUNED` from an installed layer."""
    for pattern in PRUNED:
        for path in list(site.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()


def compile_bytecode(site: Path, target: Target) -> None:
    """Compile a layer's modules for the target's Python. Without that Python on this machine, print a note.

    The bytecode does not refer to the sources' times, which differ in the deployed archive.
    """
    python = sys.executable if target.python == HOST_PYTHON else shutil.which(f"python{target.python}")
    options = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(site)]
    command = [str(python), "-I", *options, str(site)]
    if not python or subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        print(
            f"this layer has no bytecode, because there is no working python{target.python} on the PATH; "
            "the function's cold starts take about a second longer"
        )


def check_import(modules: str, site: Path) -> None:
    """Import modules from the pruned packages alone. Raises CalledProcessError."""
    program = f"import sys; sys.path.insert(0, {str(site)!r}); import {modules}"
    # -S hides the project's own environment, which would supply missing packages.
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], check=True)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
