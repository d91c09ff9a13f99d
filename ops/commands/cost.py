"""The command `cost`: the cost of executions, computed from their usage, and a month's forecast."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops import completion, file_outcomes, history
from ops.commands.context import App, app_of
from ops.commands.options import start_of_period
from ops.execution_list import executions
from ops.listing import Listing
from ops.output import counted, local_time, now, table
from taxi_etl.execution_cost import CostItem, added, by_dataset, cost_items, storage_items, total_usd
from taxi_etl.list_prices import REGION
from taxi_etl.monthly_cost import MONTH_HOURS, fixed_costs, forecast_usd, hour_with_files_usd, month_period

if TYPE_CHECKING:
    from ops.execution_usage import UsageReader

DIGITS = 6
NOTE = (
    f"list prices of {REGION}, without free tiers; estimated quantities: docs/performance.md#dollars-per-file"
)


def cost(
    context: typer.Context,
    *,
    execution: Annotated[
        str,
        typer.Argument(
            help="An execution's name or ARN. Default: all in a month.", autocompletion=completion.executions
        ),
    ] = "",
    month: Annotated[str, typer.Option(help="The month, such as 2026-11, in UTC. Default: this one.")] = "",
    since: Annotated[
        str, typer.Option(help="Instead of a month: executions started since then, such as 7d.")
    ] = "",
) -> None:
    """Show the cost of an execution by item, or of a month by item and dataset with a forecast."""
    from ops import execution_usage, tables  # noqa: PLC0415 - PyIceberg is slow to import

    if sum(map(bool, (execution, month, since))) > 1:
        raise typer.BadParameter("give at most one of: an execution, --month, --since")
    app = app_of(context)
    start, end = _period(month, since)
    added_bytes = execution_usage.table_bytes(
        tables.glue_catalog(app.session), app.deployment.taxi_database_name
    )
    reader = execution_usage.UsageReader(app.session, app.deployment, added_bytes)
    if execution:
        _show_execution(app, reader, execution)
    else:
        with app.output.stderr.status("reading executions"):
            document = _month(app, reader, start, end)
        app.output.result(document, *_month_tables(document))
    app.output.note(NOTE)


def _period(month: str, since: str) -> tuple[datetime, datetime]:
    """Return the start and end of the period; 30 days from `since`. Raises BadParameter."""
    if since:
        start = start_of_period(since)
        return start, max(now(), start + timedelta(hours=MONTH_HOURS))
    try:
        return month_period(month or f"{now():%Y-%m}")
    except ValueError:
        raise typer.BadParameter(f"{month!r} is not a month such as 2026-11", param_hint="--month") from None


def _show_execution(app: App, reader: "UsageReader", name: str) -> None:
    found = history.describe(app.session, app.deployment, name)
    used = reader.read(found)
    bill = cost_items(used)
    total = total_usd(bill)
    items, storage = _items_json(bill), _items_json(storage_items(used))
    document = {
        "name": found.name,
        "arn": found.arn,
        "status": found.status,
        "engine": used.engine and str(used.engine),
        "files": used.files,
        "usd": round(total, DIGITS),
        "usdPerFile": round(total / used.files, DIGITS) if used.files else None,
        "items": items,
        "storagePerMonth": storage,
    }
    app.output.result(document, _items_table(items), "", _items_table(storage))
    app.output.note(f"{total:.6f} USD for {counted(used.files, 'file')}, plus storage each month")


def _month(app: App, reader: "UsageReader", start: datetime, end: datetime) -> dict[str, Any]:
    """Read the executions of a period, and return the JSON document of their costs."""
    bills, storage, datasets = [], [], defaultdict[str, float](float)
    files, hours = 0, set[datetime]()
    for each in executions(app.session, app.deployment, since=start):
        if each.started >= end:
            continue
        used = reader.read(history.describe(app.session, app.deployment, each.name))
        bills.append(cost_items(used))
        storage.append(storage_items(used))
        files += used.files
        hours.add(each.started.replace(minute=0, second=0, microsecond=0))
        owned = file_outcomes.files_of(app.session, app.deployment, each.name)
        for name, share in by_dataset(total_usd(bills[-1]), Counter(file.dataset for file in owned)).items():
            datasets[name or "none"] += share
    has_small_batches = bool(app.deployment.small_batch_function_name)
    metrics = len(hours) * hour_with_files_usd(has_small_batches=has_small_batches)
    items = added(bills)
    variable = total_usd(items) + metrics
    fixed = fixed_costs(len(app.deployment.alarm_names))
    return {
        "from": start,
        "until": end,
        "executions": len(bills),
        "files": files,
        "usd": round(variable, DIGITS),
        "items": _items_json(items),
        "metricHours": {"hours": len(hours), "usd": round(metrics, DIGITS)},
        "datasets": {name: round(value, DIGITS) for name, value in sorted(datasets.items())},
        "storagePerMonth": _items_json(added(storage)),
        "fixedPerMonth": {name: round(value, DIGITS) for name, value in fixed.items()},
        "forecast": _forecast(variable, sum(fixed.values()), start, end),
    }


def _forecast(variable: float, fixed: float, start: datetime, end: datetime) -> dict[str, float]:
    expected = forecast_usd(variable, start, end, now())
    values = {"variable": expected, "fixed": fixed, "usd": expected + fixed}
    return {name: round(value, DIGITS) for name, value in values.items()}


def _items_json(items: Sequence[CostItem]) -> list[dict[str, Any]]:
    return [
        {
            "item": each.item,
            "quantity": round(each.quantity, DIGITS),
            "unit": each.unit,
            "usd": round(each.usd, DIGITS + 2),
            "basis": str(each.basis),
        }
        for each in items
    ]


def _items_table(items: Sequence[dict[str, Any]]) -> Listing:
    rows = ((e["item"], _quantity(e["quantity"]), e["unit"], f"{e['usd']:.6f}", e["basis"]) for e in items)
    return table("item", "quantity", "unit", "USD", "basis", rows=rows)


def _month_tables(document: dict[str, Any]) -> list[Any]:
    """Return a month's costs for people."""
    expected, metrics = document["forecast"], document["metricHours"]
    count = f"{counted(document['executions'], 'execution')} of {counted(document['files'], 'file')}"
    parts = f"{expected['variable']:.2f} + {expected['fixed']:.2f} each month = {expected['usd']:.2f} USD"
    return [
        *([_items_table(document["items"]), ""] if document["items"] else []),
        *(
            [table("dataset", "USD", rows=_amounts(document["datasets"], DIGITS)), ""]
            if document["datasets"]
            else []
        ),
        table("each month", "USD", rows=_amounts(document["fixedPerMonth"], 2)),
        "",
        f"{count} since {local_time(document['from'])}: {document['usd']:.4f} USD, of which "
        f"{metrics['usd']:.4f} for custom metrics in {counted(metrics['hours'], 'hour')} with files",
        f"forecast until {local_time(document['until'])}: {parts}, without storage",
    ]


def _quantity(value: float) -> str:
    """Return a quantity in full, without trailing zeros."""
    return f"{value:,.{DIGITS}f}".rstrip("0").rstrip(".")


def _amounts(amounts: dict[str, float], digits: int) -> list[tuple[str, str]]:
    return [(name, f"{usd:.{digits}f}") for name, usd in amounts.items()]
