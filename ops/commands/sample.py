"""How does one get files to try the pipeline with? sample."""

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.context import app_of
from ops.output import table
from taxi_etl.datasets import DATASETS


def sample(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="The folder or file to write.")] = Path(),
    dataset: Annotated[str, typer.Option(help=f"One of {', '.join(DATASETS)}.")] = "",
    month: Annotated[str, typer.Option(help="The month, such as 2024-01.")] = "",
    variant: Annotated[
        str, typer.Option(help="A published layout, instead of the month's own; see --list.")
    ] = "",
    format: Annotated[str, typer.Option(help="parquet, csv or csv.gz.")] = "",
    rows: Annotated[int, typer.Option(min=0, help="How many trips.")] = 10_000,
    dirty_share: Annotated[float, typer.Option(min=0, max=1, help="The share of damaged rows.")] = 0.0,
    reason: Annotated[list[str] | None, typer.Option(help="Only this damage; repeat for several.")] = None,
    seed: Annotated[int, typer.Option(help="Another number, other trips.")] = 1,
    encoding: Annotated[str, typer.Option(help="Of CSV: utf-8, utf-8-bom, utf-16, latin-1.")] = "utf-8",
    list_variants: Annotated[bool, typer.Option("--list", help="List the published layouts.")] = False,
) -> None:
    """Make a synthetic trip file in the layout that the TLC used in a month; the same seed, the same file."""
    import sample_data  # noqa: PLC0415 - the registries are only needed here

    app = app_of(context)
    if list_variants:
        known = sample_data.VARIANTS.values()
        rows_of = [(v.id, v.dataset, v.format, str(v.first), str(v.last), len(v.columns)) for v in known]
        names = ("variant", "dataset", "format", "first", "last", "columns")
        document = [dict(zip(names, row, strict=True)) for row in rows_of]
        app.output.result({"variants": document}, table(*names, rows=rows_of))
        return
    if out.suffix == "" and not out.exists():
        out.mkdir(parents=True)
    try:
        with app.output.stderr.status(f"making {rows:,} trips"):
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
