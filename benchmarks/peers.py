"""Other libraries that append a file to an Iceberg table of a local catalog; each is one function.

They run in an environment of their own (`peers.txt`), so this module imports nothing from the project except
`measuring`. None of them validates rows, quarantines any, or knows which rows a file owns.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import Load, main

NULLS = ["", "abc"]
"""Texts that CSV readers read as null; any other text in a numeric column would end the load."""


def pyiceberg(folder: Path) -> Load:
    """pyiceberg's `append` of a table that pyarrow read."""
    import pyarrow.csv
    import pyarrow.parquet

    catalog = _catalog(folder)

    def load(path: Path) -> None:
        if path.suffix == ".parquet":
            rows = pyarrow.parquet.read_table(path)
        else:
            options = pyarrow.csv.ConvertOptions(null_values=NULLS)
            rows = pyarrow.csv.read_csv(path, convert_options=options)
        catalog.create_table(("taxi", table_of(path)), rows.schema).append(rows)

    return load


def polars(folder: Path) -> Load:
    """Polars' Iceberg sink on a lazy scan of the file."""
    import polars

    catalog = _catalog(folder)

    def load(path: Path) -> None:
        if path.suffix == ".parquet":
            rows = polars.scan_parquet(path)
        else:
            rows = polars.scan_csv(path, try_parse_dates=True, null_values=NULLS)
        schema = rows.head(0).collect().to_arrow().schema
        table = catalog.create_table(("taxi", table_of(path)), schema)
        rows.sink_iceberg(table, mode="append")

    return load


def dlt(folder: Path) -> Load:
    """dlt's filesystem destination with Iceberg tables; pyarrow reads the file in batches."""
    import dlt
    import pyarrow.csv
    import pyarrow.parquet

    dlt.config["runtime.dlthub_telemetry"] = False
    folder.mkdir(parents=True)
    pipeline = dlt.pipeline(
        "peers",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "warehouse").as_uri()),
        dataset_name="taxi",
    )

    def batches(path: Path) -> Iterator[Any]:
        if path.suffix == ".parquet":
            with pyarrow.parquet.ParquetFile(path) as file:
                yield from file.iter_batches()
        else:
            options = pyarrow.csv.ConvertOptions(null_values=NULLS)
            with pyarrow.csv.open_csv(path, convert_options=options) as rows:
                yield from rows

    def load(path: Path) -> None:
        rows = dlt.resource(
            batches(path), name=table_of(path), write_disposition="append", table_format="iceberg"
        )
        pipeline.run(rows, loader_file_format="parquet")

    return load


def table_of(path: Path) -> str:
    """The name of a file's table."""
    return path.name.split(".")[0].replace("-", "_")


def _catalog(folder: Path) -> Any:
    from pyiceberg.catalog.sql import SqlCatalog

    folder.mkdir(parents=True)
    catalog = SqlCatalog(
        "peers", uri=f"sqlite:///{folder}/catalog.db", warehouse=(folder / "warehouse").as_uri()
    )
    catalog.create_namespace("taxi")
    return catalog


PEERS: dict[str, Callable[[Path], Load]] = {"pyiceberg": pyiceberg, "polars": polars, "dlt": dlt}

if __name__ == "__main__":
    main(PEERS)
