"""From a mapping's url to SQLAlchemy's engine: which driver, and what it is told of the line.

An async driver is taken unless the url names another (`postgresql+psycopg://…`). Engines keep no connections of their
own: `adapters.sql.lanes` does, for the guest's bound holds over all uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.guest import tls_context
from adapters.kinds import missing_driver
from adapters.mapping.model import ANY_SQL, Guest, StoreSettings
from adapters.model import StoreUnsupported

__all__ = ["make_engine"]

_DRIVERS: Final = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
    "oracle": "oracle+oracledb_async",
    "mssql": "mssql+aioodbc",
    "dm": "dm+dmPython",
    "kingbase": "kingbase+asyncpg",
}
for _driver, _class in (("asyncpg", "KingbaseAsyncpg"), ("psycopg", "KingbasePsycopg")):
    registry.register(f"kingbase.{_driver}", "adapters.sql.kingbase", _class)
_BACKENDS: Final = {"mysql": ("mysql", "mariadb"), "mariadb": ("mysql", "mariadb")}
_LINE_SILENT_S: Final = 2
"""How much longer than a statement may take a driver's own socket waits, where nothing else would wake its thread."""
_OF_OTHERS: Final = {"dm": "dmSQLAlchemy"}
"""Engines whose dialect is a package of its own."""
_COMPRESSING: Final = ("mysqldb",)
"""mysqlconnector would too, but in pure Python it loses its place in a long compressed answer (seen with 26.10)."""
_TAKES_CONTEXT: Final = {
    "asyncpg": "ssl",
    "asyncmy": "ssl",
    "aiomysql": "ssl",
    "pymysql": "ssl",
    "oracledb": "ssl_context",
    "oracledb_async": "ssl_context",
}
"""Driver → the parameter by which it takes a context of ours."""
_ENCRYPTS_UNASKED: Final[Mapping[str, Mapping[str, Any]]] = {
    "asyncpg": {"ssl": False},
    "pymysql": {"ssl_disabled": True},
}
"""Drivers that encrypt wherever the server can → what keeps them from it."""
_LIBPQ_MODES: Final = {"off": "disable", "require": "require", "verify": "verify-full"}
_ODBC_TLS: Final = {
    "off": {"Encrypt": "no"},
    "require": {"Encrypt": "yes", "TrustServerCertificate": "yes"},
    "verify": {"Encrypt": "yes", "TrustServerCertificate": "no"},
}


def make_engine(settings: StoreSettings, *, writing: bool = False) -> sa.Engine:
    """Not yet connected. Of an async driver the face that SQLAlchemy calls sync: it is called in a greenlet."""
    try:
        url = _url_of(settings, writing)
        dialect = url.get_dialect()
        arguments = _arguments(settings.guest, dialect.driver)
        if dialect.is_async:
            engine = create_async_engine(
                url, poolclass=NullPool, hide_parameters=True, connect_args=arguments
            ).sync_engine
        else:
            engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    except ImportError as error:
        raise missing_driver(settings.engine, error.name) from None
    except (SQLAlchemyError, ValueError) as error:  # their texts show the url
        if isinstance(error, NoSuchModuleError) and settings.engine == ANY_SQL:
            name = make_url(settings.url).drivername
            raise StoreUnsupported(f"SQLAlchemy has no dialect {name}: install the package that brings it") from None
        if isinstance(error, NoSuchModuleError) and settings.engine in _OF_OTHERS:
            raise missing_driver(settings.engine, _OF_OTHERS[settings.engine]) from None
        raise StoreUnsupported(
            f"the url is none of a {settings.engine} store: write {settings.engine}://user:password@host:port/database"
        ) from None
    if dialect.driver == "asyncpg":
        event.listen(engine, "connect", _read_all_dates)
    return engine


def _url_of(settings: StoreSettings, writing: bool) -> URL:
    url = make_url(settings.url)
    if "+" not in url.drivername and settings.engine in _DRIVERS:
        url = url.set(drivername=_DRIVERS[settings.engine])
    if settings.engine == ANY_SQL:
        return url
    if url.get_backend_name() not in _BACKENDS.get(settings.engine, (settings.engine,)):
        raise ArgumentError("the url is of another engine")
    if settings.engine == "mssql":
        intent = {} if writing else {"ApplicationIntent": "ReadOnly"}
        url = url.update_query_dict({**_ODBC_TLS.get(settings.guest.tls, {}), **intent})
    return url


def _arguments(guest: Guest, driver: str) -> dict[str, Any]:
    return {**_time_arguments(guest, driver), **_tls_arguments(guest, driver), **_compression(guest, driver)}


def _time_arguments(guest: Guest, driver: str) -> Mapping[str, Any]:
    seconds = int(guest.connect_timeout_s)
    match driver:
        case "asyncpg" | "pyodbc" | "aioodbc":
            return {"timeout": seconds}
        case "psycopg" | "psycopg2" | "asyncmy" | "aiomysql":
            return {"connect_timeout": seconds}
        case "pymysql" | "mysqldb":  # their time to connect ends before the server has greeted
            read = math.ceil(guest.statement_timeout_s) + _LINE_SILENT_S
            return {"connect_timeout": seconds, "read_timeout": read, "write_timeout": read}
        case "mysqlconnector":
            return {"connection_timeout": seconds}
        case "oracledb" | "oracledb_async":
            return {"tcp_connect_timeout": seconds}
        case "pysqlite":
            return {"check_same_thread": False, "timeout": guest.statement_timeout_s}
        case _:
            return {}


def _tls_arguments(guest: Guest, driver: str) -> Mapping[str, Any]:
    if driver in ("psycopg", "psycopg2"):
        return _libpq_tls(guest)
    context = tls_context(guest)
    if context is not None and driver in _TAKES_CONTEXT:
        return {_TAKES_CONTEXT[driver]: context}
    if context is not None and (driver not in ("pyodbc", "aioodbc") or guest.tls_ca or guest.tls_version_min != "1.2"):
        raise StoreUnsupported(f"the driver {driver} cannot be told how to encrypt: see guest.tls in docs/engines.md")
    return _ENCRYPTS_UNASKED.get(driver, {}) if guest.tls == "off" else {}


def _libpq_tls(guest: Guest) -> Mapping[str, Any]:
    if guest.tls_ciphers is not None:
        raise StoreUnsupported("libpq cannot be told its ciphers: remove guest.tls_ciphers, or take asyncpg")
    if guest.tls == "default":
        return {}
    told: dict[str, Any] = {"sslmode": _LIBPQ_MODES[guest.tls]}
    if guest.tls != "off":
        version = guest.tls_version_min
        told["ssl_min_protocol_version"] = "TLSv1" if version == "1.0" else f"TLSv{version}"
    if guest.tls == "verify":
        told["sslrootcert"] = guest.tls_ca or "system"
    return told


def _compression(guest: Guest, driver: str) -> Mapping[str, Any]:
    if not guest.compression:
        return {}
    if driver not in _COMPRESSING:
        raise StoreUnsupported(
            f"the driver {driver} compresses nothing: write the url as mysql+mysqldb://… (pip install mysqlclient)"
        )
    return {"compress": True}


# --- PostgreSQL's dates -------------------------------------------------------------------------------------------


def _read_all_dates(connection: Any, _: Any) -> None:
    """Let asyncpg take dates and times as text, and give back as text those that Python has no value for."""
    readers: dict[str, Callable[[str], Any]] = {
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "timestamptz": datetime.fromisoformat,
    }

    async def set_codecs(driver: Any) -> None:
        await driver.execute("SET datestyle = 'ISO, YMD'")
        for name, read in readers.items():
            await driver.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=_or_text(read), format="text")

    connection.run_async(set_codecs)


def _or_text(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def decode(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            return text

    return decode
