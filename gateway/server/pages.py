"""GraphiQL at the endpoint itself, from files inside this package: offices have no internet.

The examples are `examples/*.graphql`, in the order of their names; only those that are valid against the API schema
are shown, so another supergraph's page has no tabs that cannot work.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from graphql import GraphQLError, GraphQLSchema, parse, validate
from starlette.staticfiles import StaticFiles

__all__ = ["graphiql_page", "read_examples", "static_files"]

_HERE = Path(__file__).parent
EXAMPLES = _HERE / "examples"


def graphiql_page(schema: GraphQLSchema, examples: Path = EXAMPLES) -> bytes:
    page = (_HERE / "static" / "graphiql.html").read_text(encoding="utf-8")
    # `</` would end the script element that carries the JSON.
    written = orjson.dumps(read_examples(schema, examples)).decode().replace("</", "<\\/")
    return page.replace("/*examples*/", written).encode()


def read_examples(schema: GraphQLSchema, folder: Path = EXAMPLES) -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql"))]
    return [text for text in texts if _is_valid(schema, text)]


def _is_valid(schema: GraphQLSchema, text: str) -> bool:
    try:
        return not validate(schema, parse(text))
    except GraphQLError:
        return False


def static_files() -> StaticFiles:
    return StaticFiles(directory=_HERE / "static")
