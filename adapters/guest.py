"""A polite guest: when a store may be read, how fast, and over what line.

Every statement to a legacy store passes `Gate.enter`; every batch of rows that comes back is told to `Gate.took`,
which waits until the rate that the mapping allows is kept again. What is asked of the local index passes no gate.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import warnings
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

from adapters.mapping.model import Guest
from adapters.model import StoreUnavailable

__all__ = ["STORE_CLOSED", "Gate", "tls_context", "warn_of_old_tls"]

log = logging.getLogger(__name__)

STORE_CLOSED = "STORE_CLOSED"
_SHANGHAI = timezone(timedelta(hours=8))
_MINUTES_OF_A_DAY = 24 * 60
_SECURITY_LEVEL_OLD = "DEFAULT:@SECLEVEL=0"
"""What OpenSSL must be told before it speaks TLS 1.0 or 1.1 at all."""
_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def _now() -> datetime:
    return datetime.now(_SHANGHAI)


class Gate:
    """One store's. `now` and `sleep` are turned by hand in tests."""

    def __init__(
        self,
        guest: Guest,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guest, self._now, self._sleep, self._clock = guest, now, sleep, clock
        self._free_at = 0.0
        """When the rows read so far have had their time."""

    @property
    def is_open(self) -> bool:
        return not self._guest.hours or any(span.holds(_minute(self._now())) for span in self._guest.hours)

    def enter(self) -> None:
        """Raises `StoreUnavailable` outside the hours that the mapping allows, with the time when they begin again."""
        if not self.is_open:
            hours = ", ".join(map(str, self._guest.hours))
            opens = f"{self._opens_at():%Y-%m-%d %H:%M}"
            message = f"the store may be read from {hours} only (Asia/Shanghai): it opens at {opens}"
            raise StoreUnavailable(message, STORE_CLOSED)

    def _opens_at(self) -> datetime:
        moment = self._now()
        wait = min((span.start - _minute(moment)) % _MINUTES_OF_A_DAY for span in self._guest.hours)
        return moment.replace(second=0, microsecond=0) + timedelta(minutes=wait)

    async def took(self, rows: int) -> None:
        """Rows have been read: wait until no more than a burst of them lacks its time."""
        rate = self._guest.rows_per_s
        if rate is None:
            return
        now = self._clock()
        self._free_at = max(self._free_at, now) + rows / rate
        wait = self._free_at - now - self._guest.burst / rate
        if wait > 0:
            await self._sleep(wait)


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def tls_context(guest: Guest) -> ssl.SSLContext | None:
    """What a driver is given for `require` and `verify`; None: the driver's own way, or none at all."""
    if guest.tls not in ("require", "verify"):
        return None
    context = ssl.create_default_context(cafile=guest.tls_ca)
    if guest.tls == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():  # Python's own of old versions: the mapping means it, and opening says so loudly
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[guest.tls_version_min]
    if guest.tls_ciphers is not None:
        context.set_ciphers(guest.tls_ciphers)
    elif guest.allows_old_tls:
        context.set_ciphers(_SECURITY_LEVEL_OLD)
    return context


def warn_of_old_tls(region_or_host: str, guest: Guest) -> None:
    if guest.allows_old_tls:
        log.warning(
            "INSECURE LINE to %s: TLS %s and ciphers long broken are allowed by the mapping; whoever sits on the line "
            "can read and change what is read. Have the server upgraded, then remove guest.tls_version_min.",
            region_or_host,
            guest.tls_version_min,
        )
