"""How an interface is paged: the table [rest] of a mapping.

It says by which parameters a page is asked for, where its rows stand in the answer, and how the caller shows who it is;
the token itself comes from the environment and stands in no message, no digest and no file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Final, Literal

from adapters.mapping.toml import MappingError, Section

__all__ = ["REST", "RestPaging", "read_rest"]

REST: Final = "rest"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PAGE_SIZE_MAX = 10_000
_ANSWER_MIB_MAX = 256
_PATIENCE_S_MAX = 3_600
_LINK: Final = "link"


@dataclass(frozen=True, slots=True)
class RestPaging:
    token_header: str | None = None
    token: str | None = field(default=None, repr=False)
    """Filled in from the environment; no part of what an index is known by."""
    rows_at: str = ""
    """Dotted path to the list of rows in an answer; empty: the answer itself is the list."""
    total_at: str | None = None
    by: Literal["page", "offset", "cursor", "link"] = "page"
    """What leads to the next page: its number, the number of rows before it, a cursor or a link out of this one."""
    parameter: str | None = "page"
    """The parameter for that; none for links."""
    first_page: int = 1
    next_at: str | None = None
    """Dotted path to the cursor or link."""
    size_parameter: str | None = "pageSize"
    page_size: int = 200
    since_parameter: str | None = None
    """The parameter by which only rows changed since an instant are answered."""
    answer_bytes_max: int = 8 << 20
    patience_s: float = 120.0
    """How long one reading may spend waiting for a busy or failing interface, all waits together."""
    columns: Map[str, tuple[str, ...]] = field(default_factory=dict)
    """Column → the paths it may stand at."""


def read_rest(section: Section) -> RestPaging:
    header = section.maybe_text("token_header")
    if header is not None and not _HEADER.fullmatch(header):
        raise MappingError(section.at("token_header"), f"{header!r} is no header's name", "such as X-Api-Token")
    by = section.choice("by", ("page", "offset", "cursor", _LINK), "page")
    led = by in ("cursor", _LINK)
    paging = RestPaging(
        token_header=header,
        token=_token(section, header),
        rows_at=section.text("rows_at", ""),
        total_at=section.maybe_text("total_at"),
        by="page" if by == "page" else "offset" if by == "offset" else "cursor" if by == "cursor" else "link",
        parameter=None if by == _LINK else section.text("parameter", by),
        first_page=section.integer("first_page", 1, 0, 1),
        next_at=section.text("next_at") if led else None,
        size_parameter=section.text("size_parameter", "pageSize") or None,
        page_size=section.integer("page_size", 200, 1, _PAGE_SIZE_MAX),
        since_parameter=section.maybe_text("since_parameter"),
        answer_bytes_max=section.integer("answer_mib_max", 8, 1, _ANSWER_MIB_MAX) << 20,
        patience_s=float(section.integer("patience_s", 120, 0, _PATIENCE_S_MAX)),
        columns=_columns(section.section("columns")),
    )
    for key, meant in (("parameter", by != _LINK), ("next_at", led), ("first_page", by == "page")):
        if section.has(key) and not meant:
            raise MappingError(section.at(key), f"it means nothing where pages are led to by {by}", "remove it")
    section.done()
    return paging


def _token(section: Section, header: str | None) -> str | None:
    variable = section.maybe_text("token_env")
    if (header is None) != (variable is None):
        missing = "token_env" if variable is None else "token_header"
        raise MappingError(section.at(missing), "token_header and token_env belong together", f"add {missing}")
    prefix = section.text("token_prefix", "")
    if variable is None:
        return None
    token = os.environ.get(variable)
    if not token:
        raise MappingError(
            section.at("token_env"), f"the environment has no {variable}", f"set {variable} before starting"
        )
    if not token.isascii() or not token.isprintable():
        raise MappingError(section.at("token_env"), f"what {variable} holds cannot stand in a header")
    return prefix + token


def _columns(section: Section) -> dict[str, tuple[str, ...]]:
    found = {name: section.texts(name) for name in section.data}
    for name, paths in found.items():
        if not paths:
            raise MappingError(section.at(name), "the column stands nowhere", 'write paths, such as ["a", "b.c"]')
    return found
