"""Making anchors: one a Shanghai day, written to the table first, then to a folder that should lie elsewhere.

    the entries so far ─▶ last entry of each lineage ─▶ the anchor before still holds? ─▶ sign ─▶ table + notice ─▶ file

Where an anchor ends must be a clean cut: every entry up to the place is there, and no later transaction can put one
below it. SQLite has one writer, so the last committed entry is one. On PostgreSQL places are drawn from a sequence while
a transaction writes; for the blink of an eye in which the place is read no transaction may be writing entries.
What is below the cut never changes, so all the rest is read at leisure.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import parse_decimal
from overlay.clock import Clock, shanghai_today, text_of
from overlay.ledger.anchor import FORMAT, Anchor, Signer, anchor_hash, body_text, shown_file
from overlay.ledger.heads import Sums, add_sums, heads, shown_sums, sums_between
from overlay.ledger.merkle import MerkleTree, head_leaf
from overlay.notices.outbox import Audience, Topic, put
from overlay.store.database import Database
from overlay.store.tables import ledger_anchors, ledger_entries
from subgraphs.kit.disk import sync

__all__ = ["AnchorRefused", "Anchors", "anchor_file"]

_CUT_WAIT = "5s"
"""How long the cut waits for writers on PostgreSQL, and so how long they may wait for it."""


class AnchorRefused(RuntimeError):
    """No anchor was made, or its file could not be put where another one stands."""


def anchor_file(folder: Path, day: str) -> Path:
    return folder / f"ledger-anchor-{day}.json"


class Anchors:
    def __init__(self, database: Database, signer: Signer, folder: Path, clock: Clock) -> None:
        self._database, self._signer, self._folder, self._clock = database, signer, folder, clock

    async def make(self) -> Anchor:
        """Today's anchor: the one that stands, or a new one; its file lies in the folder. Raises `AnchorRefused`."""
        last = await self._last()
        if last is None or last.day < shanghai_today(self._clock()).isoformat():
            last = await self._make(last)
        await self._export()
        return last

    async def _make(self, before: Anchor | None) -> Anchor:
        cut = await self._cut()
        async with self._database.read() as connection:
            body = body_text(await self._body(connection, before, cut))
        try:
            async with self._database.write() as connection:
                await self._write(connection, body)
        except IntegrityError:  # another process was first today
            pass
        made = await self._last()
        assert made is not None
        return made

    async def _last(self) -> Anchor | None:
        query = select(ledger_anchors.c.body).order_by(ledger_anchors.c.day.desc()).limit(1)
        async with self._database.read() as connection:
            body = (await connection.execute(query)).scalar()
        return None if body is None else Anchor(orjson.loads(body))

    async def _cut(self) -> int:
        async with self._database.write() as connection:
            if not self._database.is_sqlite:
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_CUT_WAIT}'")
                await connection.exec_driver_sql("LOCK TABLE ledger_entries IN SHARE MODE")
            return (await connection.execute(select(func.max(ledger_entries.c.position)))).scalar() or 0

    async def _body(self, connection: AsyncConnection, before: Anchor | None, cut: int) -> dict[str, Any]:
        start = 0 if before is None else before.position
        if before is not None:
            await _check_root(connection, before)
        tree, changed = MerkleTree(), []
        async for row in heads(connection, cut):
            tree.add(head_leaf(row.lineage, row.sequence, row.hash))
            if row.position > start:
                changed.append([row.lineage, row.sequence, row.hash])
        sums, entries = await sums_between(connection, start, cut)
        if before is not None:
            entries += before.body["entries"]
            _add_before(sums, before)
        return {
            "format": FORMAT,
            "ledger": uuid.uuid4().hex if before is None else before.body["ledger"],
            "day": shanghai_today(self._clock()).isoformat(),
            "made_at": text_of(self._clock()),
            "position": cut,
            "entries": entries,
            "lineages": tree.leaves,
            "root": tree.root(),
            "sums": shown_sums(sums),
            "previous": before and {"day": before.day, "hash": before.hash, "position": before.position},
            "changed": changed,
        }

    async def _write(self, connection: AsyncConnection, body: str) -> None:
        shown, hash_ = orjson.loads(body), anchor_hash(body)
        row = {"day": shown["day"], "position": shown["position"], "made_at": shown["made_at"], "hash": hash_}
        signed = {"body": body, "key": self._signer.key_id, "signature": self._signer.sign(body)}
        await connection.execute(insert(ledger_anchors).values(**row, **signed))
        told = {name: shown[name] for name in ("day", "entries", "lineages", "root")} | {"hash": hash_}
        await put(connection, shown["made_at"], Topic.LEDGER_ANCHORED, f"anchor:{shown['day']}", Audience(), told)

    async def _export(self) -> None:
        """Files of anchors that have none yet: of this one, and of those that a crash or a full disk left behind."""
        table = ledger_anchors
        async with self._database.read() as connection:
            rows = (await connection.execute(select(table).where(table.c.exported_at.is_(None)))).all()
        for row in rows:
            content = shown_file(row.body, row.key, row.signature)
            await asyncio.to_thread(_write_once, anchor_file(self._folder, row.day), content)
            async with self._database.write() as connection:
                done = update(table).where(table.c.day == row.day).values(exported_at=text_of(self._clock()))
                await connection.execute(done)


async def _check_root(connection: AsyncConnection, before: Anchor) -> None:
    """A new anchor would vouch for a past that was rewritten. Raises `AnchorRefused`."""
    tree = MerkleTree()
    async for row in heads(connection, before.position):
        tree.add(head_leaf(row.lineage, row.sequence, row.hash))
    if tree.root() != before.body["root"]:
        raise AnchorRefused(
            f"the ledger no longer is what the anchor of {before.day} says; `gwc ledger verify` tells where"
        )


def _add_before(sums: Sums, before: Anchor) -> None:
    for custody, held in before.body["sums"].items():
        add_sums(sums, custody, parse_decimal(held["quantity"]), parse_decimal(held["value"]))


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over another file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(building, path)
        sync(path.parent)
    except FileExistsError:
        if path.read_bytes() != content:
            raise AnchorRefused(f"{path} is there already and says something else; it was left alone") from None
    finally:
        building.unlink(missing_ok=True)
