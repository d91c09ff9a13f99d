"""SQL (DuckDB) of the values of synthetic trips: one expression for each content of a column.

Every value is a function of the seed, the row number and a word, so rows are the same in any portion and with
any number of threads. The values include oddities of real files that are valid: refunds, zones 264 and 265,
rate code 99, zero distances and coordinates, off-month pickups, exact duplicates, and groups of values that
are null together.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sample_data.variants import Month

NULL_GROUPS: Mapping[str, frozenset[str]] = {
    "block": frozenset({"passengers", "rate", "flag", "payment", "congestion", "airport", "trip_type"}),
    "zones": frozenset({"pickup_zone", "dropoff_zone"}),
    "dropoff": frozenset({"dropoff"}),
    "late": frozenset({"congestion"}),
}
"""Values that are null together; `late` is a surcharge that was introduced during the period."""

_NULLABLE_PAYMENT = frozenset({"green"})
"""Datasets whose payment_type is null with the rest of the block; yellow's is 0 there."""

# Trips by hour of day, 0 to 23, in percent.
_HOURS = (4, 3, 2, 1, 1, 1, 2, 4, 5, 5, 4, 5, 5, 5, 5, 5, 4, 5, 6, 7, 6, 5, 5, 5)
_HOUR_OF_PERCENT = [hour for hour, share in enumerate(_HOURS) for _ in range(share)]
_BUSY_ZONES = [237, 236, 161, 162, 132, 138, 186, 230, 142, 170, 48, 234, 239, 79, 68, 74, 75, 166, 7, 95]


@dataclass(frozen=True)
class Dice:
    """Uniform numbers in [0, 1), determined by the seed, a word and the row."""

    seed: int

    def roll(self, word: str) -> str:
        """Return SQL of a number in [0, 1) that depends on the row (`j`), the seed and the word."""
        salt = int.from_bytes(hashlib.sha256(f"{self.seed}:{word}".encode()).digest()[:7], "big")
        return f"((hash(xor(j, {salt})) >> 11)::double / 9007199254740992)"

    def one_of(self, word: str, choices: list[str] | list[int]) -> str:
        """Return SQL of one of the choices, all equally likely."""
        return f"{choices!r}[1 + floor({self.roll(word)} * {len(choices)})::integer]"


def facts(dice: Dice, month: Month, nulls: Mapping[str, float], rows: int) -> dict[str, str]:
    """Return SQL of the facts of a trip by name, for `money` and `values` to use; it reads row number `j`.

    Times have no zone; distances are miles, durations seconds, money dollars.
    """
    roll = dice.roll
    start = f"timestamp '{month}-01 00:00:00'"
    # Published files are roughly in the order of the month; one trip in 2,000 belongs to the month before.
    day = f"floor(j * {month.days} / {rows}) - case when {roll('off-month')} < 0.0005 then 31 else 0 end"
    hour = dice.one_of("hour", _HOUR_OF_PERCENT)
    zone = "case when {} < 0.6 then {} else 1 + floor({} * 265)::integer end"
    missing = {f"no_{group}": f"{roll(group)} < {nulls.get(group, 0.0)!r}" for group in NULL_GROUPS}
    return {
        "pickup": f"{start} + to_seconds(86400 * ({day}) + 3600 * {hour} + floor({roll('second')} * 3600))",
        "seconds": f"least(10 + floor(-ln(1 - {roll('seconds')}) * 780), 14000)::integer",
        "miles_per_hour": f"6 + 18 * {roll('speed')}",
        "standing": f"{roll('standing')} < 0.01",
        "pickup_zone": zone.format(roll("pu"), dice.one_of("busy pu", _BUSY_ZONES), roll("any pu")),
        "dropoff_zone": zone.format(roll("do"), dice.one_of("busy do", _BUSY_ZONES), roll("any do")),
        "no_position": f"{roll('position')} < 0.02",
        "card": f"{roll('card')} < 0.7",
        "refund": f"{roll('refund')} < 0.003",
        "has_tolls": f"{roll('tolls')} < 0.05",
        "code": f"{roll('code')}",
        **missing,
    }


def money(month: Month) -> dict[str, str]:
    """Return SQL of the amounts of a trip by name, from its facts."""
    surcharge = "1.0" if (month.year, month.month) >= (2023, 1) else "0.3"
    return {
        "distance": "case when standing then 0.0 else round(seconds / 3600 * miles_per_hour, 2) end",
        "fare": "round(3 + 0.5 * floor(seconds / 60) + 1.25 * floor(seconds / 3600 * miles_per_hour * 2), 2)",
        "extra": "case when hour(pickup) >= 20 then 0.5 when hour(pickup) >= 16 then 1.0 else 0.0 end",
        "tolls": "case when has_tolls then 6.55 else 0.0 end",
        "improvement": surcharge,
        "congestion": "case when pickup_zone between 4 and 264 then 2.5 else 0.0 end",
    }


def values(dice: Dice, dataset: str, month: Month) -> dict[str, str]:
    """Return SQL of every value a column can have, by `Column.content`."""
    roll = dice.roll
    tip = "case when card then round(0.2 * fare, 2) else 0.0 end"
    block = "case when no_block then null else {} end"
    payment = "case when card then 1 when code < 0.95 then 2 when code < 0.98 then 3 else 4 end"
    missing_payment = "null" if dataset in _NULLABLE_PAYMENT else "0"
    base = f"'B0' || (1000 + floor({roll('base')} * 2000)::integer)"

    def place(center: str, word: str) -> str:
        return f"case when no_position then 0.0 else round({center} + ({roll(word)} - 0.5) * 0.1, 6) end"

    def signed(amount: str) -> str:  # 0 - x, since -1 * 0.0 is written -0
        return f"case when refund then 0 - ({amount}) else {amount} end"

    return {
        "vendor": f"case when {roll('vendor')} < 0.4 then 1 else 2 end",
        "vendor_code": dice.one_of("vendor", ["CMT", "VTS", "VTS", "CMT", "DDS"]),
        "pickup": "pickup",
        "dropoff": "case when no_dropoff then null else pickup + to_seconds(seconds) end",
        "passengers": block.format(dice.one_of("passengers", [1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 0])),
        "distance": "distance",
        "pickup_longitude": place("-73.97", "pickup longitude"),
        "pickup_latitude": place("40.75", "pickup latitude"),
        "dropoff_longitude": place("-73.97", "dropoff longitude"),
        "dropoff_latitude": place("40.75", "dropoff latitude"),
        "rate": block.format(
            "case when code < 0.95 then 1 when code < 0.98 then 2 when code < 0.99 then 5 else 99 end"
        ),
        "flag": block.format("case when code < 0.99 then 'N' else 'Y' end"),
        "flag_digit": "case when code < 0.99 then 0 else 1 end",
        "pickup_zone": "case when no_zones then null else pickup_zone end",
        "dropoff_zone": "case when no_zones then null else dropoff_zone end",
        "payment": f"case when no_block then {missing_payment} else {payment} end",
        "payment_word": "case when card then 'Credit' when code < 0.95 then 'CASH' else 'No Charge' end",
        "payment_code": "case when card then 'CRD' when code < 0.95 then 'CSH' else 'NOC' end",
        "fare": signed("fare"),
        "extra": signed("extra"),
        "mta_tax": signed("0.5"),
        "tip": signed(tip),
        "tolls": signed("tolls"),
        "improvement": signed("improvement"),
        "congestion": f"case when no_block or no_late then null else {signed('congestion')} end",
        "airport": block.format("case when pickup_zone in (132, 138) then 1.25 else 0.0 end"),
        "cbd": "case when pickup_zone between 100 and 200 then 0.75 else 0.0 end",
        "total": f"round({signed(f'fare + extra + 0.5 + tolls + improvement + ({tip})')}, 2)",
        "trip_type": block.format("case when code < 0.97 then 1 else 2 end"),
        "base": base,
        "license": dice.one_of("license", ["HV0003", "HV0003", "HV0003", "HV0005"]),
        "shared_ride": "case when code < 0.1 then 1 end",
        "requested": "pickup - to_seconds(60 + seconds // 10)",
        "on_scene": "pickup - to_seconds(20)",
        "duration": "seconds",
        "black_car_fund": "round(0.0275 * fare, 2)",
        "sales_tax": "round(0.08875 * fare, 2)",
        "driver_pay": "round(0.75 * fare, 2)",
        "no": "'N'",
        "space": "' '",
        "nothing": "null",
        "file_year": str(month.year),
        "file_month": str(month.month),
        "row_number": "j",
    }
