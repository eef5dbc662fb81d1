"""Known faults, planted one by one: fuzzing that does not find them finds nothing.

Faults of planning change the plan, which is plain data; faults of execution put a wrong function in the place of a right
one for the time of a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from random import Random
from typing import Any
from unittest.mock import patch

from gateway.execution import executor, representations
from gateway.execution.merge import merge_entities
from gateway.execution.representations import Batch
from gateway.plan.nodes import (
    BatchPart,
    Condition,
    OutputField,
    QueryPlan,
    RequiredField,
    RequiredSelection,
)
from gateway.plan.nodes import Sequence as Series
from tests.fuzz.differential import Difference, PlanChange, Refused, run_case

__all__ = ["FAULTS", "Fault", "cases_until_found"]

Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class Fault:
    name: str
    plan: PlanChange | None = None
    planted: Callable[[], Any] | None = None
    swaps_labels: bool = False


# Planning


def everywhere(edit: Edit) -> PlanChange:
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


def drop_required(one: Any) -> Any:
    """Keys in the cases' schemas are `id`, `code`, `no`, `sort`, `spot`; all else is required."""
    if isinstance(one, RequiredSelection):
        kept = tuple(each for each in one.fields if each.name in ("id", "code", "no", "sort", "spot", "x", "y", "w"))
        return replace(one, fields=kept)
    return one


def read_another_field(one: Any) -> Any:
    return replace(one, source="__typename") if isinstance(one, RequiredField) and one.name == "id" else one


def turn_condition(one: Any) -> Any:
    return replace(one, if_true=one.if_false, if_false=one.if_true) if isinstance(one, Condition) else one


def forget_output_condition(one: Any) -> Any:
    return replace(one, conditions=()) if isinstance(one, OutputField) else one


def forget_types(one: Any) -> Any:
    return replace(one, types=None) if isinstance(one, OutputField) else one


def lose_alias(one: Any) -> Any:
    return replace(one, source=one.key) if isinstance(one, OutputField) else one


def lose_non_null(one: Any) -> Any:
    return replace(one, type=one.type.replace("!", "")) if isinstance(one, OutputField) else one


def drop_last_fetch(one: Any) -> Any:
    return replace(one, nodes=one.nodes[:-1]) if isinstance(one, Series) and len(one.nodes) > 1 else one


def turn_order(one: Any) -> Any:
    return replace(one, nodes=one.nodes[::-1]) if isinstance(one, Series) else one


def drop_last_path(one: Any) -> Any:
    return replace(one, paths=one.paths[:-1]) if isinstance(one, BatchPart) and len(one.paths) > 1 else one


def send_another_typename(one: Any) -> Any:
    return replace(one, send_typename="E0") if isinstance(one, RequiredSelection) and one.send_typename else one


# Execution


@contextmanager
def instead(module: Any, name: str, made: Any) -> Iterator[None]:
    with patch.object(module, name, made):
        yield


def swapped(objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any]) -> None:
    merge_entities(objects, owners, list(entities)[::-1])


def by_place(objects: Sequence[dict[str, Any]], owners: Sequence[int], entities: Sequence[Any]) -> None:
    """As if no representation had been left out as a duplicate."""
    places = [place if place < len(entities) else -1 for place in range(len(owners))]
    merge_entities(objects, places, entities)


def shallow(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    target.update(source)


def without_first(objects: list[dict[str, Any]], builder: Any) -> Batch:
    return representations.build_batch(objects[1:], builder)


def nothing_told(*_: Any, **__: Any) -> None:
    return None


FAULTS = (
    Fault("a required field is not sent", everywhere(drop_required)),
    Fault("a key is read from another field", everywhere(read_another_field)),
    Fault("another type is sent", everywhere(send_another_typename)),
    Fault("a condition on a fetch is turned", everywhere(turn_condition)),
    Fault("a condition on a field is forgotten", everywhere(forget_output_condition)),
    Fault("a fragment's type is forgotten", everywhere(forget_types)),
    Fault("an alias is lost", everywhere(lose_alias)),
    Fault("null propagation is lost", everywhere(lose_non_null)),
    Fault("a fetch is left out", everywhere(drop_last_fetch)),
    Fault("fetches run in the wrong order", everywhere(turn_order)),
    Fault("a batch forgets a path", everywhere(drop_last_path)),
    Fault("a label counts for the other side", swaps_labels=True),
    Fault("entities are swapped", planted=lambda: instead(executor, "merge_entities", swapped)),
    Fault("duplicates are not given back", planted=lambda: instead(executor, "merge_entities", by_place)),
    Fault("data is put over data", planted=lambda: instead(executor, "merge_into", shallow)),
    Fault("the first object is left out", planted=lambda: instead(executor, "build_batch", without_first)),
    Fault("errors are swallowed", planted=lambda: instead(executor.Run, "tell", nothing_told)),
)


def cases_until_found(fault: Fault, most: int, seed: int = 0) -> int | None:
    """How many cases it took to find the fault; None: it was not found."""
    for count in range(most):
        try:
            if fault.planted is None:
                run_case(Random(seed + count), fault.plan, swap_labels=fault.swaps_labels)
            else:
                with fault.planted():
                    run_case(Random(seed + count))
        except Refused:
            continue
        except Difference:
            return count + 1
    return None
