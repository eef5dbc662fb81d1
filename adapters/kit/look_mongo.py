"""Looking into a document store, read-only: collections, the paths of their documents, and samples.

The synchronous client in a thread serves here: a survey is over before a pool of connections would be worth it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from bson.objectid import ObjectId
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from adapters.kit.look_documents import columns_of
from adapters.kit.survey import SAMPLE_ROWS, TABLES_MAX, Budget, StoreUrl, SurveyError, TableSurvey

__all__ = ["look_into_mongo"]

_TIMEOUT_MS = 10_000
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC, unicode_decode_error_handler="replace")


async def look_into_mongo(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    return await asyncio.to_thread(_look, url, budget)


def _look(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            url.full,
            maxPoolSize=1,
            serverMonitoringMode="poll",
            serverSelectionTimeoutMS=_TIMEOUT_MS,
            socketTimeoutMS=_TIMEOUT_MS,
        )
    except (PyMongoError, ValueError):
        raise SurveyError(
            "this is no URL of a document store", "such as mongodb://user:${PASSWORD}@host:27017/database"
        ) from None
    try:
        database = client.get_default_database().with_options(_CODEC)
        names = sorted(name for name in database.list_collection_names() if not name.startswith("system."))
        found = []
        for done, name in enumerate(names[:TABLES_MAX]):
            budget.progress(name, done, len(names))
            found.append(_collection(database[name], budget))
        return found
    except PyMongoError as error:
        raise SurveyError(
            f"the document store cannot be read ({type(error).__name__})",
            "name a database: mongodb://host:27017/database",
        ) from None
    finally:
        client.close()


def _collection(collection: Any, budget: Budget) -> TableSurvey:
    documents = [] if budget.is_spent else list(collection.find().limit(SAMPLE_ROWS))
    if budget.is_spent:
        budget.notes.append(f"{collection.name}: no time was left for samples")
    elif len(documents) == SAMPLE_ROWS:
        documents += list(collection.find().sort("_id", -1).limit(SAMPLE_ROWS))
    unique = tuple(
        tuple(name for name, _ in index["key"])
        for index in collection.index_information().values()
        if index.get("unique") and not index.get("sparse")
    )
    return TableSurvey(
        collection.name,
        columns_of(documents, _plain),
        int(collection.estimated_document_count()),
        True,
        key=("_id",),
        unique=unique,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return str(value) if isinstance(value, ObjectId) else value
