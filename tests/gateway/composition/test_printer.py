"""What composition has merged is what the printed file loads to: nothing is lost on the way through the text."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from graphql import print_ast

from gateway.composition import SubgraphSource, load_supergraph_config
from gateway.composition.composer import STAGES, Draft
from gateway.composition.merge import Merged
from gateway.composition.merge.model import MergedField, MergedType, MergedValue
from gateway.composition.subgraph import TypeKind
from gateway.supergraph.model import Supergraph
from tests.fuzz.written import generate
from tests.gateway.composition.test_city import SCHEMA
from tests.gateway.planning.support.compose import sources
from tests.gateway.planning.support.schemas import SCHEMAS

SEEDS = 30
CORPUS = {
    **{name: sources(subgraphs) for name, subgraphs in SCHEMAS.items()},
    "the city": load_supergraph_config(SCHEMA / "supergraph.yaml"),
}


def check(subgraphs: list[SubgraphSource]) -> None:
    draft = Draft(tuple(subgraphs))
    for stage in STAGES:
        stage(draft)
    assert draft.merged is not None and draft.supergraph is not None, draft.report.errors
    check_model(draft.merged, draft.supergraph)


def check_model(merged: Merged, found: Supergraph) -> None:
    assert tuple(found.graphs.values()) == merged.graphs
    assert set(found.type_joins) == set(merged.types)
    for name, type_ in merged.types.items():
        assert found.type_joins[name] == type_.joins
        check_type(type_, found.schema.type_map[name])
        check_parts(type_, found)
    members = [
        (type_.name, one) for type_ in merged.types.values() for one in (*type_.fields.values(), *type_.inputs.values())
    ]
    assert found.field_joins == {
        (type_name, one.name): one.joins for type_name, one in members if one.joins is not None
    }


def check_parts(type_: MergedType, found: Supergraph) -> None:
    def by_graph(pairs: tuple[tuple[str, str], ...]) -> dict[str, frozenset[str]]:
        return {graph: frozenset(part for at, part in pairs if at == graph) for graph, _ in pairs}

    assert found.implements.get(type_.name, {}) == by_graph(type_.implements)
    if type_.kind is TypeKind.UNION:
        assert found.union_members[type_.name] == by_graph(type_.members)
    if type_.kind is TypeKind.ENUM:
        values = tuple((graph, value.name) for value in type_.values.values() for graph in value.graphs)
        assert found.enum_values[type_.name] == by_graph(values)


def check_type(type_: MergedType, found: Any) -> None:
    assert (found.description or None) == type_.description
    assert [one.name for one in getattr(found, "interfaces", ())] == list(type_.interfaces)
    for name, field in type_.fields.items():
        check_field(field, found.fields[name])
    for name, value in type_.inputs.items():
        check_value(value, found.fields[name])
    for name, value in type_.values.items():
        assert (found.values[name].description, found.values[name].deprecation_reason) == (
            value.description,
            value.marks.deprecated,
        )


def check_field(field: MergedField, found: Any) -> None:
    assert (str(found.type), found.description, found.deprecation_reason) == (
        print_ast(field.type),
        field.description,
        field.marks.deprecated,
    )
    assert list(found.args) == list(field.arguments)
    for name, argument in field.arguments.items():
        check_value(argument, found.args[name])


def check_value(value: MergedValue, found: Any) -> None:
    assert (str(found.type), found.description, found.deprecation_reason) == (
        print_ast(value.type),
        value.description,
        value.marks.deprecated,
    )
    default = found.ast_node.default_value
    assert (default and print_ast(default)) == (value.default and print_ast(value.default))


@pytest.mark.parametrize("name", CORPUS)
def test_the_merged_types_are_what_is_loaded(name: str) -> None:
    check(CORPUS[name])


def test_of_random_schemas_too() -> None:
    for seed in range(SEEDS):
        generated = generate(Random(seed))
        if generated.is_safe:
            check(sources(generated.subgraphs))
