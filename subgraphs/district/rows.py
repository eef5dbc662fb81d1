"""Canonical rows as the contract shows them: only the fields selected, only what the viewer may see.

`AssetView` is made once per selection and request: it names the columns to ask the store for, and turns each row
into a plain dict that the kit projects in one go. Which keys that dict has, and which of them are columns, is the same
for all requests of one selection: it is written as one dict display and kept (`_shape`); a request brings the makers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from adapters.model import Issue, Row
from contract.ids import format_id
from subgraphs.district.custody.cards import Cards
from subgraphs.district.member import Listed, Member
from subgraphs.district.policy import PERSONAL_FIELDS, Viewer
from subgraphs.kit.caller import Language

__all__ = ["AssetView", "asset_view", "issue_rows"]

_COLUMNS: dict[str, tuple[str, ...]] = {
    "id": (),
    "region": (),
    "lineageId": (),
    "successorId": (),
    "predecessorId": (),
    "class": ("classScheme", "classCode", "className"),
    "legacyClass": ("legacyClassScheme", "legacyClassCode", "legacyClassName"),
    "keeper": ("keeper", "owner"),
    "user": ("user", "owner"),
}
"""Fields that are not one column of the same name."""

_LINKS = frozenset(("lineageId", "successorId", "predecessorId"))
_MADE = frozenset((*PERSONAL_FIELDS, *_LINKS, "id", "region", "class", "legacyClass", "owner", "warehouse", "issues"))
"""Fields that are made of a row by a function of the viewer's request."""

_KEYS = {"class": "class_"}
"""Fields whose key in a shown row is not their name."""

_ALWAYS = frozenset(("native",))
"""A column that every row of a store holds, and every id is made of."""

_ELSEWHERE = frozenset(("__typename", "busy"))
"""Fields that no row answers."""

Show = Callable[[Row], Any]


class AssetView:
    """How assets are shown to one viewer: `columns` to ask for, `show` for each row."""

    __slots__ = ("columns", "show")

    def __init__(self, columns: frozenset[str], show: Show) -> None:
        self.columns = columns
        self.show = show

    def all(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        show = self.show
        return [show(row) for row in rows]


async def asset_view(member: Member, viewer: Viewer, language: Language, fields: frozenset[str]) -> AssetView:
    """The view of the `Asset` fields selected."""
    units = await member.units.all() if "owner" in fields else {}
    warehouses = await member.warehouses.all() if "warehouse" in fields else {}
    cards = await member.book.cards() if fields & _LINKS else Cards(member.region)
    shape = _shape(fields, frozenset(field for field in fields if not viewer.may_select(field)))
    makers = [_maker(field, member, viewer, language, units, warehouses, cards) for field in shape.made]
    return AssetView(shape.columns, shape.show_by(*makers))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is alike for all viewers with the same selection and the same rights to fields."""

    columns: frozenset[str]
    made: tuple[str, ...]
    """Fields that need a maker."""
    show_by: Callable[..., Show]
    """Their makers, in that order → how a row is shown."""


@lru_cache(maxsize=256)
def _shape(fields: frozenset[str], hidden: frozenset[str]) -> _Shape:
    columns: set[str] = set()
    made: list[str] = []
    entries: list[str] = []
    for field in sorted((fields | {"id"}) - _ELSEWHERE):
        value = f"row.get({field!r})"
        if field in hidden:
            value = "[]" if field == "issues" else "None"
        else:
            columns.update(_COLUMNS.get(field, (field,)))
            if field in _MADE:
                value = f"m{len(made)}(row)"
                made.append(field)
        entries.append(f"{_KEYS.get(field, field)!r}: {value}")
    names = ", ".join(f"m{at}" for at in range(len(made)))
    space: dict[str, Any] = {}
    exec(f"def show_by({names}): return lambda row: {{{', '.join(entries)}}}", space)
    return _Shape(frozenset(columns | _ALWAYS), tuple(made), space["show_by"])


def _maker(
    field: str,
    member: Member,
    viewer: Viewer,
    language: Language,
    units: Mapping[str, Listed],
    warehouses: Mapping[str, Listed],
    cards: Cards,
) -> Show:
    """How a field is made of a row."""
    if field in PERSONAL_FIELDS:
        return lambda row: _personal(row, field, viewer)
    match field:
        case "id":
            region = member.region
            return lambda row: format_id("asset", region, row["native"])
        case "region":
            region_row = member.region_row
            return lambda _row: region_row
        case "lineageId":
            return lambda row: cards.lineage(row["native"])
        case "successorId":
            return lambda row: cards.successor(row["native"])
        case "predecessorId":
            return lambda row: cards.predecessor(row["native"])
        case "class":
            return lambda row: _class(row, "classScheme", "classCode", "className")
        case "legacyClass":
            return lambda row: _class(row, "legacyClassScheme", "legacyClassCode", "legacyClassName")
        case "owner":
            return lambda row: units.get(row.get("owner") or "")
        case "warehouse":
            return lambda row: warehouses.get(row.get("warehouse") or "")
        case _:
            return lambda row: _issues(row, viewer, language)


def _personal(row: Row, field: str, viewer: Viewer) -> Any:
    """For who may see it; that it is told is noted, for such reads are recorded."""
    value = row.get(field)
    if value is None or not viewer.sees_personal_of(row.get("owner")):
        return None
    viewer.personal_of.add(row["native"])
    return value


def _class(row: Row, scheme: str, code: str, name: str) -> dict[str, Any] | None:
    found = row.get(code)
    return None if found is None else {"scheme": row.get(scheme), "code": found, "name": row.get(name)}


def _issues(row: Row, viewer: Viewer, language: Language) -> list[dict[str, Any]]:
    issues = row["issues"]
    if viewer.sees_raw_values and any(issue["field"] in PERSONAL_FIELDS for issue in issues):
        viewer.personal_of.add(row["native"])
    return issue_rows(issues, viewer, language)


def issue_rows(issues: Iterable[Issue], viewer: Viewer, language: Language) -> list[dict[str, Any]]:
    raw = viewer.sees_raw_values
    return [
        {
            "code": issue["code"],
            "field": issue["field"],
            "raw": issue["raw"] if raw else None,
            "rule": issue["rule"],
            "message": _meaning(issue["code"], language),
            "blocking": issue["blocking"],
        }
        for issue in issues
    ]


def _meaning(code: str, language: Language) -> str:
    words = _meanings().get(code)
    return code if words is None else words[language]


@lru_cache(maxsize=1)
def _meanings() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("subgraphs.district").joinpath("issues.toml").read_text(encoding="utf-8"))
