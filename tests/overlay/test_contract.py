"""The published contract is what is served, and what both subgraphs define is defined alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor

from overlay.app import overlay_schema

SCHEMA = Path(__file__).parents[2] / "schema"
OVERLAY = parse((SCHEMA / "overlay.graphql").read_text())
DISTRICT = parse((SCHEMA / "district.graphql").read_text())
SHARED_TYPES = {"PageInfo", "DateRange", "Problem", "Decimal", "Date", "DateTime", "AssetRule", "Node"}


def test_the_published_contract_is_served() -> None:
    assert overlay_schema().problems() == []


def named(document: object) -> dict[str, DefinitionNode]:
    return {node.name.value: node for node in document.definitions if getattr(node, "name", None)}  # type: ignore[attr-defined]


SHARED = sorted(
    name
    for name, node in named(OVERLAY).items()
    if name in named(DISTRICT)
    and (isinstance(node, InputObjectTypeDefinitionNode | EnumTypeDefinitionNode) or name in SHARED_TYPES)
)


@pytest.mark.parametrize("name", SHARED)
def test_what_both_define_is_equal(name: str) -> None:
    """Inputs merge by intersection and enums must agree: one word more on one side would be a word nobody can use."""
    assert print_ast(named(OVERLAY)[name]) == print_ast(named(DISTRICT)[name])


def test_the_filter_and_all_its_parts_are_shared() -> None:
    assert {"AssetFilter", "DateRangeInput", "ClassFilter", "AssetStatus", "PageInfo", "Problem"} <= set(SHARED)


def test_everything_is_described_in_chinese_and_english() -> None:
    missing: list[str] = []

    class Descriptions(Visitor):
        def enter(self, node: object, *_: object) -> None:
            kind = getattr(node, "kind", "")
            if not (
                kind.endswith("_type_definition")
                or kind in ("field_definition", "input_value_definition", "enum_value_definition")
            ):
                return
            name = node.name.value  # type: ignore[attr-defined]
            description = getattr(node, "description", None)
            text = description.value if description is not None else ""
            if name not in ("Query", "Mutation", "Subscription") and not re.search(
                r"[一-鿿].*。.*[A-Za-z].*\.$", text, re.DOTALL
            ):
                missing.append(name)

    visit(OVERLAY, Descriptions())
    assert missing == []


def fields_of(name: str) -> set[str]:
    return {field.name.value for field in named(DISTRICT)[name].fields}  # type: ignore[attr-defined]


def test_a_rule_may_speak_of_every_field_of_an_asset_but_these() -> None:
    """Personal data is never searched; a version, the time of reading and the card before or after say nothing of the
    asset itself."""
    of_another_name = {"legacyClass": "legacyClassCode", "issues": "hasIssues"}
    unspoken = {"keeper", "user", "version", "observedAt", "busy", "lineageId", "successorId", "predecessorId"}
    expected = {of_another_name.get(name, name) for name in fields_of("Asset") - unspoken}
    assert fields_of("AssetFilter") == expected | {"and", "or", "not", "text"}
