"""What goes with orders beside their data: attachments, prints, and notices to others. Wired here, run beside requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from starlette.routing import BaseRoute

from overlay.clock import Clock
from overlay.files.blobs import Blobs
from overlay.files.http import file_routes
from overlay.files.policy import SPARE_BYTES_MIN
from overlay.files.service import Attachments
from overlay.files.tickets import TicketOffice
from overlay.notices.courier import Courier
from overlay.notices.sender import AddressGuard, HttpSender
from overlay.notices.webhooks import Webhooks, secret_of
from overlay.orders.policy import Policy
from overlay.prints.http import print_routes
from overlay.prints.service import Prints
from overlay.store.database import Database
from subgraphs.kit.tasks import end_tasks

__all__ = ["Paperwork", "PaperworkOptions"]

_log = structlog.get_logger(__name__)
_SWEEP_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperworkOptions:
    files_dir: Path | None = None
    """Where attachments lie, shared by all processes of an overlay. None: a folder that is gone when the app closes."""
    public_url: str = ""
    """What users' browsers call the city by; signed URLs and QR codes begin with it. Empty: URLs begin with `/files`."""
    webhook_networks: Sequence[str] = ()
    """Networks that notices may be sent to beside public addresses, such as `10.0.0.0/8`."""
    carry_every_s: float = 1.0
    """How often the outbox is looked at; what ends meanwhile is followed at once."""


class Paperwork:
    def __init__(
        self,
        options: PaperworkOptions,
        database: Database,
        policy: Policy,
        key_pair: tuple[str, str],
        clock: Clock,
    ) -> None:
        """`key_pair`: private and public PEM that sign URLs. Raises `ValueError` for a network that is none."""
        self._temporary = TemporaryDirectory(prefix="gwc-files-") if options.files_dir is None else None
        folder = Path(self._temporary.name) if self._temporary is not None else options.files_dir
        assert folder is not None
        guard = AddressGuard(options.webhook_networks)
        tickets = TicketOffice(*key_pair, clock, options.public_url)
        self.attachments = Attachments(database, Blobs(folder, SPARE_BYTES_MIN), tickets, clock)
        self.prints = Prints(database, tickets, policy, clock)
        self.webhooks = Webhooks(database, guard, clock)
        self._courier = Courier(database, HttpSender(guard), secret_of, clock, every_s=options.carry_every_s)

    def routes(self) -> list[BaseRoute]:
        return [*print_routes(self.prints), *file_routes(self.attachments)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.attachments.open()
        async with self._courier.running():
            sweeping = asyncio.create_task(self._sweep_forever(), name="overlay sweeping")
            try:
                yield
            finally:
                await end_tasks(sweeping)
                if self._temporary is not None:
                    self._temporary.cleanup()

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self.attachments.sweep()
                await self._courier.prune()
            except Exception:
                _log.exception("sweeping_failed")
            await asyncio.sleep(_SWEEP_EVERY_S)
