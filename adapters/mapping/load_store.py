"""How the store is reached and what may be done with it: [store], [guest], [capabilities].

`${NAME}` in the store's url is filled in from the environment, so that no secret stands in a mapping; file urls are
relative to the mapping file.
"""

from __future__ import annotations

import codecs
import os
import re
import ssl
from collections.abc import Mapping as Map
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.kinds import BUILT_IN, known_kinds
from adapters.mapping.address import SECRET_PARAMETERS
from adapters.mapping.model import (
    FILE_ENGINES,
    SQL_ENGINES,
    FeedSettings,
    FieldMapping,
    Guest,
    HourSpan,
    StoreSettings,
    WriteGrant,
)
from adapters.mapping.toml import MappingError, Section
from adapters.status import StoreCapabilities

__all__ = ["GIVEN", "read_capabilities", "read_store"]

GIVEN: Final = "\x00given:"
"""Marks a url that came with the call and not out of the file: it may hold a password, and nothing is filled in."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_TLS = ("default", "off", "require", "verify")
_TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
_OF_SERVERS = ("connect_timeout_s", "connections_max", "compression", "tls", "tls_ca", "tls_ciphers", "tls_version_min")
"""Keys of [guest] that mean nothing where there is no server."""
_MINUTES_OF_A_DAY = 24 * 60


def read_store(section: Section, guest: Section, path: Path) -> StoreSettings:
    engine = section.choice("engine", known_kinds())
    mode = _mode(section, engine)
    for key in ("connections_max", "timeout_s"):
        if key in section.data:
            now = "statement_timeout_s" if key == "timeout_s" else key
            raise MappingError(section.at(key), "this key stands in [guest]", f"write [guest] {now} = …")
    settings = StoreSettings(
        engine=engine,
        url=_url(section, engine, path),
        mode=mode,
        encoding=_encoding(section),
        scan_rows_max=section.integer("scan_rows_max", 50_000, 100, 1_000_000),
        reread_s=float(section.integer("reread_s", 2, 0, 86_400)),
        reload_s=float(section.integer("reload_s", 60, 1, 86_400)),
        guest=_guest(guest, engine, path),
    )
    section.done()
    return settings


def _mode(section: Section, engine: str) -> Literal["live", "indexed"]:
    live = engine in SQL_ENGINES or engine not in BUILT_IN
    mode = section.choice("mode", ("live", "indexed"), "live" if live else "indexed")
    if mode == "live" and not live:
        raise MappingError(section.at("mode"), f"a {engine} store cannot be read live", 'write mode = "indexed"')
    return "indexed" if mode == "indexed" else "live"


def _encoding(section: Section) -> str:
    name = section.text("encoding", "auto")
    try:
        return name if name == "auto" else codecs.lookup(name).name
    except (LookupError, ValueError):  # a name that is none at all
        raise MappingError(section.at("encoding"), f"{name!r} is not known", "auto, utf-8, gb18030, …") from None


# --- the url ------------------------------------------------------------------------------------------------------


def _url(section: Section, engine: str, path: Path) -> str:
    def filled(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise MappingError(
                section.at("url"), f"the environment has no {match[1]}", f"set {match[1]} before starting"
            )
        return value

    written = section.text("url")
    if written.startswith(GIVEN):
        return written.removeprefix(GIVEN)
    if engine == "sqlite" or engine in FILE_ENGINES:
        name = _VARIABLE.sub(filled, written)
        try:
            return str((path.parent / name).resolve())
        except ValueError:  # characters that no file name has
            raise MappingError(section.at("url"), "this is no file name", 'such as "zichan.sqlite"') from None
    try:
        is_secret = _shows_password(written)
    except ValueError:
        raise MappingError(section.at("url"), "this is no URL", f'such as "{engine}://host/database"') from None
    if is_secret:
        raise MappingError(
            section.at("url"), "a password stands in the mapping", "write ${NAME} and set it in the environment"
        )
    return _VARIABLE.sub(filled, written)


def _shows_password(written: str) -> bool:
    """Whether a password is spelt out, in whatever way drivers take one: `user:pw@`, also with `@` or `/` inside,
    percent-encoded, or as a parameter. What comes whole from the environment is none."""
    rest = written.partition("://")[2]
    before_parameters = rest.partition("?")[0]
    user, at, _ = (before_parameters if "@" in before_parameters else rest).rpartition("@")
    password = user.partition(":")[2] if at else ""
    parameters = parse_qsl(urlsplit(_VARIABLE.sub("", written.replace("#", "%23"))).query, keep_blank_values=False)
    named = any(name.lower() in SECRET_PARAMETERS and value for name, value in parameters)
    return named or bool(_VARIABLE.sub("", unquote(password)))


# --- [guest] ------------------------------------------------------------------------------------------------------


def _guest(section: Section, engine: str, path: Path) -> Guest:
    tls = section.choice("tls", _TLS, "default")
    authority = section.maybe_text("tls_ca")
    guest = Guest(
        connections_max=section.integer("connections_max", 2, 1, 16),
        hours=tuple(_hours(section, text) for text in section.texts("hours", ())),
        rows_per_s=section.integer("rows_per_s", 0, 1) if section.has("rows_per_s") else None,
        rows_burst=section.integer("rows_burst", 0, 1) if section.has("rows_burst") else 0,
        connect_timeout_s=float(section.integer("connect_timeout_s", 5, 1, 60)),
        statement_timeout_s=float(section.integer("statement_timeout_s", 10, 1, 600)),
        tls="off" if tls == "off" else "require" if tls == "require" else "verify" if tls == "verify" else "default",
        tls_ca=None if authority is None else str((path.parent / authority).resolve()),
        tls_version_min=section.choice("tls_version_min", _TLS_VERSIONS, "1.2"),
        tls_ciphers=_ciphers(section),
        compression=section.flag("compression", False),
    )
    section.done()
    if guest.rows_burst and guest.rows_per_s is None:
        raise MappingError(section.at("rows_burst"), "no rate is kept", "add rows_per_s")
    if guest.compression and engine not in ("mysql", "mariadb"):
        raise MappingError(section.at("compression"), f"the line to a {engine} store is not compressed", "remove it")
    for key in section.data:
        if key in _OF_SERVERS and (engine == "sqlite" or engine in FILE_ENGINES):
            raise MappingError(section.at(key), f"a {engine} store is no server", "remove it")
    for key in ("tls_ca", "tls_ciphers", "tls_version_min"):
        if section.has(key) and tls not in ("require", "verify"):
            raise MappingError(section.at(key), f"tls is {tls!r}", 'write tls = "verify" (or "require")')
    return guest


def _ciphers(section: Section) -> str | None:
    ciphers = section.maybe_text("tls_ciphers")
    if ciphers is not None:
        try:
            ssl.create_default_context().set_ciphers(ciphers)
        except ssl.SSLError:
            raise MappingError(
                section.at("tls_ciphers"), "OpenSSL knows none of these", "such as DEFAULT:@SECLEVEL=0"
            ) from None
    return ciphers


def _hours(section: Section, text: str) -> HourSpan:
    match = _HOURS.fullmatch(text.strip())
    if match is not None:
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if start != end and end <= _MINUTES_OF_A_DAY:
            return HourSpan(start, end)
    raise MappingError(section.at("hours"), f"{text!r} is no span of hours", "such as 22:00-06:00")


# --- [capabilities] -----------------------------------------------------------------------------------------------


def read_capabilities(
    section: Section,
    mode: Literal["live", "indexed"],
    write: WriteGrant | None,
    feed: FeedSettings | None,
    fields: Map[str, FieldMapping],
) -> StoreCapabilities:
    granted = StoreCapabilities(
        read=section.flag("read", True),
        hold=section.flag("hold", True),
        write=section.flag("write", write is not None),
        change_feed=section.flag("change_feed", feed is not None),
        mode=mode,
    )
    section.done()
    if granted.write and write is None:
        raise MappingError(section.at("write"), "the mapping does not say what is written", "add [write]")
    if granted.change_feed and feed is None and not {"version", "updatedAt"} & set(fields):
        raise MappingError(
            section.at("change_feed"), "no field tells what has changed", "map fields.updatedAt or fields.version"
        )
    return granted
