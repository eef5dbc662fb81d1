"""滨江's documents: an asset with its card inside, as the district's application writes them, exported as JSON lines.

What a card has not, its document has not either. Numbers are strings where an older release wrote them (two documents
of three hold some), dates are instants of local midnight or ISO text, by the same habit. Instants and object ids are in
the store's extended JSON, as its own export tool writes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, TextIO

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import Written, money_text
from subgraphs.sample_city.shapes.reference import ReferenceShape

__all__ = ["COLLECTIONS", "DocumentShape", "write_line"]

COLLECTIONS = ("units", "warehouses", "assets")
_SHANGHAI = timezone(timedelta(hours=8))
_Json = dict[str, Any]


class DocumentShape(ReferenceShape):
    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._folder = stores / self.region
        self._folder.mkdir()
        with (self._folder / "units.jsonl").open("w", encoding="utf-8") as file:
            for unit in units:
                write_line(file, _present(_id=self.unit_key(unit), name=unit.name, uscc=unit.uscc))
        with (self._folder / "warehouses.jsonl").open("w", encoding="utf-8") as file:
            for house in warehouses:
                kind = "PHYSICAL" if house.physical else "OWN_ROOM"
                key = self.warehouse_key(house)
                write_line(file, _present(_id=key, name=house.name, kind=kind, address=house.address))
        self._assets = (self._folder / "assets.jsonl").open("w", encoding="utf-8")
        self._count = 0

    def add(self, card: Card) -> Written:
        native = self._native(card)
        write_line(self._assets, self._document(card, native, self._count))
        self._count += 1
        return Written(native)

    def finish(self) -> None:
        self._assets.close()
        (self._folder / "assets.ok").write_text(f"{self._count}\n", encoding="ascii")

    def _document(self, card: Card, native: str, index: int) -> _Json:
        as_text = index % 3
        at = card.updated.replace(tzinfo=_SHANGHAI)
        moves = range(index % 4)
        return _present(
            _id={"$oid": blake2b(native.encode(), digest_size=12).hexdigest()},
            assetNo=native,
            secrecy=self._secrecy(card),
            tags=[tag for tag in (card.product.brand, card.measure) if tag],
            card=self._card(card, as_text),
            custody=_present(
                unitId=self._unit(card),
                keeper=card.keeper,
                user=card.user,
                warehouseId=self.warehouse_key(card.warehouse) if card.warehouse else None,
                place=card.location,
                source=card.source,
                condition=card.condition,
                status=self._status(card),
            ),
            share=_present(ok=card.shareable, until=_day(card.shareable_until, as_text == 1)),
            photos=[{"path": f"/photos/{index}-{n}.jpg", "w": 1280, "h": 960} for n in range(index % 3)],
            movements=[
                _present(at=_instant(at - timedelta(days=20 * (n + 1))), kind=("IN", "OUT")[n % 2], by=card.keeper)
                for n in moves
            ],
            rev=1 + card.seq % 5,
            updatedAt=at.isoformat() if as_text == 1 else _instant(at),
        )

    def _card(self, card: Card, as_text: int) -> _Json:
        product = card.product
        return _present(
            code=card.code,
            name=card.name,
            classCode=self.legacy_class(card)[0],
            spec=product.specification,
            brand=product.brand,
            model=product.model,
            sn=card.serial,
            quantity=_number(float(card.quantity), as_text == 1),
            unit=card.measure,
            acquiredOn=_day(card.acquired, as_text == 2),
            acquisition=card.acquisition,
            value=_present(
                original=_money(card.original, as_text > 0),
                depreciation=_money(card.depreciation, as_text == 2),
                net=_money(card.net, as_text > 0),
                type=card.value_type,
            ),
            lifeMonths=_number(product.life_months, as_text == 2),
            massKg=_number(float(product.mass_kg), as_text == 1),
        )


def write_line(file: TextIO, record: _Json) -> None:
    file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def _present(**fields: Any) -> _Json:
    return {name: value for name, value in fields.items() if value is not None}


def _number(value: float, as_text: bool) -> float | str:
    return format(Decimal(repr(value)).normalize(), "f") if as_text else value


def _money(fen: int, as_text: bool) -> float | str:
    return money_text(fen) if as_text else fen / 100


def _day(day: date | None, as_text: bool) -> str | _Json | None:
    if day is None:
        return None
    return day.isoformat() if as_text else _instant(datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI))


def _instant(moment: datetime) -> _Json:
    return {"$date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
