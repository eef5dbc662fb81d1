"""Known faults, planted one by one: fuzzing that does not find them finds nothing.

Faults of planning change the plan, which is plain data; where a fault is not in the plan's data, a wrong function stands
in the place of a right one while it is planted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from random import Random
from typing import Any
from unittest.mock import patch

from gateway.execution import entities, executor, merge, representations
from gateway.execution.merge import merge_entities
from gateway.execution.representations import Batch
from gateway.execution.run import Run
from gateway.language.errors import GatewayException
from gateway.plan.nodes import (
    BatchPart,
    Condition,
    OutputField,
    QueryPlan,
    RequiredField,
    RequiredSelection,
)
from gateway.plan.nodes import Sequence as Series
from gateway.planning.planner import Planner
from gateway.query_graph import build
from tests.fuzz.differential import Broken, Refused, compare
from tests.fuzz.runs import Made, made
from tests.gateway.planning.support.cases import Case, Change

__all__ = ["FAULTS", "Bench", "Fault", "everywhere", "instead"]

Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class Fault:
    name: str
    change: Change | None = None
    """Of each plan."""
    prepare: Callable[[Case], None] = lambda case: None
    """Of the case's gateway."""
    planted: Callable[[], Any] = nullcontext


# Planning


def everywhere(edit: Edit) -> Change:
    """A plan in which every node (and all data below) is what `edit` makes of it."""

    def changed(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return edit(replace(value, **{one.name: changed(getattr(value, one.name)) for one in fields(value)}))
        if isinstance(value, tuple):
            return tuple(changed(one) for one in value)
        return value

    def change(plan: QueryPlan) -> QueryPlan:
        made = changed(plan)
        assert isinstance(made, QueryPlan)
        return made

    return change


KEYS = frozenset({"id", "ks", "ka", "kb", "kt", "kv", "slug"})
"""Fields that are keys in the generated schemas."""


def drop_required(one: Any) -> Any:
    """All but keys is there because it is required."""
    if isinstance(one, RequiredSelection):
        return replace(one, fields=tuple(each for each in one.fields if each.name in KEYS))
    return one


def read_another_field(one: Any) -> Any:
    return replace(one, source="__typename") if isinstance(one, RequiredField) and one.name in KEYS else one


def send_another_type(one: Any) -> Any:
    return replace(one, send_typename="T0") if isinstance(one, RequiredSelection) and one.send_typename else one


def read_another_type(one: Any) -> Any:
    return replace(one, type_condition="T0") if isinstance(one, RequiredSelection) else one


def turn_condition(one: Any) -> Any:
    return replace(one, if_true=one.if_false, if_false=one.if_true) if isinstance(one, Condition) else one


def forget_condition(one: Any) -> Any:
    return replace(one, conditions=()) if isinstance(one, OutputField) else one


def forget_types(one: Any) -> Any:
    return replace(one, types=None) if isinstance(one, OutputField) else one


def forget_source(one: Any) -> Any:
    return replace(one, source=one.key) if isinstance(one, OutputField) else one


def lose_alias(one: Any) -> Any:
    return replace(one, key=one.source) if isinstance(one, OutputField) and one.meta is None else one


def lose_non_null(one: Any) -> Any:
    return replace(one, type=one.type.replace("!", "")) if isinstance(one, OutputField) else one


def drop_last_fetch(one: Any) -> Any:
    return replace(one, nodes=one.nodes[:-1]) if isinstance(one, Series) and len(one.nodes) > 1 else one


def turn_mutations(plan: QueryPlan) -> QueryPlan:
    if plan.operation_kind != "mutation" or not isinstance(plan.root, Series):
        return plan
    return replace(plan, root=replace(plan.root, nodes=plan.root.nodes[::-1]))


def drop_last_path(one: Any) -> Any:
    return replace(one, paths=one.paths[:-1]) if isinstance(one, BatchPart) and len(one.paths) > 1 else one


def turn_labels(case: Case) -> None:
    case.labels = frozenset({"l0", "l1"}) - case.labels


def believe_externals(case: Case) -> None:
    """As if whatever is external were provided everywhere."""

    def is_served(self: Any, join: Any, graph: str, type_name: str, name: str) -> bool:
        return not join.used_overridden

    with patch.object(build._Builder, "is_served", is_served):
        case.planner = Planner(case.supergraph)


# Execution


@contextmanager
def instead(modules: Any, name: str, made: Any) -> Iterator[None]:
    """`modules`: one, or all that use it."""
    with ExitStack() as planted:
        for module in modules if isinstance(modules, tuple) else (modules,):
            planted.enter_context(patch.object(module, name, made))
        yield


def swapped(objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any], *_: Any) -> None:
    merge_entities(objects, owners, list(entities)[::-1])


def by_place(objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any], *_: Any) -> None:
    """As if no representation had been left out as a duplicate."""
    merge_entities(objects, [place if place < len(entities) else -1 for place in range(len(owners))], entities)


def shifted(target: list[Any], source: list[Any], *_: Any) -> None:
    """Lists are merged off by one."""
    for index, value in enumerate(source[1:]):
        if isinstance(target[index], dict) and isinstance(value, dict):
            merge.merge_into(target[index], value)


def shallow(target: dict[str, Any], source: dict[str, Any], *_: Any) -> None:
    target.update(source)


def without_first(objects: list[dict[str, Any]], builder: Any) -> Batch:
    return representations.build_batch(objects[1:], builder)


def first_only(data: Any, paths: Any, batch: Any) -> Any:
    return {owner: places[:1] for owner, places in representations.all_places(data, paths, batch).items()}


def nothing_told(*_: Any, **__: Any) -> None:
    return None


FAULTS = (
    Fault("a required field is not sent", everywhere(drop_required)),
    Fault("a key is read from another field", everywhere(read_another_field)),
    Fault("another type is sent", everywhere(send_another_type)),
    Fault("objects of another type are taken", everywhere(read_another_type)),
    Fault("a condition on a fetch is turned", everywhere(turn_condition)),
    Fault("a condition on a field is forgotten", everywhere(forget_condition)),
    Fault("a fragment's type is forgotten", everywhere(forget_types)),
    Fault("an alias is lost", everywhere(lose_alias)),
    Fault("a key of the gateway's own is forgotten", everywhere(forget_source)),
    Fault("null propagation is lost", everywhere(lose_non_null)),
    Fault("a fetch is left out", everywhere(drop_last_fetch)),
    Fault("mutations run in the wrong order", turn_mutations),
    Fault("a batch forgets a path", everywhere(drop_last_path)),
    Fault("a label counts for the other side", prepare=turn_labels),
    Fault("provided is assumed where it is not", prepare=believe_externals),
    Fault("entities are swapped", planted=lambda: instead(executor, "merge_entities", swapped)),
    Fault("duplicates are not given back", planted=lambda: instead(executor, "merge_entities", by_place)),
    Fault("lists are merged off by one", planted=lambda: instead(merge, "_merge_lists", shifted)),
    Fault("data is put over data", planted=lambda: instead(executor, "merge_into", shallow)),
    Fault("the first object is left out", planted=lambda: instead(executor, "build_batch", without_first)),
    Fault(
        "an error is told at one place only", planted=lambda: instead((executor, entities), "all_places", first_only)
    ),
    Fault("errors are swallowed", planted=lambda: instead(Run, "tell", nothing_told)),
)


class Bench:
    """Cases that every fault is tried on."""

    def __init__(self, schemas: int, seed: int = 0) -> None:
        self._seeds = iter(range(seed, seed + schemas))
        self._made: list[Made] = []
        self.cases = 0

    def _samples(self) -> Iterator[Made]:
        """Those that were made for an earlier fault, then new ones."""
        yield from list(self._made)
        for seed in self._seeds:
            try:
                found = made(Random(seed))
            except (Refused, Broken):
                continue
            self._made.append(found)
            yield found

    def cases_until_found(self, fault: Fault) -> int | None:
        """How many cases it took to find the fault; None: it was not found."""
        self.cases = 0
        with asyncio.Runner() as run:
            for found in self._samples():
                case = found.case
                labels, planner = case.labels, case.planner
                try:
                    if self._finds(fault, found, run):
                        return self.cases
                finally:
                    case.labels, case.planner, case.change = labels, planner, lambda plan: plan
                    case.renew()
        return None

    def _finds(self, fault: Fault, found: Made, run: asyncio.Runner) -> bool:
        found.case.renew()
        fault.prepare(found.case)
        if fault.change is not None:
            found.case.change = fault.change
        with fault.planted():
            for operation in found.operations:
                self.cases += 1
                try:
                    compare(found.case, operation, run)
                except (Broken, GatewayException):
                    return True
        return False
