"""What is selected is collected once for a document, but anew for other values of its condition variables."""

from __future__ import annotations

from typing import Any

import strawberry

from subgraphs.kit.selection import selection_of
from subgraphs.kit.served import ServedSchema, strawberry_config


@strawberry.type
class Part:
    name: str | None
    number: int | None


@strawberry.type
class Thing:
    id: str
    part: Part | None

    @strawberry.field
    async def seen(self, info: strawberry.Info) -> Part | None:
        info.context.append(sorted(selection_of(info).names))
        return None


@strawberry.type
class Query:
    @strawberry.field
    async def thing(self, info: strawberry.Info) -> Thing | None:
        selected = selection_of(info)
        below = selected.below("part")
        info.context.append(
            (sorted(selected.names), sorted(below.names), "part" in selected, bool(below.below("name")))
        )
        return {"id": "1"}  # type: ignore[return-value]


SDL = """
type Query { thing: Thing }
type Thing { id: String!, part: Part, seen: Part }
type Part { name: String, number: Int }
"""
SERVED = ServedSchema(strawberry.Schema(Query, config=strawberry_config()), SDL)


async def asked(query: str, variables: dict[str, Any] | None = None) -> list[Any]:
    found: list[Any] = []
    result = await SERVED.execute(SERVED.documents.get(query), None, variables, found)
    assert result.errors is None
    return found


async def test_fields_below_a_field_through_fragments_and_aliases() -> None:
    query = "{ thing { mine: id ...More part { name } } } fragment More on Thing { __typename part { n: number } }"
    assert await asked(query) == [(["__typename", "id", "part"], ["name", "number"], True, False)]


async def test_each_value_of_a_condition_variable_has_its_own() -> None:
    query = "query Q($deep: Boolean!) { thing { id part @include(if: $deep) { name } } }"
    for deep in (True, False, True):
        names = ["id", "part"] if deep else ["id"]
        assert await asked(query, {"deep": deep}) == [(names, ["name"] if deep else [], deep, False)]


async def test_each_field_of_a_document_has_its_own() -> None:
    (_, first, second) = await asked("{ thing { a: seen { name } b: seen { number } id } }")
    assert (first, second) == (["name"], ["number"])
