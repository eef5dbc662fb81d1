"""Members and the rooms' subgraph, as their contract asks: a GraphQL request in, an answer out, from rows in memory.

A member's page is made with `contract.order` and `contract.cursors`, as every real member's is; what it must be equal
to (`store`) is made without. `Stub` is reached without a socket, by the bytes that would go over one; `http` serves
the same answers on a real one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute, parse

from contract.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor, shape_hash
from contract.decimals import format_decimal, parse_decimal
from contract.order import Direction, Kind
from gateway.execution.answers import Failure, Outcome, read_answer
from gateway.execution.clients import request_body
from gateway.execution.limits import Deadline
from gateway.language.errors import Code
from tests.gateway.support.serving import coded, executable
from tests.horizontal.contract import DEPOTS, GRADES, ROOMS
from tests.horizontal.rows import FIELDS, Filter, Order, Row

__all__ = ["Answering", "Depot", "Room", "Rooms", "Stub"]

Request: TypeAlias = Mapping[str, Any]
Answering: TypeAlias = Callable[[Request], dict[str, Any]]
"""A GraphQL server, reduced to what it is: request → answer."""

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1000
DOCUMENTS_KEPT = 2000
ASKED_KEPT = 100
_KINDS = {"NAME": Kind.TEXT, "PRICE": Kind.NUMBER, "COUNT": Kind.NUMBER, "MADE": Kind.TEXT, "SEEN": Kind.TEXT}


class Depot:
    """One member: its own rows, and what was asked of it."""

    def __init__(self, code: str, rows: Iterable[Row], page_size_max: int | None = None) -> None:
        """`page_size_max`: the member gives no more rows at once, whatever it is asked for."""
        self.code = code
        self.rows = list(rows)
        self.page_size_max = page_size_max
        self.moved: Counter[str] = Counter()
        """How often each lot was moved: a change must not be sent twice."""

    def __call__(self, request: Request) -> dict[str, Any]:
        return _run(_depot_schema(), self, request)

    # What resolvers read

    def lot(self, id_: str) -> dict[str, Any] | None:
        row = next((row for row in self.rows if row.id == id_), None)
        return None if row is None else _lot(row)

    def own(self) -> dict[str, Any]:
        return {"code": self.code, "lots": len(self.rows)}

    def move(self, id_: str) -> dict[str, Any]:
        self.moved[id_] += 1
        return {"moved": self.lot(id_) is not None}

    def source(self) -> dict[str, Any]:
        return {"region": self.code, "name": f"depot {self.code}", "status": "OK", "latencyMs": 1.0, "asOf": None}

    def connection(self, rows: Sequence[Row], arguments: Mapping[str, Any], made_under: Any) -> dict[str, Any]:
        """`made_under`: what the cursors belong to beside the order, such as the filter."""
        order: Order = tuple((one["field"], one["direction"]) for one in arguments.get("orderBy") or ())
        shape = shape_hash(order, made_under)
        every = sorted(((_cursor(row, order, shape), row) for row in rows), key=lambda pair: pair[0].key)
        after, before = (_bound(arguments.get(name), shape) for name in ("after", "before"))
        window = [
            (cursor, row)
            for cursor, row in every
            if (after is None or after.key < cursor.key) and (before is None or cursor.key < before.key)
        ]
        page, info = self._cut(window, arguments, bool(after), bool(before))
        cursors = [encode_cursor(cursor) for cursor, _ in page]
        ends = {"startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None}
        return {
            "nodes": [_lot(row) for _, row in page],
            "edges": [{"cursor": text, "node": _lot(row)} for text, (_, row) in zip(cursors, page, strict=True)],
            "pageInfo": {**info, **ends},
            "totalCount": len(rows),
            "totalIsExact": True,
            "facets": lambda _: _facets(rows),
            "sources": [self.source()],
        }

    def _cut(self, window: list[Any], arguments: Mapping[str, Any], after: bool, before: bool) -> tuple[list[Any], Any]:
        first, last = arguments.get("first"), arguments.get("last")
        backward = first is None and last is not None
        size = last if backward else first
        wanted = PAGE_SIZE_DEFAULT if size is None else size
        if wanted > PAGE_SIZE_MAX:
            raise coded(f"a page has at most {PAGE_SIZE_MAX} rows", "BAD_USER_INPUT")
        count = min(wanted, len(window), self.page_size_max or wanted)
        more = count < len(window)
        if backward:
            return window[len(window) - count :], {"hasNextPage": before, "hasPreviousPage": more}
        return window[:count], {"hasNextPage": more, "hasPreviousPage": after}

    def census(self, rows: Sequence[Row]) -> dict[str, Any]:
        prices, counts = _present(rows, "price"), _present(rows, "count")
        return {
            "lots": len(rows),
            "pieces": sum(counts),
            "worth": _sum(prices),
            "cheapest": min(prices, key=parse_decimal, default=None),
            "dearest": max(prices, key=parse_decimal, default=None),
            "fewest": min(counts, default=None),
            "most": max(counts, default=None),
            "oldest": min(_present(rows, "made"), default=None),
            "lastSeen": max(_present(rows, "seen"), default=None),
            "anyFine": any(row.grade == "FINE" for row in rows),
            "allPriced": len(prices) == len(rows),
            "isExact": True,
            "currency": "CNY",
            "byGrade": lambda _: _facets(rows),
            "sources": [self.source()],
        }

    def groups(self, *by: str) -> dict[tuple[Any, ...], list[Row]]:
        return _grouped(self.rows, *by)


def _lot(row: Row) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ("id", *FIELDS.values())}
    return {"__typename": "Lot", **values, "depot": {"code": row.depot}}


def _cursor(row: Row, order: Order, shape: str) -> Cursor:
    native_kind = Kind.NUMBER if isinstance(row.key, int) else Kind.TEXT
    return Cursor(
        shape=shape,
        kinds=tuple(_KINDS.get(field, Kind.RANK) for field, _ in order),
        directions=tuple(Direction(direction) for _, direction in order),
        values=tuple(_sort_value(row, field) for field, _ in order),
        region=row.depot,
        native=(row.key,),
        native_kinds=(native_kind,),
    )


def _sort_value(row: Row, field: str) -> str | int | None:
    value: str | int | None = getattr(row, FIELDS[field])
    if isinstance(value, str) and field == "PRICE":
        return format_decimal(parse_decimal(value))
    return GRADES.index(str(value)) if field == "GRADE" and value is not None else value


def _bound(text: str | None, shape: str) -> Cursor | None:
    if not text:
        return None
    try:
        return decode_cursor(text, shape)
    except InvalidCursor as error:
        raise coded(str(error), "BAD_USER_INPUT") from None


def _present(rows: Iterable[Row], name: str) -> list[Any]:
    return [getattr(row, name) for row in rows if getattr(row, name) is not None]


def _sum(prices: Iterable[str]) -> str:
    """Exact: the context's precision is not asked."""
    scaled = [Decimal(one).as_integer_ratio() for one in prices]
    digits = max((len(one.partition(".")[2]) for one in prices), default=0)
    total = sum(numerator * 10**digits // denominator for numerator, denominator in scaled)
    return format_decimal(Decimal(f"{total}E-{digits}"))


def _grouped(rows: Iterable[Row], *by: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(getattr(row, name) for name in by), []).append(row)
    return found


def _facets(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [
        {
            "grade": grade,
            "count": len(same),
            "worth": _sum(_present(same, "price")),
            "cheapest": min(_present(same, "price"), key=parse_decimal, default=None),
        }
        for (grade,), same in _grouped(rows, "grade").items()
    ]


def _filtered(rows: Iterable[Row], filter_: Filter | None) -> list[Row]:
    kept = list(rows)
    for name, wanted in (filter_ or {}).items():
        if name in ("depot", "id"):
            allowed = {wanted["eq"]} if wanted.get("eq") is not None else set(wanted.get("in") or ())
            kept = [row for row in kept if getattr(row, name) in allowed]
        elif name == "countMin":
            kept = [row for row in kept if row.count is not None and row.count >= wanted]
        elif name == "isPriced":
            kept = [row for row in kept if (row.price is not None) is wanted]
        else:
            kept = [row for row in kept if getattr(row, name) == wanted]
    return kept


def _lots(_: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    depot: Depot = info.context
    filter_ = arguments.get("filter")
    return depot.connection(_filtered(depot.rows, filter_), arguments, filter_)


def _under(depot: Depot, rule: Mapping[str, Any]) -> list[Row]:
    return [row for row in depot.rows if row.depot in rule["depots"] and rule["grade"] in (None, row.grade)]


def _room_lots(room: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    depot: Depot = info.context
    return depot.connection(_under(depot, room["rule"]), arguments, room["rule"])


def _names(_: Any, info: Any, codes: Any = None) -> list[dict[str, Any]]:
    return [
        {"name": name, "grade": grade, "lots": len(same), "most": max(_present(same, "count"), default=None)}
        for (name, grade), same in info.context.groups("name", "grade").items()
    ]


def _prices(_: Any, info: Any) -> list[dict[str, Any]]:
    """Equal prices are one group, in the spelling that this depot met first; another depot may have met another."""
    found: dict[Decimal | None, dict[str, Any]] = {}
    for row in info.context.rows:
        value = None if row.price is None else parse_decimal(row.price)
        found.setdefault(value, {"price": row.price, "lots": 0})["lots"] += 1
    return list(found.values())


@lru_cache(maxsize=1)
def _depot_schema() -> GraphQLSchema:
    schema = executable(
        DEPOTS,
        {
            "Query.lots": _lots,
            "Query.lot": lambda _, info, id: info.context.lot(id),
            "Query.depots": lambda _, info, codes=None: [info.context.own()],
            "Query.census": lambda _, info, codes=None: info.context.census(info.context.rows),
            "Query.names": _names,
            "Query.prices": _prices,
            "Query.motto": lambda _, info: "each lot in its depot",
            "Mutation.move": lambda _, info, input: info.context.move(input["lotId"]),
            "Lot.depot": lambda lot, info: info.context.own(),
            "Room.lots": _room_lots,
            "Room.census": lambda room, info: info.context.census(_under(info.context, room["rule"])),
            "Lot.__resolve": lambda depot, one: depot.lot(one["id"]),
            "Depot.__resolve": lambda depot, one: depot.own() if one["code"] == depot.code else None,
            "Room.__resolve": lambda depot, one: dict(one),
        },
    )
    _tell_types(schema)
    return schema


# Rooms


Room: TypeAlias = tuple[tuple[str, ...], str | None]
"""The rule of a room: the depots whose lots it shows, and the one grade that it shows of them."""


class Rooms:
    """The overlay: rooms by their place in a list, notes on lots, and the root field `node`."""

    def __init__(self, rooms: Sequence[Room] = ()) -> None:
        self.rooms = list(rooms)

    def __call__(self, request: Request) -> dict[str, Any]:
        return _run(_rooms_schema(), self, request)

    def room(self, id_: str) -> dict[str, Any]:
        place = int(id_.removeprefix("room:"))
        depots, grade = self.rooms[place]
        rule = {"depots": list(depots), "grade": grade}
        following = f"room:{(place + 1) % len(self.rooms)}"
        return {
            "__typename": "Room",
            "id": id_,
            "label": f"room {place}",
            "rule": rule,
            "next": lambda _: self.room(following),
        }

    def all(self) -> list[dict[str, Any]]:
        return [self.room(f"room:{place}") for place in range(len(self.rooms))]

    def node(self, id_: str) -> dict[str, Any] | None:
        match id_.partition(":")[0]:
            case "lot":
                return _noted(id_)
            case "room":
                return self.room(id_)
            case _:
                return None


def _noted(id_: str) -> dict[str, Any]:
    return {"__typename": "Lot", "id": id_, "note": f"noted: {id_}"}


@lru_cache(maxsize=1)
def _rooms_schema() -> GraphQLSchema:
    schema = executable(
        ROOMS,
        {
            "Query.rooms": lambda _, info: info.context.all(),
            "Query.room": lambda _, info, id: info.context.room(id),
            "Query.noted": lambda _, info, ids: [_noted(one) for one in ids],
            "Query.node": lambda _, info, id: info.context.node(id),
            "Lot.__resolve": lambda rooms, one: _noted(one["id"]),
            "Room.__resolve": lambda rooms, one: rooms.room(one["id"]),
        },
    )
    _tell_types(schema)
    return schema


def _tell_types(schema: GraphQLSchema) -> None:
    schema.type_map["Node"].resolve_type = lambda value, info, interface: value["__typename"]  # type: ignore[attr-defined]


# Running


@lru_cache(maxsize=DOCUMENTS_KEPT)
def _document(text: str) -> DocumentNode:
    return parse(text, no_location=True)


def _run(schema: GraphQLSchema, server: Any, request: Request) -> dict[str, Any]:
    result = execute(schema, _document(request["query"]), server, server, request.get("variables"))
    assert isinstance(result, ExecutionResult)
    written: dict[str, Any] = {"data": result.data}
    if result.errors:
        written["errors"] = [error.formatted for error in result.errors]
    return written


class Stub:
    """A `SubgraphClient` without a socket: what it sends and receives is bytes all the same."""

    def __init__(self, server: Answering) -> None:
        self.server = server
        self.is_down = False
        self.asked: deque[dict[str, Any]] = deque(maxlen=ASKED_KEPT)

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        request = orjson.loads(request_body(operation, variables))
        self.asked.append(request)
        if self.is_down:
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it cannot be reached", was_sent=False)
        return read_answer(200, orjson.dumps(self.server(request)))

    async def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        yield Failure(Code.SUBGRAPH_UNAVAILABLE, "it has no subscriptions", was_sent=False)

    async def close(self) -> None:
        """Nothing is open."""
