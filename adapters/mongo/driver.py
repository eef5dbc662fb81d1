"""The one place that knows motor, which is in maintenance: whatever follows it takes its place here.

What the guest may have is kept so: of the connections one is the driver's own, which looks whether the server is there
(so a guest of one connection has two); what is counted at the server is ended there by `maxTimeMS`. A reading is
ended by us, batch by batch: `maxTimeMS` would count all batches together, and a large collection never be read. What
is given up takes its cursor or its line with it, which ends it at the server too (MongoDB 4.2 and later).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC
from itertools import takewhile
from typing import Any

from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError, PyMongoError

from adapters.guest import Gate
from adapters.mapping.model import Guest
from adapters.model import StoreUnavailable, StoreUnsupported

__all__ = ["Database"]

_BATCH = 500
_WATCHING = 1
"""Connections that the driver holds beside those that ask, where it looks now and then instead of being told."""
_SERVER_FIRST_MS = 1_000
"""A server that ends a statement itself gets so much longer before we cut its line."""
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC, unicode_decode_error_handler="replace")


class Database:
    """One database, read only. Errors become `StoreUnavailable`, without their text, which may hold a password."""

    def __init__(self, url: str, guest: Guest, gate: Gate | None = None) -> None:
        self._gate = gate or Gate(guest)
        self._statement_ms = int(guest.statement_timeout_s * 1000)
        connect_ms = int(guest.connect_timeout_s * 1000)
        try:
            self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
                url,
                maxPoolSize=max(1, guest.connections_max - _WATCHING),
                serverMonitoringMode="poll",
                serverSelectionTimeoutMS=connect_ms,
                connectTimeoutMS=connect_ms,
                waitQueueTimeoutMS=self._statement_ms,
                socketTimeoutMS=self._statement_ms + _SERVER_FIRST_MS,
                **_tls(guest),
            )
            self._database = self._client.get_default_database().with_options(_CODEC)
        except (ConfigurationError, ValueError):
            raise StoreUnsupported("the url names no database: write mongodb://host:port/database") from None

    async def close(self) -> None:
        self._client.close()

    async def find(
        self, collection: str, filter_: dict[str, Any], fields: Sequence[str]
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Documents in batches, with these paths of each, in types of Python's own."""
        self._gate.enter()
        cursor = self._database[collection].find(filter_, _projection(fields), batch_size=_BATCH)
        try:
            while batch := await cursor.to_list(_BATCH):
                yield [_plain(document) for document in batch]
                await self._gate.took(len(batch))
                self._gate.enter()
        except (PyMongoError, BSONError) as error:
            raise StoreUnavailable(f"the document store cannot be read ({type(error).__name__})") from None
        finally:
            with suppress(PyMongoError):  # the line may be dead
                await cursor.close()

    async def summary(self, collection: str, version: str | None, changed: str | None) -> str:
        """Number of documents, sum of their versions, latest change: what moves when something changes."""
        self._gate.enter()
        group: dict[str, Any] = {"_id": None, "n": {"$sum": 1}}
        if version:
            group["versions"] = {"$sum": f"${version}"}
        if changed:
            group["changed"] = {"$max": f"${changed}"}
        try:
            cursor = self._database[collection].aggregate([{"$group": group}], maxTimeMS=self._statement_ms)
            found = await cursor.to_list(1)
        except PyMongoError as error:
            raise StoreUnavailable(f"the document store did not answer ({type(error).__name__})") from None
        return str(sorted(found[0].items())) if found else "empty"


def _projection(paths: Sequence[str]) -> dict[str, int]:
    """What to send of each document. A path through a list by number is sent from the list on, and of two paths, one
    within the other, the outer one: MongoDB takes neither as they are."""
    wanted = {".".join(takewhile(lambda step: not step.isdecimal(), path.split("."))) or path for path in paths}
    outer = {path for path in wanted if not any(path.startswith(f"{other}.") for other in wanted)}
    return dict.fromkeys(sorted(outer), 1) | (
        {} if any(path.partition(".")[0] == "_id" for path in outer) else {"_id": 0}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return str(value) if isinstance(value, ObjectId) else value


def _tls(guest: Guest) -> dict[str, Any]:
    if guest.tls == "default":
        return {}
    if guest.tls == "off":
        return {"tls": False}
    authority = {"tlsCAFile": guest.tls_ca} if guest.tls_ca else {}
    return {"tls": True, "tlsAllowInvalidCertificates": guest.tls == "require", **authority}
