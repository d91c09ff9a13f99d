"""The cost of an execution from what it used: measured quantities, and a model of its requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from taxi_etl import billing, estimated_requests
from taxi_etl.engines import Engine
from taxi_etl.list_prices import PRICES, usd

GB = 1024**3


class Basis(StrEnum):
    """How a quantity is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


@dataclass(frozen=True)
class FunctionUse:
    """The time and size of the invocations of one function in an execution."""

    name: str
    milliseconds: int
    memory_mb: int
    storage_mb: int = billing.FUNCTION_FREE_STORAGE_MB
    basis: Basis = Basis.MEASURED

    @property
    def gb_seconds(self) -> float:
        """The memory multiplied by the time."""
        return self.milliseconds / 1000 * self.memory_mb / 1024

    @property
    def usd(self) -> float:
        """The cost in US dollars, not rounded."""
        return billing.function_usd(self.milliseconds, self.memory_mb, self.storage_mb)


@dataclass(frozen=True)
class Usage:
    """What one execution used.

    `dpu_hours` is None if Glue does not report the job run's time; `job_runs` counts job runs. `table_bytes`
    is None if no snapshot of the execution is left. `engine` is None if no engine ran.
    """

    files: int
    transitions: int
    functions: tuple[FunctionUse, ...] = ()
    engine: Engine | None = None
    job_runs: int = 0
    dpu_hours: float | None = None
    crawls: int = 0
    notifications: int = 0
    raw_bytes: int = 0
    table_bytes: int | None = None


@dataclass(frozen=True)
class CostItem:
    """One line of a bill; `usd` is not rounded."""

    item: str
    quantity: float
    unit: str
    usd: float
    basis: Basis


def cost_items(used: Usage) -> list[CostItem]:
    """The cost of an execution by item, without storage, which is billed by the month."""
    items = [_item("state transitions", "state_transition", used.transitions, Basis.MEASURED)]
    items += [
        CostItem(f"function {each.name}", each.gb_seconds, "GB-second", each.usd, each.basis)
        for each in used.functions
    ]
    if used.job_runs:
        known = used.dpu_hours is not None
        items.append(
            _item("Glue job", "glue_job", used.dpu_hours or 0, Basis.MEASURED if known else Basis.ESTIMATED)
        )
    if used.crawls:
        hours = used.crawls * billing.CRAWL_DPU_HOURS
        items.append(_item("crawl", "glue_crawler", hours, Basis.ESTIMATED))
    items.append(_item("notifications", "sns_publish", used.notifications, Basis.MEASURED))
    requests = estimated_requests.requests(used.engine, files=used.files, notifications=used.notifications)
    items += [
        _item(estimated_requests.TITLES[name], name, count, Basis.ESTIMATED)
        for name, count in requests.items()
    ]
    return items


def storage_items(used: Usage) -> list[CostItem]:
    """What an execution's files cost each month from then on: raw files, and their rows in the tables."""
    items = [_item("raw files", "s3_storage", used.raw_bytes / GB, Basis.MEASURED)]
    if used.table_bytes is not None:
        items.append(_item("table data files", "s3_storage", used.table_bytes / GB, Basis.MEASURED))
    return items


def total_usd(items: Sequence[CostItem]) -> float:
    """The sum of items in US dollars."""
    return sum(each.usd for each in items)


def added(bills: Sequence[Sequence[CostItem]]) -> list[CostItem]:
    """The items of several executions, added up by name; an item is measured if all of its parts are."""
    sums: dict[str, CostItem] = {}
    for bill in bills:
        for each in bill:
            known = sums.get(each.item)
            sums[each.item] = _sum(known, each) if known else each
    return list(sums.values())


def by_dataset(cost: float, files: Mapping[str, int]) -> dict[str, float]:
    """An execution's cost by dataset, in proportion to the files of each."""
    total = sum(files.values())
    return {name: cost * count / total for name, count in files.items()} if total else {"": cost}


def _sum(one: CostItem, other: CostItem) -> CostItem:
    basis = Basis.MEASURED if one.basis is other.basis is Basis.MEASURED else Basis.ESTIMATED
    return CostItem(one.item, one.quantity + other.quantity, one.unit, one.usd + other.usd, basis)


def _item(title: str, price: str, quantity: float, basis: Basis) -> CostItem:
    return CostItem(title, quantity, PRICES[price].unit, usd(price, quantity), basis)
