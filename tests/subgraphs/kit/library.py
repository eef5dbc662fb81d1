"""A small subgraph for tests: authors, books, a subscription; served on a free port by uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import strawberry
import uvicorn
from starlette.types import ASGIApp

from subgraphs.kit.app import SubgraphOptions, create_subgraph_app
from subgraphs.kit.entities import Representation
from subgraphs.kit.errors import CodedError, Forbidden
from subgraphs.kit.selection import Selection
from subgraphs.kit.served import ServedSchema, strawberry_config

SDL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])

"作者。 An author."
type Author @key(fields: "id") {
  "标识。 The id."
  id: ID!
  "姓名。 The name."
  name: String!
  "著作。 The books."
  books("取几本。 How many." first: Int! = 2): [Book!]!
}

"书。 A book."
type Book @key(fields: "isbn") {
  "书号。 The number."
  isbn: ID!
  "书名。 The title."
  title: String
  "体裁。 The genre."
  genre: Genre
}

"体裁。 Genres."
enum Genre {
  "诗。 Verse."
  VERSE
  "文。 Prose."
  PROSE
}

type Query {
  "作者们。 The authors."
  authors: [Author!]!
  "谁在问。 Who asks."
  whoami: String!
  "总是失败。 Always fails."
  fails("怎样。 How." how: String!): String
  "永不答复。 Never answers."
  never: String
}

type Subscription {
  "计数。 Counts."
  count("到几。 Up to." to: Int!): Int!
  "每次都失败。 Breaks."
  breaks: Int!
}
"""


class StoreDown(Exception):
    pass


@strawberry.enum
class Genre(enum.Enum):
    VERSE = "verse"
    PROSE = "prose"


@strawberry.type
class Book:
    isbn: strawberry.ID
    title: str | None
    genre: Genre | None


AUTHORS: list[dict[str, Any]] = [{"id": "libai", "name": "李白"}, {"id": "dufu", "name": "杜甫"}]
BOOKS: dict[str, dict[str, Any]] = {
    "1": {"isbn": "1", "title": "静夜思", "genre": Genre.VERSE},
    "2": {"isbn": "2", "title": None, "genre": None},
    "3": {"isbn": "3", "title": "春望", "genre": Genre.VERSE},
}


@strawberry.type
class Author:
    id: strawberry.ID
    name: str

    @strawberry.field
    async def books(self, first: int = 2) -> list[Book]:
        await asyncio.sleep(0)
        return [*BOOKS.values()][:first]  # type: ignore[list-item]


@strawberry.type
class Query:
    @strawberry.field
    def authors(self) -> list[Author]:
        return AUTHORS  # type: ignore[return-value]

    @strawberry.field
    def whoami(self, info: strawberry.Info) -> str:
        return f"{info.context.identity.person} {info.context.language}"

    @strawberry.field
    def fails(self, how: str) -> str | None:
        raise {
            "coded": CodedError("no more paper", code="NO_PAPER", remedy="add paper"),
            "forbidden": Forbidden("not yours"),
            "store": StoreDown("password=secret"),
            "bug": RuntimeError("password=secret"),
        }[how]

    @strawberry.field
    async def never(self) -> str | None:
        await asyncio.Event().wait()
        return None


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("password=secret")


async def load_authors(_context: Any, wanted: Sequence[Representation], _selected: Selection) -> Sequence[Any]:
    known = {author["id"]: author for author in AUTHORS}
    return [
        CodedError("a broken representation", code="BAD_USER_INPUT") if "id" not in one else known.get(one["id"])
        for one in wanted
    ]


async def load_books(_context: Any, wanted: Sequence[Representation], _selected: Selection) -> Sequence[Any]:
    if any(one["isbn"] == "fire" for one in wanted):
        raise StoreDown("the shelf burns")
    return [BOOKS.get(one["isbn"]) for one in wanted]


def classify(error: BaseException) -> CodedError | None:
    if isinstance(error, StoreDown):
        return CodedError("the store does not answer", code="STORE_UNAVAILABLE")
    return None


def make_served() -> ServedSchema:
    schema = strawberry.Schema(Query, subscription=Subscription, config=strawberry_config())
    return ServedSchema(schema, SDL, {"Author": load_authors, "Book": load_books})


def make_app(options: SubgraphOptions | None = None, **more: Any) -> ASGIApp:
    return create_subgraph_app(make_served(), classify=classify, options=options, **more)


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The app on a free loopback port; yields its http address."""
    started = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1)
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await started.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
