"""MongoDB's collections as documents.

MongoDB keeps no number that proves nothing has changed. So the index looks at what moves with a change (the number of
documents, the sum of their versions, the latest change) every `reread_s`, and reads everything again every `reload_s`
whatever that says: an answer is never older than that, and `as_of` says when the documents were read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.documents.source import DocumentSource
from adapters.index import IndexedStore, RowSource, SourceStamp
from adapters.mapping.model import Condition, Mapping
from adapters.model import Store
from adapters.mongo.driver import Database

__all__ = ["MongoDocuments", "mongo_source", "open_mongo"]


def open_mongo(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, mongo_source(mapping), cache_dir)


def mongo_source(mapping: Mapping) -> RowSource:
    return DocumentSource(mapping, MongoDocuments(mapping))


class MongoDocuments:
    """`clock` is turned by hand in tests."""

    def __init__(self, mapping: Mapping, clock: Callable[[], float] = time.time) -> None:
        self._mapping, self._clock = mapping, clock
        self._database = Database(mapping.store.url, mapping.store.guest)

    async def close(self) -> None:
        await self._database.close()

    async def stamp(self) -> SourceStamp:
        version, changed = self._mapping.fields.get("version"), self._mapping.fields.get("updatedAt")
        summary = await self._database.summary(
            self._mapping.table,
            version.columns[0] if version and version.columns else None,
            changed.columns[0] if changed and changed.columns else None,
        )
        period = int(self._clock() // self._mapping.store.reload_s)
        return SourceStamp(f"{summary} {period}", datetime.now(UTC))

    def assets(self) -> AsyncIterator[list[dict[str, Any]]]:
        return self._database.find(self._mapping.table, self._open(), list(self._mapping.columns))

    def find(
        self, collection: str, where: tuple[Condition, ...], columns: Sequence[str]
    ) -> AsyncIterator[list[dict[str, Any]]]:
        return self._database.find(collection, _conditions(where), columns)

    def _open(self) -> dict[str, Any]:
        """Secrecy first, in the store's own query. The mapper judges again: `$in` also looks inside lists. An object or
        a list says nothing of secrecy: such a document comes too, to be counted by us as one that cannot be read."""
        rule = self._mapping.secrecy
        if rule.column is None or rule.lookup is not None:
            return {}
        values: list[Any] = list(rule.open)
        values += [int(text) for text in rule.open if text.isdecimal() and text.isascii()]
        return {"$or": [{rule.column: {"$in": values}}, {rule.column: {"$type": ["object", "array"]}}]}


def _conditions(where: tuple[Condition, ...]) -> dict[str, Any]:
    tests: dict[str, Callable[[Condition], Any]] = {
        "in": lambda item: {"$in": list(item.values)},
        "not_in": lambda item: {"$nin": [*item.values, None]},
        "null": lambda item: None,
        "not_null": lambda item: {"$ne": None},
    }
    return {"$and": [{item.column: tests[item.test](item)} for item in where]} if where else {}
