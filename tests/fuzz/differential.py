"""One case: a split schema and an operation, answered by the gateway and by graphql-core on the schema before the split.

The data must be equal. Errors are compared by what they cost: the places in the answer that are null because of one.
graphql-core stops at the first failing field of an object that becomes null, while subgraphs, asked side by side, may
each report theirs; so an error's own path is not the measure, but where its null came to stand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import lexicographic_sort_schema, parse, print_schema, validate

from gateway.composition.composer import compose
from gateway.language.errors import GatewayError, PlanningRefused
from gateway.plan.text import print_plan
from tests.fuzz.written import Generated
from tests.gateway.planning.support.cases import Case
from tests.gateway.planning.support.compose import sources
from tests.gateway.planning.support.operations import random_operation

__all__ = [
    "Broken",
    "Compared",
    "Operation",
    "Refused",
    "Sample",
    "as_markdown",
    "compare",
    "make_case",
    "operations_of",
]

VALID_TRIES = 4


@dataclass(frozen=True)
class Operation:
    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A case that can be run again."""

    subgraphs: Mapping[str, str]
    labels: frozenset[str]
    data: Any
    operation: Operation


class Refused(Exception):
    """Composition rightly takes no such split."""


class Broken(Exception):
    """The gateway and the oracle differ, or the gateway fails. The message says in what."""


@dataclass(frozen=True)
class Compared:
    """Both answers were the same."""

    features: frozenset[str]
    """What was at work."""


# Schemas


def make_case(generated: Generated) -> Case:
    """Raises `Refused` or `Broken`."""
    composition = compose(sources(generated.subgraphs))
    if composition.supergraph_sdl is None:
        codes = {one.code for one in composition.errors}
        if generated.is_safe or codes != {"SATISFIABILITY_ERROR"}:
            raise Broken("composition refuses:\n" + "\n".join(str(one) for one in composition.errors))
        raise Refused
    case = Case(generated.subgraphs, generated.labels, generated.data, generated.schema)
    ours, theirs = (print_schema(lexicographic_sort_schema(one)) for one in (case.supergraph.api_schema, case.whole))
    if ours != theirs:
        raise Broken(f"the API schema is not the whole:\n{ours}\n--- but was:\n{theirs}")
    return case


def operations_of(case: Case, random: Random, count: int) -> list[Operation]:
    """Valid ones."""
    found: list[Operation] = []
    for _ in range(count * VALID_TRIES):
        if len(found) == count:
            break
        is_change = case.whole.mutation_type is not None and random.randint(1, 4) == 1
        text, variables = random_operation(case.whole, random, "mutation" if is_change else "query")
        if not validate(case.whole, parse(text)):
            found.append(Operation(text, variables))
    return found


# Comparing


def compare(case: Case, operation: Operation, run: asyncio.Runner) -> Compared:
    """Raises `Broken`."""
    expected = case.single(operation.text, operation.variables)
    answered = run.run(case.ask(operation.text, operation.variables))
    if not answered.executed:
        raise Broken(f"refused: {_told(answered.errors)}")
    if case.complaints:
        raise Broken("a subgraph complains: " + "; ".join(case.complaints))
    if answered.data != expected.data:
        raise Broken(f"data differ:\n{answered.data}\n--- but should be:\n{expected.data}\n{_told(answered.errors)}")
    if _order(answered.data) != _order(expected.data):
        raise Broken(f"the order of keys differs:\n{answered.data}\n--- but should be:\n{expected.data}")
    ours = {null_of(answered.data, tuple(error.path or ())) for error in answered.errors}
    theirs = {null_of(expected.data, tuple(error.path or ())) for error in expected.errors or ()}
    if ours != theirs:
        raise Broken(f"errors stand at {ours}, but should at {theirs}\n{_told(answered.errors)}")
    return Compared(frozenset(case.uses | _features(operation, case, bool(theirs))))


def _features(operation: Operation, case: Case, had_errors: bool) -> set[str]:
    text = operation.text
    told = {
        "mutation": text.startswith("mutation"),
        "variables": "$v" in text,
        "conditions": "(if: $" in text,
        "named fragments": "fragment F" in text,
        "type conditions": "... on" in text,
        "errors and null propagation": had_errors,
        "batched entity fetch": any("_e0:" in one.operation for one in case.log),
        "entity fetch": any("_entities" in one.operation for one in case.log),
        "several graphs": len({one.graph for one in case.log}) > 1,
    }
    return {name for name, holds in told.items() if holds}


def null_of(data: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """The null that an error at `path` explains; None: nothing is null there."""
    for length, element in enumerate(path):
        if data is None:
            return path[:length]
        if isinstance(element, int):
            data = data[element] if isinstance(data, list) and element < len(data) else None
        else:
            data = data.get(element) if isinstance(data, dict) else None
    return path if data is None else None


def _order(data: Any) -> Any:
    if isinstance(data, dict):
        return [(name, _order(value)) for name, value in data.items()]
    return [_order(one) for one in data] if isinstance(data, list) else None


def _told(errors: tuple[GatewayError, ...]) -> str:
    return "\n".join(f"{one.code} {one.message} {one.path}" for one in errors)


def as_markdown(sample: Sample, title: str, reason: str) -> str:
    """The case as a golden plan."""
    blocks = [f"# {title}\n{reason}\n"]
    for name, sdl in sample.subgraphs.items():
        blocks.append(f"```graphql {name}\n{sdl.strip()}\n```\n")
    blocks.append(f"```graphql operation\n{sample.operation.text.strip()}\n```\n")
    if sample.operation.variables:
        blocks.append(f"```json variables\n{json.dumps(dict(sample.operation.variables))}\n```\n")
    options = {"labels": sorted(sample.labels)} if sample.labels else {}
    options |= sample.data.to_json()
    if options:
        blocks.append(f"```json options\n{json.dumps(options)}\n```\n")
    blocks.append(f"```plan\n{_plan(sample)}\n```\n")
    return "\n".join(blocks)


def _plan(sample: Sample) -> str:
    try:
        return print_plan(Case(sample.subgraphs, sample.labels, sample.data).plan(sample.operation.text))
    except PlanningRefused as refused:
        return str(refused)
    except Exception as fault:  # The case that is told is the one in which the planner breaks.
        return repr(fault)
