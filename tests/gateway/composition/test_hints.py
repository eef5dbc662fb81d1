"""What composition tells although the supergraph is right: one case for each hint, and silence where all agree."""

from __future__ import annotations

import pytest

from tests.gateway.composition.composing import composed

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@shareable", "@override", "@external", "@requires", "@cost"])\n'
)
P = 'type P @key(fields: "id") { id: ID x: Int '
QUERY = "type Query { p: P } "

CASES = {
    "INCONSISTENT_DESCRIPTION": (
        'type Query { "One." q: Int @shareable }',
        'type Query { "Another." q: Int @shareable }',
    ),
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": (
        "type Query { q: Int! @shareable }",
        "type Query { q: Int @shareable }",
    ),
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": (
        "type Query { q(x: Int!): Int @shareable }",
        "type Query { q(x: Int): Int @shareable }",
    ),
    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN": (
        "type Query { q: U @shareable } union U = V type V @shareable { x: Int }",
        "type Query { q: U @shareable } union U = V | W type V @shareable { x: Int } type W { x: Int }",
    ),
    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": (
        'type Query { q: Int @shareable @deprecated(reason: "old") }',
        'type Query { q: Int @shareable @deprecated(reason: "slow") }',
    ),
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": (
        "type Query { q: Int @shareable @cost(weight: 1) }",
        "type Query { q: Int @shareable @cost(weight: 2) }",
    ),
    "INCONSISTENT_ARGUMENT_PRESENCE": (
        "type Query { q(x: Int): Int @shareable }",
        "type Query { q: Int @shareable }",
    ),
    "INCONSISTENT_INPUT_OBJECT_FIELD": (
        "type Query { q(i: I): Int @shareable } input I { x: Int y: Int }",
        "type Query { q(i: I): Int @shareable } input I { x: Int }",
    ),
    "INCONSISTENT_DEFAULT_VALUE_PRESENCE": (
        "type Query { q(x: Int = 1): Int @shareable }",
        "type Query { q(x: Int): Int @shareable }",
    ),
    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM": (
        "type Query { q(e: E): Int @shareable } enum E { X Y }",
        "type Query { q(e: E): Int @shareable } enum E { X }",
    ),
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE": (
        "directive @shout on FIELD type Query { q: Int @shareable }",
        "type Query { q: Int @shareable }",
    ),
    "UNUSED_ENUM_TYPE": (
        "type Query { q: Int @shareable } enum E { X }",
        "type Query { q: Int @shareable }",
    ),
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": (
        QUERY + P + "}",
        P.replace("x: Int", 'x: Int @override(from: "a")') + "}",
    ),
    "OVERRIDE_MIGRATION_IN_PROGRESS": (
        QUERY + P + "}",
        P.replace("x: Int", 'x: Int @override(from: "a", label: "moved")') + "}",
    ),
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": (
        QUERY + P.replace("x: Int", 'x: Int @external y: Int @requires(fields: "x")') + "}",
        P.replace("x: Int", 'x: Int @override(from: "a")') + "}",
    ),
    "FROM_SUBGRAPH_DOES_NOT_EXIST": (
        QUERY + P + "}",
        P.replace("x: Int", 'z: Int @override(from: "gone")') + "}",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_it_is_told_and_nothing_else(code: str) -> None:
    a, b = CASES[code]
    found = composed(a=LINK + a, b=LINK + b)
    assert found.supergraph_sdl is not None, found.errors
    assert [one.code for one in found.hints] == [code]
    assert found.hints[0].subgraphs and found.hints[0].locations


@pytest.mark.parametrize("code", [code for code, (a, _) in CASES.items() if "@shareable" in a])
def test_who_agrees_hears_nothing(code: str) -> None:
    same = LINK + CASES[code][0]
    found = composed(a=same, b=same)
    assert found.supergraph_sdl is not None, found.errors
    assert [one.code for one in found.hints] == ([code] if code == "UNUSED_ENUM_TYPE" else [])
