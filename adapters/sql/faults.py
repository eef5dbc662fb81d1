"""What a driver's error means, told by its number and never by its text, which may hold a password or a row."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from adapters.model import StoreError, StoreUnavailable

__all__ = ["STORE_READ_ONLY", "STORE_TIMEOUT", "STORE_UNTRUSTED", "Cause", "cause_of", "server_answered", "unavailable"]

STORE_READ_ONLY: Final = "STORE_READ_ONLY"
STORE_TIMEOUT: Final = "STORE_TIMEOUT"
STORE_UNTRUSTED: Final = "STORE_UNTRUSTED"


class Cause(Enum):
    TIMEOUT = auto()
    LOGIN = auto()
    """The user or the password is refused: asking again may lock the account."""
    READ_ONLY = auto()
    UNTRUSTED = auto()
    """The server's certificate: of an authority that is not trusted, of another name, or out of its time."""
    OTHER = auto()


_CAUSES: Final[dict[str | int, Cause]] = {
    # PostgreSQL, 金仓: SQLSTATE; SQL Server too
    "57014": Cause.TIMEOUT,
    "28P01": Cause.LOGIN,
    "28000": Cause.LOGIN,
    "25006": Cause.READ_ONLY,
    "HYT00": Cause.TIMEOUT,
    # MySQL and MariaDB: numbers
    1969: Cause.TIMEOUT,
    3024: Cause.TIMEOUT,
    1317: Cause.TIMEOUT,
    1045: Cause.LOGIN,
    1698: Cause.LOGIN,
    1792: Cause.READ_ONLY,
    # Oracle: full codes
    "ORA-01013": Cause.TIMEOUT,
    "DPY-4024": Cause.TIMEOUT,
    "ORA-01017": Cause.LOGIN,
    "ORA-28000": Cause.LOGIN,
    "ORA-01456": Cause.READ_ONLY,
    # SQLite
    "SQLITE_INTERRUPT": Cause.TIMEOUT,
    "SQLITE_READONLY": Cause.READ_ONLY,
}

_MOMENTARY: Final = frozenset({"57P03", "53300", 1040})
"""Starting up; too many connections."""
_MYSQL_SERVER_ERRORS: Final = range(1000, 2000)
_SQLSTATE_LENGTH: Final = 5
_NO_CONNECTION: Final = "08"


def cause_of(error: BaseException) -> Cause:
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in _behind(error)):
        return Cause.UNTRUSTED
    for each in _chain(error):
        if isinstance(each, TimeoutError):
            return Cause.TIMEOUT
        for code in _codes(each):
            if code in _CAUSES:
                return _CAUSES[code]
    return Cause.OTHER


def server_answered(error: BaseException) -> bool:
    """Whether a server has said no, which it would say again; not where it is starting, or full."""
    found = [code for each in _chain(error) for code in _codes(each) if code is not None]
    if _MOMENTARY.intersection(found):
        return False
    return any(
        code in _MYSQL_SERVER_ERRORS if isinstance(code, int) else isinstance(code, str) and _is_sqlstate(code)
        for code in found
    )


def _is_sqlstate(code: str) -> bool:
    return len(code) == _SQLSTATE_LENGTH and code.isalnum() and not code.startswith(_NO_CONNECTION)


def unavailable(error: BaseException) -> StoreError:
    """What is told of it: a cause that we know, else the name of its class."""
    if isinstance(error, StoreError):
        return error
    match cause_of(error):
        case Cause.TIMEOUT:
            return StoreUnavailable("the store did not answer in time", STORE_TIMEOUT)
        case Cause.LOGIN:
            return StoreUnavailable("the store refuses the user or the password")
        case Cause.READ_ONLY:
            return StoreUnavailable("the store is read only on this connection", STORE_READ_ONLY)
        case Cause.UNTRUSTED:
            return StoreUnavailable(
                "the store's certificate is not trusted, or is of another name than the url's host: see guest.tls_ca",
                STORE_UNTRUSTED,
            )
        case Cause.OTHER:
            return StoreUnavailable(f"the store cannot be read ({type(error).__name__})")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and the driver's own behind it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.orig if isinstance(seen, DBAPIError) else seen.__cause__


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that came before it: some drivers raise their own without saying of what."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _codes(error: BaseException) -> Iterator[Any]:
    for name in ("sqlstate", "pgcode", "sqlite_errorname", "errno"):
        yield getattr(error, name, None)
    first = error.args[0] if error.args else None
    yield first if isinstance(first, int | str) else getattr(first, "full_code", None)
