"""From a url to a driver: what it is told, what is missing, and no password in anything that is said."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.engine import make_url

from adapters.mapping.model import Guest, StoreSettings
from adapters.model import StoreError, StoreUnsupported
from adapters.sql.connect import make_engine
from adapters.sql.engine import EngineReader
from adapters.sql.kingbase import version_of
from tests.adapters.support import mapping_of

PASSWORD = "s3cr#t/w:rd@?&=%x"
DEAD = "127.0.0.1:1"


def settings(url: str, **guest: Any) -> StoreSettings:
    return StoreSettings(engine=url.partition(":")[0].partition("+")[0], url=url, guest=Guest(**guest))


# --- passwords ------------------------------------------------------------------------------------------------------


def spellings(password: str) -> set[str]:
    return {
        password,
        quote(password, safe=""),
        quote(password),
        quote(quote(password, safe=""), safe=""),
        "s3cr",
        repr(password),
    }


def failing(mariadb: str, postgres: str) -> Iterator[str]:
    """Urls that fail: nobody there, a password that is refused, a database that is not, no url at all."""
    secret = quote(PASSWORD, safe="")
    for driver in (
        "postgresql+asyncpg",
        "postgresql+psycopg",
        "kingbase+asyncpg",
        "mysql+asyncmy",
        "mysql+pymysql",
        "mysql+aiomysql",
    ):
        yield f"{driver}://gwc:{secret}@{DEAD}/zc"
        yield f"{driver}://gwc:{secret}@host.invalid/zc"
        there = make_url(mariadb if driver.startswith("mysql") else postgres)
        yield f"{driver}://gwc_nobody:{secret}@{there.host}:{there.port}/{there.database}"
        yield f"{driver}://gwc_nobody:{secret}@{there.host}:{there.port}/gwc_none"
        yield f"{driver}://gwc:{secret}@{DEAD}:x/zc"
        yield f"{driver}://gwc:{secret}@[::1/zc"
        yield f"{driver}://gwc@{DEAD}/zc?password={secret}"
        yield f"{driver}://gwc@{DEAD}/zc?no_such_argument=1&passwd={secret}"
        yield f"{driver}://gwc:{PASSWORD}@{DEAD}/zc"
    yield f"postgresql+nodriver://gwc:{secret}@{DEAD}/zc"
    yield f"mysql+nodriver://gwc:{secret}@{DEAD}/zc"


async def test_no_message_shows_a_password(
    mariadb_database: str, postgres_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    for url in failing(mariadb_database, postgres_database):
        made = settings(url, connect_timeout_s=1.0)
        said.append(repr(made))
        reader: EngineReader | None = None
        try:
            reader = EngineReader(made)
            said.append(repr(reader))
            with pytest.raises(StoreError) as caught:
                await reader.open()
            error = caught.value
        except StoreError as refused:
            error = refused
        finally:
            if reader is not None:
                await reader.close()
        said += [str(error), repr(error), repr(error.fault), "".join(traceback.format_exception(error))]
    said += [record.getMessage() for record in caplog.records]
    shown = [text for text in said if any(secret in text for secret in spellings(PASSWORD))]
    assert shown == []
    assert len(said) > 200


def test_a_mapping_is_shown_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMS_PASSWORD", quote(PASSWORD, safe=""))
    store = {"engine": "postgresql", "url": "postgresql://gwc:${GAMS_PASSWORD}@host/db?sslmode=require"}
    mapping = mapping_of(tmp_path, store=store)
    assert make_url(mapping.store.url).password == PASSWORD
    assert "'postgresql://gwc:***@host/db?sslmode=require'" in repr(mapping)
    assert "s3cr" not in repr(mapping)


# --- drivers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "module", "remedy"),
    [
        ("postgresql+psycopg://host/db", "psycopg", "gongwucang[postgresql-sync]"),
        ("mysql+pymysql://host/db", "pymysql", "gongwucang[mysql-sync]"),
        ("mysql+mysqldb://host/db", "MySQLdb", "pip install mysqlclient"),
        ("oracle://host/db", "oracledb", "gongwucang[oracle]"),
        ("mssql://host/db", "aioodbc", "gongwucang[mssql]"),
        ("dm://host/db", "dmPython", "gongwucang[dm]"),
        ("kingbase://host/db", "asyncpg", "gongwucang[kingbase]"),
    ],
)
def test_a_missing_driver_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, remedy: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StoreUnsupported) as caught:
        make_engine(settings(url))
    assert remedy in str(caught.value)


def test_a_url_of_another_engine_is_refused() -> None:
    made = StoreSettings(engine="postgresql", url="mysql+pymysql://host/db")
    with pytest.raises(StoreUnsupported, match="the url is none of a postgresql store"):
        make_engine(made)


@pytest.mark.parametrize(
    ("url", "is_async"),
    [
        ("mariadb://host/db", True),
        ("mysql+pymysql://host/db", False),
        ("kingbase://host/db", True),
        ("kingbase+psycopg://host/db", False),
    ],
)
def test_an_async_driver_is_taken_unless_another_is_named(url: str, is_async: bool) -> None:
    assert make_engine(settings(url)).dialect.is_async is is_async


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("KingbaseES V008R006C007B0012 on x86_64-pc-linux-gnu, compiled by gcc", (12, 0)),
        ("KingbaseES V009R001C001", (12, 0)),
        ("PostgreSQL 15.4 (Debian)", (15, 4)),
    ],
)
def test_the_banner_of_kingbase(banner: str, version: tuple[int, ...]) -> None:
    assert version_of(banner) == version


def test_another_servers_banner_is_refused() -> None:
    with pytest.raises(ValueError, match="no KingbaseES"):
        version_of("MySQL 8")


# --- the line -------------------------------------------------------------------------------------------------------


def test_ciphers_are_not_told_to_libpq() -> None:
    with pytest.raises(StoreUnsupported, match="libpq"):
        make_engine(settings("postgresql+psycopg://host/db", tls="require", tls_ciphers="DEFAULT"))


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg", "mysql+asyncmy", "mysql+pymysql"])
async def test_a_server_without_encryption_is_refused_where_it_is_required(
    driver: str, mariadb_database: str, postgres_database: str
) -> None:
    """Neither test server speaks TLS."""
    url = mariadb_database if driver.startswith("mysql") else postgres_database
    reader = EngineReader(settings(url.replace(url.partition("://")[0], driver, 1), tls="require"))
    try:
        with pytest.raises(StoreError):
            await reader.open()
    finally:
        await reader.close()
