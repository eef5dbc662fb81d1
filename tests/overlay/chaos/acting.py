"""Acts as data: what each is made of. An act says when it is possible and which commands it gives.

Both ways of running take every act from `tests.overlay.chaos.acts`. An act names all lines and quantities itself, so
that what a command meant does not depend on when it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, TypeVar

from contract.identity import Identity
from overlay.orders.model import Command, Flow, Line, Order, State

__all__ = ["Act", "Call", "Chooser", "Item", "Left", "Lending", "Plan", "Scene", "whole_or_part"]

T = TypeVar("T")
Left = Callable[[Line], Decimal]


class Lending(StrEnum):
    """Commands that are about no order."""

    LEND_OFFICE = "LEND_OFFICE"


class Chooser:
    """Choices, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def pick(self, options: Sequence[T], weights: Sequence[int] | None = None) -> T:
        return self._random.choices(options, weights)[0]

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


@dataclass(frozen=True, slots=True)
class Call:
    by: Identity
    command: Command | Lending
    order_id: str | None
    body: Mapping[str, Any]
    key: str
    flow: Flow = Flow.LOAN
    """Of the order that it is about, or makes."""


@dataclass(frozen=True, slots=True)
class Plan:
    calls: Sequence[Call]
    together: bool = False
    """At the same time, not one after the other."""


@dataclass(frozen=True, slots=True)
class Item:
    """A card, as people see it."""

    id: str
    quantity: int
    region: str
    unit: str
    works: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What those who act see."""

    orders: Sequence[Order]
    items: Sequence[Item]
    today: date
    keys: Iterator[str]

    def those(self, flows: Sequence[Flow], states: Sequence[State]) -> list[Order]:
        return [order for order in self.orders if order.flow in flows and order.state in states]

    def call(self, by: Identity, command: Command | Lending, order: Order | None, **body: Any) -> Call:
        if order is None:
            return Call(by, command, None, body, next(self.keys))
        return Call(by, command, order.id, body, next(self.keys), order.flow)

    def application(self, by: Identity, flow: Flow, lines: Sequence[Mapping[str, Any]], **body: Any) -> Call:
        return Call(by, Command.APPLY, None, {"purpose": "会议", "lines": list(lines), **body}, next(self.keys), flow)


@dataclass(frozen=True, slots=True)
class Act:
    name: str
    plan: Callable[[Scene, Chooser, Sequence[Order]], Plan]
    flows: tuple[Flow, ...] = (Flow.LOAN,)
    states: tuple[State, ...] = ()
    """The states of orders that the act is about; none: it is about no order yet."""
    weight: int = 1
    where: Callable[[Order], bool] = field(default=lambda order: True)

    def orders(self, scene: Scene) -> list[Order]:
        return [order for order in scene.those(self.flows, self.states) if self.where(order)]

    def is_possible(self, scene: Scene) -> bool:
        return not self.states or bool(self.orders(scene))


def whole_or_part(choose: Chooser, lines: Sequence[Line], left: Left) -> list[dict[str, str]]:
    """All that is left of all lines, or a part of one."""
    there = [line for line in lines if left(line) > 0]
    if choose.pick([True, True, False]) or not there:
        return [{"lineId": line.id, "quantity": str(left(line))} for line in there]
    line = choose.pick(there)
    return [{"lineId": line.id, "quantity": str(choose.number(1, int(left(line))))}]
