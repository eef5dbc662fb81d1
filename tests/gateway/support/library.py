"""A city's libraries: books spread over members, reviews in one subgraph, a reading room's news by subscription.

The members answer exactly as `contract` asks (canonical order, cursors as sort keys), each from its own rows. That
their answers together are those of one store, `tests/horizontal` shows for a contract with more in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from contract.cursors import Cursor, InvalidCursor, shape_hash
from contract.order import Direction, Kind, sort_key
from gateway.composition import SubgraphSource, compose
from gateway.execution.asgi import AsgiClient
from gateway.execution.members import Member, Members
from gateway.supergraph.load import load_supergraph
from gateway.supergraph.model import Supergraph
from tests.gateway.support.paging import page_of
from tests.gateway.support.serving import Faulty, SubgraphApp, coded, executable

LIBRARIES = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@inaccessible", "@shareable"])
  @link(url: "https://specs.gongwucang.dev/horizontal/v1.0", import: ["@partitioned", "@route", "@gather", "@fold", "Gather", "Fold"])

directive @partitioned(key: String!, segment: Int, whole: Boolean) on OBJECT
directive @route(argument: String!, idempotencyKey: String) on FIELD_DEFINITION
directive @gather(as: Gather!, by: [String!], order: String, prune: [String!], wish: String) on FIELD_DEFINITION
directive @fold(with: Fold!) on FIELD_DEFINITION
enum Gather { CONNECTION LIST GROUPS FOLD ONE SOURCES }
enum Fold { SUM MIN MAX ANY ALL FIRST }

scalar Decimal
scalar Date
scalar DateTime
scalar ShelfRule @inaccessible

type Branch @key(fields: "code") @partitioned(key: "code", whole: true) { code: ID! name: String! }
type Book @key(fields: "id") @partitioned(key: "id", segment: 1) {
  id: ID!
  title: String
  price: Decimal
  pages: Int
  secret: String
  branch: Branch!
}
type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type BookEdge { cursor: String! node: Book! }
type BookConnection {
  nodes: [Book!]!
  edges: [BookEdge!]!
  pageInfo: PageInfo!
  totalCount: Int! @fold(with: SUM)
  totalIsExact: Boolean! @fold(with: ALL)
  facets: [Facet!]! @gather(as: GROUPS, by: ["title"])
  sources: [Source!]! @gather(as: SOURCES)
}
type Facet { title: String count: Int! @fold(with: SUM) }
type PriceFacet { price: Decimal count: Int! @fold(with: SUM) }
enum Answers { ALL PARTIAL STALE }
enum SourceStatus { OK STALE UNAVAILABLE OUTDATED }
type Source { region: ID! name: String! status: SourceStatus! latencyMs: Float asOf: String }
type Stock {
  books: Int! @fold(with: SUM)
  worth: Decimal! @fold(with: SUM)
  cheapest: Decimal @fold(with: MIN)
  thickest: Int @fold(with: MAX)
  firstLentOn: Date @fold(with: MIN)
  lastLentAt: DateTime @fold(with: MAX)
  anyLent: Boolean! @fold(with: ANY)
  isExact: Boolean! @fold(with: ALL)
  currency: String @fold(with: FIRST)
  byTitle: [Facet!]! @gather(as: GROUPS, by: ["title"])
  byPrice: [PriceFacet!]! @gather(as: GROUPS, by: ["price"])
  newest(first: Int! = 2, after: String): BookConnection @gather(as: CONNECTION)
  sources: [Source!]! @gather(as: SOURCES)
}
type Shelf @key(fields: "id") {
  id: ID!
  rule: ShelfRule! @external
  books(orderBy: [BookOrder!], first: Int, after: String, partial: Answers): BookConnection
    @requires(fields: "rule") @gather(as: CONNECTION, order: "orderBy", prune: ["rule.regions"], wish: "partial")
  stock: Stock @requires(fields: "rule") @gather(as: FOLD, prune: ["rule.regions"])
}
input IdFilter { eq: ID in: [ID!] }
input BookFilter { branch: IdFilter id: IdFilter title: String }
enum BookOrderField { TITLE PRICE PAGES }
enum OrderDirection { ASC DESC }
input BookOrder { field: BookOrderField! direction: OrderDirection! = ASC }
type LendPayload { ok: Boolean! }
input LendInput { bookId: ID! idempotencyKey: ID }
type Query {
  books(
    filter: BookFilter, orderBy: [BookOrder!], first: Int, after: String, last: Int, before: String, partial: Answers
  ): BookConnection
    @gather(
      as: CONNECTION
      order: "orderBy"
      prune: ["filter.branch.eq", "filter.branch.in", "filter.id.eq", "filter.id.in"]
      wish: "partial"
    )
  book(id: ID!): Book @route(argument: "id")
  branches(codes: [ID!]): [Branch!] @gather(as: LIST, prune: ["codes"])
  stock(codes: [ID!], wish: String): Stock @gather(as: FOLD, prune: ["codes"], wish: "wish")
  rules: String @gather(as: ONE)
}
type Mutation { lend(input: LendInput!): LendPayload @route(argument: "input.bookId", idempotencyKey: "input.idempotencyKey") }
"""

REVIEWS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible", "@shareable"])
scalar ShelfRule @inaccessible
enum Mood { GLAD SAD SECRET @inaccessible }
interface Note { id: ID! text: String }
type Praise implements Note { id: ID! text: String stars: Int! }
type Blame implements Note { id: ID! text: String reason: String! }
type Book @key(fields: "id") { id: ID! reviews: [Review!] rating: Float mood: Mood notes: [Note!] }
type Review { text: String! stars: Int! book: Book! }
type Shelf @key(fields: "id") { id: ID! label: String rule: ShelfRule! @inaccessible }
type Loan { at: Int! book: Book! }
type Query { shelf(id: ID!): Shelf shelves(ids: [ID!]!): [Shelf!]! reviews: [Review!] mustHave: Review! anything: String }
type Mutation { review(bookId: ID!, text: String!): Review }
type Subscription { loans(count: Int): Loan! }
"""

NAMES = {"n": ("北馆", "North"), "s": ("南馆", "South"), "e": ("东馆", "East"), "w": ("西馆", "West")}
LENT = {
    "n": ("2025-11-02", "2026-01-01T00:00:00Z"),
    "s": ("2025-02-11", "2025-12-31T23:59:59Z"),
    "e": (None, None),
    "w": ("2025-02-09", "2025-03-01T12:00:00Z"),
}
ORDER = {"TITLE": ("title", Kind.TEXT), "PRICE": ("price", Kind.NUMBER), "PAGES": ("pages", Kind.NUMBER)}


@dataclass(frozen=True)
class Row:
    branch: str
    key: int
    title: str | None
    price: str | None
    pages: int | None

    @property
    def id(self) -> str:
        return f"book:{self.branch}:{self.key}"

    def cursor(self, order: Sequence[tuple[str, str]], shape: str) -> Cursor:
        values = tuple(getattr(self, ORDER[name][0]) for name, _ in order)
        return Cursor(
            shape=shape,
            kinds=tuple(ORDER[name][1] for name, _ in order),
            directions=tuple(Direction(direction) for _, direction in order),
            values=values,
            region=self.branch,
            native=(self.key,),
            native_kinds=(Kind.NUMBER,),
        )

    def book(self) -> dict[str, Any]:
        branch = {"code": self.branch, "name": NAMES[self.branch][0]}
        return {"id": self.id, "title": self.title, "price": self.price, "pages": self.pages, "branch": branch}


def sort_rows(rows: Iterable[Row], order: Sequence[tuple[str, str]]) -> list[Row]:
    def key(row: Row) -> Any:
        cursor = row.cursor(order, "")
        return sort_key(cursor.values, cursor.kinds, cursor.directions, row.branch, cursor.native, cursor.native_kinds)

    return sorted(rows, key=key)


def member_connection(rows: Sequence[Row], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a store answers for its rows: also what one store with all rows would answer."""
    order = [(one["field"], one.get("direction", "ASC")) for one in arguments.get("orderBy") or []]
    shape = shape_hash(order, arguments.get("filter"))
    wanted = [row for row in sort_rows(rows, order) if _matches(row, arguments.get("filter") or {})]
    if (arguments.get("first") or 0) > 500:
        raise coded("first is at most 500", "BAD_USER_INPUT")
    try:
        page = page_of(((row.cursor(order, shape), row) for row in wanted), shape, arguments)
    except InvalidCursor as error:
        raise coded(str(error), "BAD_USER_INPUT") from None
    counts: dict[str | None, int] = {}
    for row in wanted:
        counts[row.title] = counts.get(row.title, 0) + 1
    return {
        "nodes": [row.book() for row in page.rows],
        "edges": [{"cursor": cursor, "node": row.book()} for cursor, row in zip(page.cursors, page.rows, strict=True)],
        "pageInfo": page.info,
        "totalCount": len(wanted),
        "totalIsExact": True,
        "facets": [{"title": title, "count": count} for title, count in counts.items()],
    }


def _matches(row: Row, filter_: Mapping[str, Any]) -> bool:
    branch, id_ = filter_.get("branch") or {}, filter_.get("id") or {}
    return (
        (branch.get("eq") is None or row.branch == branch["eq"])
        and (branch.get("in") is None or row.branch in branch["in"])
        and (id_.get("eq") is None or row.id == id_["eq"])
        and (id_.get("in") is None or row.id in id_["in"])
        and (filter_.get("title") is None or row.title == filter_["title"])
    )


class MemberData:
    """What one member's resolvers read (the root value of its executions)."""

    def __init__(self, branch: str, rows: Sequence[Row]) -> None:
        self.branch = branch
        self.rows = rows
        self.by_id = {row.id: row for row in rows}

    @property
    def source(self) -> dict[str, Any]:
        name = NAMES[self.branch][0]
        return {"region": self.branch, "name": name, "status": "OK", "latencyMs": 1.0, "asOf": "2026-01-01"}

    def book(self, id: str) -> dict[str, Any] | None:
        return self.by_id[id].book() if id in self.by_id else None

    def connection(self, **arguments: Any) -> dict[str, Any]:
        return {**member_connection(self.rows, arguments), "sources": [self.source]}

    def stock(self) -> dict[str, Any]:
        prices = [row.price for row in self.rows if row.price is not None]
        return {
            "books": len(self.rows),
            "worth": str(sum((Decimal(one) for one in prices), Decimal("0.00"))),
            "cheapest": min(prices, key=Decimal, default=None),
            "thickest": max((row.pages for row in self.rows if row.pages is not None), default=None),
            "firstLentOn": LENT[self.branch][0],
            "lastLentAt": LENT[self.branch][1],
            "anyLent": self.branch == "s",
            "isExact": True,
            "currency": "CNY",
            "byPrice": [{"price": price, "count": 1} for price in prices],
            "byTitle": member_connection(self.rows, {})["facets"],
            "sources": [self.source],
        }

    def own_branch(self) -> dict[str, Any]:
        return {"code": self.branch, "name": NAMES[self.branch][0]}


def _connection(parent: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = info.root_value.connection(**arguments)
    return found


def _shelved(shelf: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = info.root_value.connection(filter={"title": shelf["rule"]["title"]}, **arguments)
    return found


def _secret(book: Any, info: Any) -> str:
    raise coded("not for you", "FORBIDDEN")


@lru_cache(maxsize=32)
def member_schema(sdl: str = LIBRARIES) -> Any:
    """`sdl`: of a member of another age, perhaps."""
    return executable(
        sdl,
        {
            "Query.books": _connection,
            "Query.book": lambda root, info, id: root.book(id),
            "Query.branches": lambda root, info, codes=None: [root.own_branch()],
            "Query.stock": lambda root, info, codes=None, wish=None: root.stock(),
            "Query.rules": lambda root, info: f"as {root.branch} says",
            "Mutation.lend": lambda root, info, input: {"ok": input["bookId"] in root.by_id},
            "Stock.newest": _connection,
            "Book.secret": _secret,
            "Shelf.books": _shelved,
            "Shelf.stock": lambda shelf, info: info.root_value.stock(),
            "Book.__resolve": lambda root, one: root.book(one["id"]),
            "Branch.__resolve": lambda root, one: root.own_branch() if one["code"] == root.branch else None,
            "Shelf.__resolve": lambda root, one: dict(one),
        },
    )


class ReviewsData:
    def __init__(self, rows: Sequence[Row], loans: asyncio.Queue[int]) -> None:
        self.rows = rows
        self.loans = loans
        self.ids = {row.id for row in rows}

    def book(self, one: Mapping[str, Any]) -> dict[str, Any] | None:
        if one["id"] not in self.ids:
            return None
        return {
            "id": one["id"],
            "rating": 4.5,
            "mood": "SECRET" if one["id"].endswith(":1") else "GLAD",
            "reviews": [{"text": f"of {one['id']}", "stars": len(one["id"]) % 5 + 1, "book": {"id": one["id"]}}],
            "notes": [{"__typename": "Praise", "id": "p", "text": "good", "stars": 5}],
        }

    def shelf(self, id: str) -> dict[str, Any]:
        """A shelf's id names the branches it spans, and the one title that it holds, if it is one: `n+s`, `n+s:Anna`."""
        branches, _, title = id.partition(":")
        return {"id": id, "label": f"shelf {id}", "rule": {"regions": branches.split("+"), "title": title or None}}

    async def stream(self, count: int | None) -> AsyncIterator[Any]:
        sent = 0
        while count is None or sent < count:
            key = await self.loans.get()
            yield {"at": key, "book": self.book({"id": self.rows[key % len(self.rows)].id})}
            sent += 1


@lru_cache(maxsize=1)
def reviews_schema() -> Any:
    schema = executable(
        REVIEWS,
        {
            "Query.shelf": lambda root, info, id: root.shelf(id),
            "Query.shelves": lambda root, info, ids: [root.shelf(id) for id in ids],
            "Query.reviews": lambda root, info: [
                {"text": "fine", "stars": 3, "book": {"id": row.id}} for row in root.rows[:3]
            ],
            "Query.mustHave": lambda root, info: {"text": "always", "stars": 5, "book": {"id": root.rows[0].id}},
            "Query.anything": lambda root, info: "a thing",
            "Mutation.review": lambda root, info, bookId, text: {"text": text, "stars": 1, "book": {"id": bookId}},
            "Subscription.loans": lambda root, info, count=None: root.stream(count),
            "Book.__resolve": lambda root, one: root.book(one),
            "Shelf.__resolve": lambda root, one: root.shelf(one["id"]),
        },
    )
    schema.type_map["Note"].resolve_type = lambda value, info, interface: value["__typename"]
    return schema


@lru_cache(maxsize=1)
def supergraph_sdl() -> str:
    composed = compose(
        [
            SubgraphSource("libraries", "http://libraries/graphql", LIBRARIES),
            SubgraphSource("reviews", "http://reviews/graphql", REVIEWS),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return composed.supergraph_sdl


@lru_cache(maxsize=1)
def supergraph() -> Supergraph:
    return load_supergraph(supergraph_sdl())


ROWS = tuple(
    Row(branch, key, title, price, pages)
    for branch, key, title, price, pages in [
        ("e", 1, "Dream", "10.00", 300),
        ("e", 2, "Anna", "7.50", None),
        ("n", 1, "Journey", "12.30", 900),
        ("n", 2, "Anna", None, 864),
        ("n", 3, None, "0.10", 12),
        ("s", 1, "Margin", "99.99", 1200),
        ("s", 2, "Dream", "10.00", 300),
        ("w", 1, "Outlaws", "8.00", 700),
    ]
)


@dataclass
class Library:
    """The whole library city, in memory: members and reviews as real ASGI applications behind in-process clients."""

    rows: Sequence[Row] = ROWS
    required: Iterable[str] = ()
    loans: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.supergraph = supergraph()
        self.members = {branch: Faulty(SubgraphApp(member_schema(), self._data(branch))) for branch in NAMES}
        self.reviews = Faulty(SubgraphApp(reviews_schema(), ReviewsData(self.rows, self.loans)))
        self.group = Members(
            Member(
                branch,
                NAMES[branch][0],
                AsgiClient(app),
                name_en=NAMES[branch][1],
                aliases=["old-" + branch],
                required=branch in self.required,
            )
            for branch, app in self.members.items()
        )
        self.clients = {"LIBRARIES": self.group, "REVIEWS": AsgiClient(self.reviews)}

    def _data(self, branch: str) -> MemberData:
        return MemberData(branch, [row for row in self.rows if row.branch == branch])

    def asked(self, branch: str) -> list[dict[str, Any]]:
        return self.members[branch].app.requests  # type: ignore[attr-defined,no-any-return]

    async def close(self) -> None:
        for member in self.group.now.all:
            await member.close()
        await self.clients["REVIEWS"].close()  # type: ignore[union-attr]

    async def __aenter__(self) -> Library:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
