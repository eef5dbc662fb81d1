"""Canonical asset cards, before any vendor has written them down. Money is kept in 分 as integers."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from subgraphs.sample_city.bodies import GIVEN_NAMES, SURNAMES, Unit, Warehouse, make_units, make_warehouses
from subgraphs.sample_city.classes import PRODUCTS, AssetClass, Product, classes

__all__ = ["LAST_DAY", "Card", "CardMaker"]

LAST_DAY = date(2025, 11, 30)
"""The day of the exports: nothing is newer but what is plainly wrong."""
_FIRST_DAY = date(2010, 1, 4)
_DAYS = (LAST_DAY - _FIRST_DAY).days
_FIRST_UPDATE = datetime(2024, 1, 2, 8, 0, 0)
_UPDATE_SECONDS = 690 * 86400
_BATCH_MAX = 30
_BATCH_SHARE = 0.15

_STATUS_WEIGHTS = {
    "IN_USE": 38, "IDLE": 22, "TO_STORE": 3, "IN_STORE": 18, "RESERVED": 1, "TO_DISPATCH": 1, "IN_TRANSIT": 1,
    "LENT": 7, "IN_REPAIR": 3, "FROZEN": 1, "TO_DISPOSE": 3, "DISPOSED": 1, "LOST": 1,
}  # fmt: skip
_CONDITION_WEIGHTS = {"NEW": 6, "GOOD": 48, "USABLE": 36, "NEEDS_REPAIR": 7, "BEYOND_REPAIR": 3}
_ACQUISITION_WEIGHTS = {
    "PURCHASE": 82, "TRANSFER": 9, "EXCHANGE": 2, "DONATION": 3, "CONFISCATION": 2, "STOCKTAKE_GAIN": 2,
}  # fmt: skip
_SOURCE_WEIGHTS = {
    "IDLE": 52, "OVER_STANDARD": 12, "TEMPORARY_BODY": 12, "EVENT": 9, "CONFISCATED": 3, "BODY_CLOSED": 9, "DONATED": 3,
}  # fmt: skip
_VALUE_TYPE_WEIGHTS = {"ORIGINAL": 93, "APPRAISED": 4, "NOMINAL": 1, "PROVISIONAL": 2}
_SHAREABLE_STATUSES = frozenset({"IDLE", "IN_STORE", "TO_STORE", "LENT", "RESERVED"})
_IN_WAREHOUSE = frozenset({"IN_STORE", "RESERVED", "TO_DISPATCH", "FROZEN"})


@dataclass(slots=True)
class Card:
    """One asset card and what is wrong with it. Shapes read it; pathologies and shapes' limits change it."""

    seq: int
    kind: str | None
    """The pathology it bears, see `pathologies`; shapes write it down in their own way."""
    ordinal: int
    """Which card of its kind it is, from 0."""
    product: Product
    code: str
    name: str | None
    asset_class: AssetClass | None
    quantity: str
    original: int
    depreciation: int
    net: int
    acquired: date | None
    acquisition: str
    value_type: str
    unit: Unit | None
    warehouse: Warehouse | None
    keeper: str | None
    user: str | None
    location: str
    source: str | None
    condition: str | None
    status: str | None
    shareable: bool
    shareable_until: date | None
    serial: str
    updated: datetime
    measure: str | None
    outcome: str = "listed"
    issues: list[tuple[str, str | None]] = field(default_factory=list)


class _Weighted:
    """Picks by weight with one random number."""

    def __init__(self, weights: dict[str, int]) -> None:
        self.values = list(weights)
        self._sums = list(accumulate(weights.values()))

    def pick(self, rng: Random) -> str:
        return self.values[bisect(self._sums, rng.random() * self._sums[-1])]


class CardMaker:
    """An endless, repeatable row of cards of one region."""

    def __init__(self, region: str, rng: Random) -> None:
        self.region = region
        self.units = make_units(region, rng)
        self.warehouses = make_warehouses(region, self.units)
        self._rng = rng
        self._seq = 0
        self._classes = classes()
        self._product_sums = list(accumulate(product.weight for product in PRODUCTS))
        self._status = _Weighted(_STATUS_WEIGHTS)
        self._condition = _Weighted(_CONDITION_WEIGHTS)
        self._acquisition = _Weighted(_ACQUISITION_WEIGHTS)
        self._source = _Weighted(_SOURCE_WEIGHTS)
        self._value_type = _Weighted(_VALUE_TYPE_WEIGHTS)

    def make(self, kind: str | None, ordinal: int) -> Card:
        rng, random = self._rng, self._rng.random
        self._seq += 1
        product = PRODUCTS[bisect(self._product_sums, random() * self._product_sums[-1])]
        acquired = _FIRST_DAY + timedelta(days=int(random() * _DAYS))
        quantity = self._quantity(product)
        price = int((product.price_min + random() * (product.price_max - product.price_min)) * 100)
        if random() < 0.7:
            price -= price % 1000  # most prices are round
        original = int(price * float(quantity))
        used_months = (LAST_DAY.year - acquired.year) * 12 + LAST_DAY.month - acquired.month
        depreciation = original * min(used_months, product.life_months) // product.life_months
        status = self._status.pick(rng)
        shareable = status in _SHAREABLE_STATUSES and random() < 0.8
        until = LAST_DAY + timedelta(days=200 + int(random() * 900)) if shareable and random() < 0.2 else None
        unit = self.units[int(random() * len(self.units))]
        room = f"{1 + int(random() * 9)}号楼{1 + int(random() * 12)}{1 + int(random() * 28):02d}室"
        return Card(
            seq=self._seq,
            kind=kind,
            ordinal=ordinal,
            product=product,
            code=f"TY{acquired.year}{self._seq:06d}",
            name=product.name if random() < 0.85 else f"{product.name}（{room}）",
            asset_class=self._classes[product.class_key],
            quantity=quantity,
            original=original,
            depreciation=depreciation,
            net=original - depreciation,
            acquired=acquired,
            acquisition=self._acquisition.pick(rng),
            value_type=self._value_type.pick(rng),
            unit=unit,
            warehouse=self._place(status, unit),
            keeper=self._person(),
            user=self._person() if status in ("IN_USE", "LENT") else None,
            location=room,
            source=self._source.pick(rng) if status not in ("IN_USE", "LOST") else None,
            condition=self._condition.pick(rng),
            status=status,
            shareable=shareable,
            shareable_until=until,
            serial=f"SN{int(random() * 16**8):08X}",
            updated=_FIRST_UPDATE + timedelta(seconds=int(random() * _UPDATE_SECONDS)),
            measure=product.measure,
        )

    def _quantity(self, product: Product) -> str:
        metres = product.measure == "米"
        if not product.batch or (not metres and self._rng.random() >= _BATCH_SHARE):
            return "1"
        count = 2 + int(self._rng.random() * _BATCH_MAX)
        return f"{count}.5" if metres else str(count)

    def _place(self, status: str, unit: Unit) -> Warehouse | None:
        if status in _IN_WAREHOUSE:
            return self.warehouses[0]
        if status == "IDLE" and unit.index < len(self.warehouses) - 1:
            return self.warehouses[unit.index + 1]
        return None

    def _person(self) -> str:
        rng = self._rng
        return SURNAMES[int(rng.random() * len(SURNAMES))] + GIVEN_NAMES[int(rng.random() * len(GIVEN_NAMES))]
