"""The ordinary subgraph: what reading lists are about, and remarks on books, wherever these stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from examples.libraries.serving import serve_subgraph

LISTS = {
    "nature": {"id": "nature", "name": "Out of doors", "subjects": ["science", "essays"]},
    "long": {"id": "long", "name": "Long evenings", "subjects": ["novel"]},
}
REMARKS = {"book:north:N-8": "Lent most often.", "book:south:a%2F2": "Read it in spring."}


def main() -> None:
    sdl = Path(__file__).with_name("lists.graphql").read_text(encoding="utf-8")
    resolvers = {"Query.readingList": lambda _, info, id: LISTS.get(id)}
    entities = {"ReadingList": lambda one: LISTS.get(one["id"]), "Book": remarked}
    serve_subgraph(sdl, resolvers, entities, int(sys.argv[1]))


def remarked(book: dict[str, Any]) -> dict[str, Any]:
    return {"id": book["id"], "remark": REMARKS.get(book["id"])}


if __name__ == "__main__":
    main()
