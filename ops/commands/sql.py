"""The command `sql`: the SQL by which a dataset's files are transformed."""

from typing import Annotated

import typer
from rich.text import Text

from ops import completion
from ops.commands.context import app_of
from taxi_etl.datasets import DATASETS
from taxi_etl.schema import SourceColumn, text_columns
from taxi_etl.transform.sources import source_columns
from taxi_etl.transform.statements import transform_sql


def sql(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help=f"One of {', '.join(DATASETS)}.", autocompletion=completion.datasets)
    ],
    *,
    variant: Annotated[
        str,
        typer.Option(help="A published layout (see taxi-etl sample --list). Default: the newest Parquet."),
    ] = "",
) -> None:
    """Print the SQL (Spark's dialect) that turns the rows of a file into rows of the tables."""
    import sample_data  # noqa: PLC0415 - the registries are only needed here

    app = app_of(context)
    if dataset not in DATASETS:
        raise typer.BadParameter(
            f"dataset {dataset!r} does not exist; choose from {', '.join(DATASETS)}", param_hint="DATASET"
        )
    layouts = {each.id: each for each in sample_data.VARIANTS.values() if each.dataset == dataset}
    newest = max(
        (each for each in layouts.values() if each.official and each.format == "parquet"),
        key=lambda each: each.last,
        default=None,
    )
    if variant and variant not in layouts:
        raise typer.BadParameter(
            f"dataset {dataset} has no variant {variant!r}; choose from {', '.join(layouts)}",
            param_hint="--variant",
        )
    layout = layouts.get(variant, newest)
    if layout is None:
        offered = text_columns(column.names[0] for column in DATASETS[dataset].columns)
        text = transform_sql(dataset, source_columns(offered))
        app.output.result({"dataset": dataset, "variant": "", "sql": text}, Text(text))
        return
    columns = layout.columns_of(layout.last)
    if layout.format == "csv":
        offered = text_columns(column.name for column in columns)
    else:
        offered = tuple(SourceColumn.of_arrow(column.name, column.type) for column in columns)
    text = transform_sql(dataset, source_columns(offered))
    app.output.result({"dataset": dataset, "variant": layout.id, "sql": text}, Text(text))
    app.output.note(
        f"layout {layout.id}: {layout.format}, published for {layout.first} to {layout.last}; "
        "other layouts: --variant"
    )
