"""A courier in a process of its own, on a store that stands, until all is delivered:

    python -m tests.overlay.notices.courier_process URL AHEAD_S

`AHEAD_S`: how far its clock is ahead, so that leases of a process that died need not be waited for.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from sqlalchemy import select

from overlay.clock import utc_now
from overlay.notices.courier import Courier
from overlay.notices.routing import PENDING
from overlay.notices.sender import AddressGuard, HttpSender
from overlay.notices.webhooks import secret_of
from overlay.store.database import Database
from overlay.store.tables import deliveries, outbox


async def is_open(database: Database) -> bool:
    async with database.read() as connection:
        return any(
            [
                (await connection.execute(select(table.c.id).where(table.c.state == PENDING).limit(1))).first()
                for table in (outbox, deliveries)
            ]
        )


async def carry(url: str, ahead: timedelta) -> None:
    database = Database(url)
    await database.open()
    sender = HttpSender(AddressGuard(("127.0.0.0/8",)))
    courier = Courier(database, sender, secret_of, lambda: utc_now() + ahead)
    async with courier.running():
        while await is_open(database):
            await courier.turn()
            await courier.idle()
    await database.close()


if __name__ == "__main__":
    asyncio.run(carry(sys.argv[1], timedelta(seconds=float(sys.argv[2]))))
