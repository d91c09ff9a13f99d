"""The command `sample`: write a synthetic trip file."""

from pathlib import Path
from typing import Annotated

import typer

from ops import completion
from ops.commands.context import App, app_of
from ops.output import table
from taxi_etl.datasets import DATASETS


def sample(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="The folder or file to write.")] = Path(),
    dataset: Annotated[
        str, typer.Option(help=f"One of {', '.join(DATASETS)}.", autocompletion=completion.datasets)
    ] = "",
    month: Annotated[str, typer.Option(help="The month, such as 2024-01.")] = "",
    variant: Annotated[
        str, typer.Option(help="A published layout (see --list). Default: that of the month.")
    ] = "",
    format: Annotated[str, typer.Option(help="parquet, csv or csv.gz.")] = "",
    rows: Annotated[int, typer.Option(min=0, help="Number of trips.")] = 10_000,
    dirty_share: Annotated[float, typer.Option(min=0, max=1, help="Share of damaged rows, 0 to 1.")] = 0.0,
    reason: Annotated[
        list[str] | None,
        typer.Option(help="Only damage for this quarantine reason; repeat the option for several."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random values.")] = 1,
    encoding: Annotated[
        str, typer.Option(help="Encoding of CSV: utf-8, utf-8-bom, utf-16 or latin-1.")
    ] = "utf-8",
    list_variants: Annotated[bool, typer.Option("--list", help="List the published layouts.")] = False,
) -> None:
    """Write a synthetic trip file in the layout that the TLC published for a month, or the busiest zones
    with their names (--dataset zones).

    The same options give the same file.
    """
    import sample_data  # noqa: PLC0415 - the registries are only needed here

    app = app_of(context)
    if list_variants:
        _list_variants(app)
        return
    if out.suffix == "" and not out.exists():
        out.mkdir(parents=True)
    try:
        with app.output.stderr.status("writing the file"):
            made = sample_data.generate(
                out,
                dataset=dataset,
                variant=variant,
                month=month,
                rows=rows,
                dirty_share=dirty_share,
                reasons=reason,
                seed=seed,
                format=format,
                encoding=encoding,
            )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    facts = made.to_json()
    damage = ", ".join(f"{count} {kind}" for kind, count in made.dirty.items())
    app.output.result(facts, table("sample", "", rows={**facts, "dirty": damage}.items()))


def _list_variants(app: App) -> None:
    import sample_data  # noqa: PLC0415 - as above

    names = ("variant", "dataset", "format", "first", "last", "columns")
    rows = [
        (each.id, each.dataset, each.format, str(each.first), str(each.last), len(each.columns))
        for each in sample_data.VARIANTS.values()
    ]
    document = [dict(zip(names, row, strict=True)) for row in rows]
    app.output.result({"variants": document}, table(*names, rows=rows))
