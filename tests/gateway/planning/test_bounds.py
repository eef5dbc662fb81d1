"""Operations built to blow up planning: each named bound of `costs` refuses, or keeps the work small, as it says."""

from __future__ import annotations

import pytest

from gateway.language.errors import Code, PlanningRefused
from gateway.plan.nodes import BatchFetch, Flatten, Parallel, QueryPlan, Sequence
from gateway.planning import costs
from tests.gateway.planning.support.cases import Case

KEY = '@key(fields: "id")'
PAIR = {
    "a": f"type Query {{ p: P! }} type Mutation {{ m: P! }} type P {KEY} {{ id: ID! next: P! x: Int! }}",
    "b": f"type Mutation {{ n: P! }} type P {KEY} {{ id: ID! y: Int! z(n: Int): Int! }}",
}


def refusal(case: Case, operation: str) -> str:
    with pytest.raises(PlanningRefused) as refused:
        case.plan(operation)
    (error,) = refused.value.errors
    assert error.code == Code.QUERY_PLAN_COMPLEXITY_EXCEEDED
    return error.message


def doubling(levels: int) -> str:
    """Each fragment spreads the one before twice: 2^levels fields in a few lines."""
    fragments = ["fragment F0 on P { x y }"]
    fragments += [
        f"fragment F{n} on P {{ a{n}: next {{ ...F{n - 1} }} b{n}: next {{ ...F{n - 1} }} }}"
        for n in range(1, levels + 1)
    ]
    return f"{{ p {{ ...F{levels} }} }}\n" + "\n".join(fragments)


def test_fragments_that_double_are_refused_once_written_out() -> None:
    message = refusal(Case(PAIR), doubling(16))
    assert str(costs.EXPANDED_FIELDS_MAX) in message


def test_some_doubling_is_planned_in_few_requests() -> None:
    plan = Case(PAIR).plan(doubling(6))
    parts = sum(len(one.parts) for one in batches(plan))
    assert parts <= 2**6
    assert sum(len(part.paths) for one in batches(plan) for part in one.parts) == 2**6


def test_a_plan_of_too_many_fetches_is_refused() -> None:
    changes = " ".join(f"a{n}: m {{ id }} b{n}: n {{ id }}" for n in range(costs.FETCHES_MAX // 2 + 1))
    assert str(costs.FETCHES_MAX) in refusal(Case(PAIR), f"mutation {{ {changes} }}")


def test_one_key_switched_by_too_many_variables_is_refused() -> None:
    names = [f"v{n}" for n in range(costs.OUTPUT_VARIANTS_MAX + 1)]
    heads = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"p @include(if: ${name}) {{ x }}" for name in names)
    assert str(costs.OUTPUT_VARIANTS_MAX) in refusal(Case(PAIR), f"query ({heads}) {{ {fields} }}")


def test_a_batch_holds_so_many_parts_and_a_second_one_the_rest() -> None:
    count = costs.BATCH_PARTS_MAX + 4
    fields = " ".join(f"p{n}: p {{ z(n: {n}) }}" for n in range(count))
    found = batches(Case(PAIR).plan(f"{{ {fields} }}"))
    assert sorted(len(one.parts) for one in found) == [4, costs.BATCH_PARTS_MAX]


def many_homes(graphs: int) -> dict[str, str]:
    """Each field is served by two of many graphs, each with all keys: 2^graphs sets of graphs to choose from."""
    found = {"root": f"type Query {{ p: P! }} type P {KEY} {{ id: ID! }}"}
    for n in range(graphs):
        fields = f"f{n}: Int! @shareable f{(n + 1) % graphs}: Int! @shareable"
        found[f"g{n}"] = f"type P {KEY} {{ id: ID! {fields} }}"
    return found


@pytest.mark.parametrize("graphs", [costs.TARGETS_TRIED_TOGETHER_MAX - 1, 14])
def test_many_homes_of_each_field_are_weighed_within_the_budget(graphs: int) -> None:
    case = Case(many_homes(graphs))
    operation = "{ p { " + " ".join(f"f{n}" for n in range(graphs)) + " } }"
    plan = case.plan(operation)
    assert case.federated(plan, {}) == case.expected(operation, {})
    assert fetches(plan) <= 1 + graphs // 2 + 1


def deep_interfaces(types: int, graphs: int) -> dict[str, str]:
    """An interface of many types, each of whose fields another graph serves, linked to itself."""
    names = [f"T{n}" for n in range(types)]
    found = {
        "root": "type Query { n: N! } interface N { id: ID! next: N! }"
        + " ".join(f"type {name} implements N {KEY} {{ id: ID! next: N! }}" for name in names)
    }
    for n in range(graphs):
        keys = f'{KEY} @key(fields: "k{n}")'
        found[f"g{n}"] = " ".join(
            f"type {name} {keys} {{ id: ID! k{n}: ID! v{n}: Int! s: Int! @shareable }}" for name in names
        )
    return found


@pytest.mark.parametrize("depth", [4, 12])
def test_deep_interfaces_are_planned_or_refused_by_the_budget(depth: int) -> None:
    case = Case(deep_interfaces(types=12, graphs=6))
    leaves = " ".join(f"... on T{n} {{ v{n % 6} s }}" for n in range(12))
    operation = f"{leaves} id"
    for _ in range(depth):
        operation = f"next {{ {operation} }} {leaves}"
    try:
        plan = case.plan(f"{{ n {{ {operation} }} }}")
    except PlanningRefused as refused:
        code, found = refused.errors[0].code, 0
    else:
        code, found = None, fetches(plan)
    assert code in (None, Code.QUERY_PLAN_COMPLEXITY_EXCEEDED)
    assert found <= costs.FETCHES_MAX


# Looking at plans


def nodes(node: object) -> list[object]:
    match node:
        case Sequence(children) | Parallel(children):
            return [one for child in children for one in nodes(child)]
        case Flatten():
            return [node]
        case None:
            return []
        case _:
            return [node]


def batches(plan: QueryPlan) -> list[BatchFetch]:
    return [one for one in nodes(plan.root) if isinstance(one, BatchFetch)]


def fetches(plan: QueryPlan) -> int:
    return len(nodes(plan.root))
