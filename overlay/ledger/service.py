"""The ledger as the app has it: what happens once a day, and what officers start or are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.audit.log import Action, record
from overlay.clock import Clock, shanghai_today, text_of
from overlay.group.custody import Custody
from overlay.ledger.anchor import Signer
from overlay.ledger.anchors import AnchorRefused, Anchors
from overlay.ledger.reconciliation import Reconciliation
from overlay.ledger.rights import export_refused
from overlay.messages import problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.store.database import Database
from overlay.store.once import Answer, Once

__all__ = ["Ledger", "LedgerOptions"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOptions:
    private_pem: str
    """Signs the daily anchors."""
    anchors: Path
    """The folder to which they are exported."""


class Ledger:
    def __init__(self, database: Database, custody: Custody, clock: Clock, options: LedgerOptions | None) -> None:
        """Without options nothing is done by itself: no anchors, and reconciliation on demand only."""
        self._database, self._clock = database, clock
        self._once = Once(database, clock)
        self.reconciliation = Reconciliation(database, custody, clock)
        self._anchors: Anchors | None = None
        if options is not None:
            self._anchors = Anchors(database, Signer(options.private_pem), options.anchors, clock)
        self._day_done: str | None = None

    async def tick(self) -> None:
        """What is due once a day; a fault of one part is logged, told, and tried again tomorrow or at the next start."""
        today = shanghai_today(self._clock()).isoformat()
        if self._anchors is None or self._day_done == today:
            return
        try:
            await self._anchors.make()
        except AnchorRefused as refusal:
            await self._tell(str(refusal))
        await self.reconciliation.run_daily()
        self._day_done = today

    async def stop(self) -> None:
        await self.reconciliation.stop()

    async def record_export(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """Somebody is about to take what they may see out of the system."""

        async def act(connection: AsyncConnection, at: str) -> Answer:
            roles = export_refused(identity, body["kind"])
            if roles is not None:
                return Answer(None, (problem("FORBIDDEN", command="EXPORT_LEDGER", roles=roles),))
            subject = f"ledger:{body['kind'].lower()}"
            await record(connection, at, identity, Action.EXPORT, subject, body)
            return Answer(subject)

        return await self._once.run(identity, key, "EXPORT_LEDGER", body, act)

    async def _tell(self, reason: str) -> None:
        _log.error("ledger_not_anchored", reason=reason)
        now = text_of(self._clock())
        async with self._database.write() as connection:
            await put(connection, now, Topic.LEDGER_DIFFERENCE, "ledger", Audience(), {"notAnchored": reason})
