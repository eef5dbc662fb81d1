"""One library: the books of a CSV file, served as a member of the group `libraries`."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from contract.cursors import Cursor, shape_hash
from contract.ids import format_id
from contract.order import Direction, Kind
from examples.libraries.paging import connection
from examples.libraries.serving import Resolver, serve_subgraph

FOLDER = Path(__file__).parent
NAMES = {"east": "East Library", "north": "North Library", "south": "South Library"}
ORDER = {"TITLE": ("title", Kind.TEXT), "YEAR": ("year", Kind.NUMBER), "PRICE": ("price", Kind.NUMBER)}

Book = dict[str, Any]


class Library:
    def __init__(self, code: str) -> None:
        self.code = code
        self.itself = {"code": code, "name": NAMES[code]}
        with (FOLDER / "books" / f"{code}.csv").open(encoding="utf-8", newline="") as file:
            self.books = {book["id"]: book for book in map(self._read, csv.DictReader(file))}

    def _read(self, row: Mapping[str, str]) -> Book:
        return {
            "id": format_id("book", self.code, row["number"]),
            "number": row["number"],
            "title": row["title"],
            "subject": row["subject"] or None,
            "year": int(row["year"]) if row["year"] else None,
            "price": row["price"] or None,
            "isLent": False,
            "library": self.itself,
        }

    # Connections

    def all_books(self, _: Any, info: Any, filter: Any = None, **arguments: Any) -> dict[str, Any]:
        wanted = filter or {}
        chosen = [
            book
            for book in self.books.values()
            if wanted.get("library") in (None, self.code) and wanted.get("subject") in (None, book["subject"])
        ]
        return self._connection(chosen, filter, arguments)

    def listed_books(self, reading_list: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        """The field requires `subjects`, so they are in the representation."""
        subjects = reading_list["subjects"]
        return self._connection([b for b in self.books.values() if b["subject"] in subjects], subjects, arguments)

    def _connection(self, chosen: Sequence[Book], filter_: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        order = [(one["field"], one["direction"]) for one in arguments.get("orderBy") or []]
        shape = shape_hash(order, filter_)
        counts = Counter(book["subject"] for book in chosen)
        return {
            **connection([(self._cursor(book, order, shape), book) for book in chosen], shape, arguments),
            "totalIsExact": True,
            "subjects": [{"subject": subject, "count": count} for subject, count in counts.items()],
            "sources": [{"region": self.code, "name": self.itself["name"], "status": "OK"}],
        }

    def _cursor(self, book: Book, order: Sequence[tuple[str, str]], shape: str) -> Cursor:
        """The values that the book is ordered by, then the library, then the library's own key."""
        return Cursor(
            shape=shape,
            kinds=tuple(ORDER[field][1] for field, _ in order),
            directions=tuple(Direction(direction) for _, direction in order),
            values=tuple(book[ORDER[field][0]] for field, _ in order),
            region=self.code,
            native=(book["number"],),
            native_kinds=(Kind.TEXT,),
        )

    # All else

    def stock(self, _: Any, info: Any) -> dict[str, Any]:
        years = [book["year"] for book in self.books.values() if book["year"] is not None]
        return {
            "books": len(self.books),
            "worth": str(sum(Decimal(book["price"] or 0) for book in self.books.values())),
            "oldest": min(years, default=None),
            "newest": max(years, default=None),
            "anyLent": any(book["isLent"] for book in self.books.values()),
        }

    def lend(self, _: Any, info: Any, input: Mapping[str, Any]) -> dict[str, Any]:
        book = self.books.get(input["bookId"])
        if book is None:
            return {"problem": "There is no such book."}
        if book["isLent"]:
            return {"book": book, "problem": "It is lent already."}
        book["isLent"] = True
        return {"book": book}


def main() -> None:
    library = Library(sys.argv[1])
    resolvers: dict[str, Resolver] = {
        "Query.books": library.all_books,
        "Query.book": lambda _, info, id: library.books.get(id),
        "Query.libraries": lambda _, info: [library.itself],
        "Query.stock": library.stock,
        "Query.houseRules": lambda _, info: "No soup.",
        "Mutation.lend": library.lend,
        "ReadingList.books": library.listed_books,
    }
    entities: dict[str, Resolver] = {
        "Book": lambda one: library.books.get(one["id"]),
        "Library": lambda one: library.itself if one["code"] == library.code else None,
        "ReadingList": lambda one: one,
    }
    serve_subgraph((FOLDER / "libraries.graphql").read_text(encoding="utf-8"), resolvers, entities, int(sys.argv[2]))


if __name__ == "__main__":
    main()
