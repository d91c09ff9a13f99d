"""Which engine loads a batch: Spark in the Glue job, or DuckDB in a function for small batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from taxi_etl.documents import AcceptedFile


class EngineChoice(StrEnum):
    """How the engine is chosen, as a setting of an app and in an execution's input.

    `GLUE` loads every batch with the Glue job. `AUTO` loads small batches with the function and others with
    the job.
    """

    GLUE = "glue"
    AUTO = "auto"


class Engine(StrEnum):
    """What loads a batch: the Glue job (Spark), or the function for small batches (DuckDB)."""

    GLUE = "glue"
    DUCKDB = "duckdb"


@dataclass(frozen=True)
class SmallBatchLimits:
    """Maximum bytes of a small batch in each format, and maximum columns of each of its files."""

    parquet_bytes: int
    csv_bytes: int
    csv_gz_bytes: int
    columns: int


@dataclass(frozen=True)
class Decision:
    """The engine of a batch; `reason` is why the batch is not for the function, empty if it is."""

    engine: Engine
    reason: str = ""


def choose_engine(files: Sequence[AcceptedFile], choice: EngineChoice, limits: SmallBatchLimits) -> Decision:
    """Choose the engine for the accepted files of a batch.

    A batch with several formats is small if the fractions of their limits add up to at most one.
    """
    if choice is EngineChoice.GLUE:
        return Decision(Engine.GLUE, "the Glue job loads all batches")
    columns = max((len(file.all_columns) for file in files), default=0)
    if columns > limits.columns:
        return Decision(
            Engine.GLUE, f"a file has {columns} columns; a small batch has at most {limits.columns}"
        )
    sizes = _bytes_by_format(files)
    most = {
        "Parquet": limits.parquet_bytes,
        "CSV": limits.csv_bytes,
        "gzipped CSV": limits.csv_gz_bytes,
    }
    if sum(size / most[name] for name, size in sizes.items()) <= 1:
        return Decision(Engine.DUCKDB)
    found = " and ".join(
        f"{size:,} bytes of {name} (at most {most[name]:,})" for name, size in sizes.items() if size
    )
    return Decision(Engine.GLUE, f"the batch exceeds the limits of a small batch: {found}")


def _bytes_by_format(files: Sequence[AcceptedFile]) -> dict[str, int]:
    sizes = {"Parquet": 0, "CSV": 0, "gzipped CSV": 0}
    for file in files:
        packed = "gzipped CSV" if file.compression == "gzip" else "CSV"
        sizes["Parquet" if file.format == "parquet" else packed] += file.version.size
    return sizes
