"""The facts of assets as their owners tell them: what is asked for at the same time of one region is one question.

An application of twenty lines, or many applications at once, would otherwise be as many requests to the same district.
An asset by itself is asked for by its id; so is what a page does not show (a successor that its district has entered
under a key of its own is found by the old id too), and each of them where a question about several went wrong as a
whole, for one id that its region cannot read is no reason to know nothing of the others.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import orjson
import structlog
from aiodataloader import DataLoader

from contract.decimals import parse_decimal
from overlay.group.endpoint import GroupAnswer, codes_of

__all__ = ["AssetFacts", "Busy", "FactsReader", "Unavailable", "Window", "quantity_of"]

_log = structlog.get_logger(__name__)

_AT_ONCE_MAX = 50
_ALONE_AT_ONCE_MAX = 8
_WINDOWS_MAX = 4
"""Of one question: each asset is asked for all of them."""
_SILENT = ("UNAVAILABLE", "STALE")
"""States of a region that does not answer now."""
_FIELDS = (
    "id name quantity unitOfMeasure originalValue status condition specification shareable shareableUntil version "
    "lineageId acquiredOn usefulLifeMonths class { scheme code } owner { id uscc }"
)
_ONE = (
    f"query AssetFacts($id: ID!, $range0: DateRangeInput!) {{ asset(id: $id) {{ {_FIELDS} "
    "busy0: busy(range: $range0) { from to quantity } } }"
)

Window = tuple[date, date]
"""[from, to)."""
Execute = Callable[[str, Mapping[str, Any]], Awaitable[GroupAnswer]]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The owner's store did not answer a read."""

    reason: str


class Busy(NamedTuple):
    """A period [from, to) in which so many are taken."""

    from_day: date
    to_day: date
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class AssetFacts:
    id: str
    name: str | None
    quantity: Decimal
    unit_of_measure: str | None
    original_value: Decimal | None
    status: str | None
    shareable: bool
    shareable_until: date | None
    version: str
    busy: tuple[Busy, ...]
    owner_id: str | None
    owner_unit: str | None
    class_code: str | None
    """In the 2022 scheme; None where the card's class could not be translated."""
    lineage: str
    """What all cards of the same thing share."""
    condition: str | None
    acquired_on: date | None
    useful_life_months: int | None
    digest: str
    """Of what an approver decides on (name, class, specification, condition, value of one, owner). The version is not
    in it: it changes with every hold that is written back."""

    def free(self, window: Window) -> Decimal:
        """How many the calendar has throughout the window."""
        taken = [one.quantity for one in self.busy if one.from_day < window[1] and window[0] < one.to_day]
        return max(self.quantity - max(taken, default=Decimal(0)), Decimal(0))


class _Key(NamedTuple):
    asset_id: str
    window: Window

    @property
    def region(self) -> str:
        return self.asset_id.split(":")[1] if self.asset_id.count(":") == 2 else ""


_Found = AssetFacts | Unavailable | None


class FactsReader:
    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._gathering: dict[str, DataLoader[_Key, _Found | BaseException]] = {}
        """By region, what is about to be asked for. A region that does not answer keeps nobody else waiting."""

    async def load(self, asset_id: str, window: Window) -> _Found:
        """The asset's facts, busy within the window; None when its region knows no such asset."""
        key = _Key(asset_id, window)
        if key.region not in self._gathering:
            self._gathering[key.region] = DataLoader[_Key, _Found | BaseException](self._load, cache=False)
        found = await self._gathering[key.region].load(key)
        if isinstance(found, BaseException):
            raise found
        return found

    async def _load(self, keys: list[_Key]) -> list[_Found | BaseException]:
        self._gathering.pop(keys[0].region, None)  # a loader that gathered on meanwhile comes here twice
        found: dict[_Key, _Found] = {}
        try:
            for answers in await asyncio.gather(*map(self._ask, _questions(keys))):
                found.update(answers)
        except BaseException as end:  # whatever ends it, a loader would leave who waits for it waiting
            return [end] * len(keys)
        return [found[key] for key in keys]

    async def _ask(self, keys: Sequence[_Key]) -> Mapping[_Key, _Found]:
        answers = await self._ask_together(keys) if len(keys) > 1 else {}
        left, gate = [key for key in keys if key not in answers], asyncio.Semaphore(_ALONE_AT_ONCE_MAX)

        async def alone(key: _Key) -> _Found:
            async with gate:
                return await self._ask_one(key)

        return answers | dict(zip(left, await asyncio.gather(*map(alone, left)), strict=True))

    async def _ask_one(self, key: _Key) -> _Found:
        answer = await self._answer(_ONE, {"id": key.asset_id, "range0": _range(key.window)}, [key])
        if isinstance(answer, Unavailable):
            return answer
        row = (answer.get("data") or {}).get("asset")
        if row is not None:
            return _read(row, 0)
        return Unavailable(", ".join(codes_of(answer))) if answer.get("errors") else None

    async def _ask_together(self, keys: Sequence[_Key]) -> dict[_Key, _Found]:
        """What is absent has to be asked for by itself."""
        ids, windows = (
            list(dict.fromkeys(key.asset_id for key in keys)),
            list(dict.fromkeys(key.window for key in keys)),
        )
        ranges = {f"range{number}": _range(window) for number, window in enumerate(windows)}
        answer = await self._answer(_of_many(len(windows)), {"ids": ids, "first": len(ids), **ranges}, keys)
        if isinstance(answer, Unavailable):
            return dict.fromkeys(keys, answer)
        page = (answer.get("data") or {}).get("assets") or {"sources": ()}
        states = {source["region"]: source["status"] for source in page["sources"]}
        state = states.get(keys[0].region)
        if state in _SILENT:
            return dict.fromkeys(keys, Unavailable(state))
        if state != "OK" or answer.get("errors"):
            return {}
        rows = {row["id"]: row for row in page["nodes"]}
        return {key: _read(rows[key.asset_id], windows.index(key.window)) for key in keys if key.asset_id in rows}

    async def _answer(
        self, document: str, variables: Mapping[str, Any], keys: Sequence[_Key]
    ) -> GroupAnswer | Unavailable:
        try:
            return await self._execute(document, variables)
        except Exception as error:  # whatever the transport says, a read that failed is a region that did not answer
            _log.warning("asset_facts_failed", assets=[key.asset_id for key in keys], error=repr(error))
            return Unavailable(type(error).__name__)


def _questions(keys: Sequence[_Key]) -> Iterator[list[_Key]]:
    """Keys of one region, with so many assets and windows as one question bears; a key is asked for once."""
    windows: dict[Window, list[_Key]] = {}
    for key in dict.fromkeys(keys):
        windows.setdefault(key.window, []).append(key)
    lists = iter(windows.values())
    while together := list(islice(lists, _WINDOWS_MAX)):
        part = [key for one in together for key in one]
        for start in range(0, len(part), _AT_ONCE_MAX):
            yield part[start : start + _AT_ONCE_MAX]


@cache
def _of_many(windows: int) -> str:
    asked = "".join(f", $range{number}: DateRangeInput!" for number in range(windows))
    busy = " ".join(f"busy{number}: busy(range: $range{number}) {{ from to quantity }}" for number in range(windows))
    return (
        f"query FactsOfAssets($ids: [ID!]!, $first: Int!{asked}) {{ assets(filter: {{ id: {{ in: $ids }} }}, "
        f"first: $first) {{ nodes {{ {_FIELDS} {busy} }} sources {{ region status }} }} }}"
    )


def _range(window: Window) -> dict[str, str]:
    return {"from": window[0].isoformat(), "to": window[1].isoformat()}


def _read(row: Mapping[str, Any], window: int) -> AssetFacts | Unavailable:
    try:
        return _facts(row, window)
    except ValueError as error:  # what a store says wrongly of one asset is no reason to know nothing of the others
        _log.warning("asset_facts_unreadable", asset=row["id"], error=repr(error))
        return Unavailable(type(error).__name__)


def _facts(row: Mapping[str, Any], window: int) -> AssetFacts:
    owner = row.get("owner") or {}
    value = row.get("originalValue")
    quantity = quantity_of(row)
    decided_on = [row.get(name) for name in ("name", "class", "specification", "condition")]
    material = orjson.dumps([*decided_on, _value_of_one(value, quantity), owner.get("id")], option=orjson.OPT_SORT_KEYS)
    return AssetFacts(
        id=row["id"],
        name=row.get("name"),
        quantity=quantity,
        unit_of_measure=row.get("unitOfMeasure"),
        original_value=parse_decimal(value) if value is not None else None,
        status=row.get("status"),
        shareable=bool(row.get("shareable")),
        shareable_until=_day(row.get("shareableUntil")),
        version=str(row.get("version")),
        busy=tuple(
            Busy(date.fromisoformat(one["from"]), date.fromisoformat(one["to"]), parse_decimal(one["quantity"]))
            for one in row.get(f"busy{window}") or ()
        ),
        owner_id=owner.get("id"),
        owner_unit=owner.get("uscc"),
        class_code=(row.get("class") or {}).get("code"),
        lineage=row["lineageId"],
        condition=row.get("condition"),
        acquired_on=_day(row.get("acquiredOn")),
        useful_life_months=row.get("usefulLifeMonths"),
        digest=hashlib.sha256(material).hexdigest()[:32],
    )


def quantity_of(row: Mapping[str, Any]) -> Decimal:
    """One, where a card does not say."""
    return parse_decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1)


def _value_of_one(value: str | None, quantity: Decimal) -> str | None:
    """In whole yuan: goods that leave a batch for good take their share of its value with them, to the cent."""
    if value is None or quantity <= 0:
        return value
    return str((parse_decimal(value) / quantity).quantize(Decimal(1)))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
