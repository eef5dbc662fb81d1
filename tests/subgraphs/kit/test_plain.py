"""Fast completion gives exactly what graphql-core gives: over generated rows, right and wrong, and selections."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import gc
import inspect
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subgraphs.kit.plain import plain_field
from subgraphs.kit.served import ServedSchema, strawberry_config


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str | None


@strawberry.type
class Part(Named):
    number: int
    colour: Colour | None
    weight: float | None
    price: Decimal | None


def double(root: Any) -> int | None:
    value = root["size"] if isinstance(root, dict) else root.size
    return None if value is None else value * 2


@strawberry.type
class Thing(Named):
    id: strawberry.ID
    size: int | None
    ok: bool | None
    part: Part | None
    must_part: Part
    parts: list[Part]
    maybe_parts: list[Part | None] | None
    tags: list[str] | None
    grid: list[list[int]] | None
    named: Named | None
    double: int | None = plain_field(double)

    @strawberry.field
    async def slow(self, times: int = 1) -> str | None:
        await asyncio.sleep(0)
        name = self["name"] if isinstance(self, dict) else self.name
        if name == "bad":
            raise ValueError("bad name")
        return None if name is None else name * times

    @strawberry.field
    async def must_be_named(self) -> str:
        return self["name"] if isinstance(self, dict) else self.name  # type: ignore[return-value]


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing | None] | None:
        return self["things"]  # type: ignore[index,no-any-return]

    @strawberry.field
    def must_things(self) -> list[Thing]:
        return self["things"]  # type: ignore[index,no-any-return]

    @strawberry.field
    def thing(self) -> Thing | None:
        return self["things"][0] if self["things"] else None  # type: ignore[index,no-any-return]


SCHEMA = strawberry.Schema(Query, types=[Part, Thing], config=strawberry_config())
SERVED = ServedSchema(SCHEMA, SCHEMA.as_str())

# --- rows: mostly right, sometimes what no honest resolver would give ---------------------------------------------------

odd = st.sampled_from(
    [None, 7, -(2**40), "bad", True, 1.5, float("nan"), ValueError("as a value"), {}, [], (1,), object]
)
name = st.one_of(st.none(), st.text(max_size=4), st.just("bad"))


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 15).flatmap(lambda die: odd if die == 0 else strategy)


def as_rows_or_objects(cls: type, fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Rows as dicts, now and then without a key, or instances of Strawberry's class."""
    rows = st.fixed_dictionaries(fields)
    names = {field.name for field in dataclasses.fields(cls) if field.init}
    objects = rows.map(lambda row: cls(**{key: value for key, value in row.items() if key in names}))
    fewer = st.tuples(rows, st.sampled_from(sorted(fields))).map(lambda p: {k: v for k, v in p[0].items() if k != p[1]})
    return st.one_of(rows, rows, objects, fewer)


part = as_rows_or_objects(
    Part,
    {
        "name": mostly(name),
        "number": mostly(st.integers(-5, 5)),
        "colour": mostly(st.sampled_from([Colour.RED, Colour.BLUE, None])),
        "weight": mostly(st.one_of(st.none(), st.floats(-5, 5))),
        "price": mostly(st.one_of(st.none(), st.decimals(-5, 5, places=2))),
    },
)
thing = as_rows_or_objects(
    Thing,
    {
        "name": mostly(name),
        "id": mostly(st.text(max_size=3)),
        "size": mostly(st.one_of(st.none(), st.integers(-5, 5))),
        "ok": mostly(st.booleans()),
        "part": st.one_of(st.none(), part),
        "must_part": mostly(part),
        "parts": mostly(st.lists(st.one_of(part, part, st.none()), max_size=2)),
        "maybe_parts": st.one_of(st.none(), st.lists(st.one_of(st.none(), part), max_size=2)),
        "tags": mostly(st.one_of(st.none(), st.lists(mostly(st.text(max_size=2)), max_size=2))),
        "grid": mostly(st.lists(st.lists(mostly(st.integers(0, 9)), max_size=2), max_size=2)),
        "named": st.one_of(st.none(), part),
    },
)
things = st.one_of(st.lists(thing, max_size=3), st.lists(st.one_of(st.none(), thing, odd), max_size=3), odd)

# --- selections -------------------------------------------------------------------------------------------------------

condition = st.sampled_from(
    ["", "", "", " @skip(if: $no)", " @include(if: $yes)", " @skip(if: true)", " @include(if: $no)"]
)
alias = st.sampled_from(["", "", "a: ", "b: "])


def fields(leaves: list[str], nested: list[str]) -> st.SearchStrategy[str]:
    """A selection set; aliases are made unique, since fields of one key must merge."""
    leaf = st.tuples(st.sampled_from(leaves), condition).map(lambda p: p[0] + p[1])
    return st.lists(leaf, min_size=1, max_size=6).flatmap(
        lambda chosen: (
            st.lists(st.sampled_from(nested), max_size=3).map(lambda more: " ".join([*chosen, *more]))
            if nested
            else st.just(" ".join(chosen))
        )
    )


part_fields = fields(
    ["__typename", "name", "number", "n2: number", "colour", "weight", "price"], ["... P", "... on Named { name }"]
)
NESTED = ["part", "mustPart", "parts", "maybeParts", "named"]


@st.composite
def selections(draw: st.DrawFn) -> str:
    leaves = ["__typename", "id", "name", "alias: name", "size", "ok", "tags", "grid", "double"]
    special = draw(
        st.lists(
            st.sampled_from(["slow", "slow2: slow(times: 2)", "mustBeNamed", "slow3: slow(times: $times)"]), max_size=2
        )
    )
    chosen = draw(fields(leaves, ["... T", "... on Named { name }", "... on Thing { size }"]))
    below = []
    for field in draw(st.lists(st.sampled_from(NESTED), max_size=3, unique=True)):
        selected = "name ... on Part { number }" if field == "named" else draw(part_fields)
        below.append(f"{field}{draw(condition)} {{ {selected} }}")
    return " ".join([chosen, *special, *below])


def settle(result: Any) -> ExecutionResult:
    async def wait() -> ExecutionResult:
        return await result

    return asyncio.run(wait()) if inspect.isawaitable(result) else result


def comparable(result: ExecutionResult) -> Any:
    errors = [(e.message, e.path, [str(p) for p in e.locations or ()]) for e in result.errors or ()]
    return repr(result.data), errors


HARMLESS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@pytest.fixture
def no_litter() -> Iterator[None]:
    """graphql-core leaves the coroutines of siblings when a required field beside them fails at once."""
    yield
    gc.collect()


@pytest.mark.usefixtures("no_litter")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=300, deadline=None, suppress_health_check=HARMLESS)
@given(rows=things, root=st.sampled_from(["things", "mustThings", "thing"]), selected=selections(), yes=st.booleans())
def test_projection_equals_field_by_field_execution(rows: Any, root: str, selected: str, yes: bool) -> None:
    text = f"""query ($yes: Boolean!, $no: Boolean!, $times: Int!) {{
          {root} {{ {selected} }}
          unused: thing @skip(if: true) {{ ... T slow(times: $times) @skip(if: $no) }}
        }}
        fragment T on Thing {{ id double part {{ number ... P }} }}
        fragment P on Part {{ number @include(if: $yes) name }}"""
    document = SERVED.documents.get(text)
    if root == "thing" and not isinstance(rows, list):
        rows = [rows]
    variables = {"yes": yes, "no": not yes, "times": 3}
    for conditions in (variables, {**variables, "yes": not yes, "no": yes}):
        ours = settle(SERVED.execute(document, None, conditions, None, {"things": rows}))
        theirs = settle(
            execute(SERVED.schema, document.node, {"things": rows}, None, conditions, None, type_resolver=_type_of)
        )
        assert comparable(ours) == comparable(theirs)


def _type_of(value: Any, _info: Any, _type: Any) -> Any:
    return None if not isinstance(value, Part | Thing) else type(value).__name__


def test_plain_rows_are_projected_and_not_completed_one_by_one() -> None:
    """The fast path is taken: a resolver's info is never built for plain fields."""
    document = SERVED.documents.get("{ things { id name part { number } } }")
    row = {"id": "1", "name": "x", "part": {"number": 3, "name": None}}
    result = settle(SERVED.execute(document, None, None, None, {"things": [row] * 2}))
    assert result.errors is None
    assert result.data == {"things": [{"id": "1", "name": "x", "part": {"number": 3}}] * 2}
    (thing_projector,) = [p for p in document.projectors.values() if p.type.name == "Thing"]
    assert [field.key for field in thing_projector.plain] == ["id", "name", "part"]
    assert thing_projector.special == {}
