"""Canonical rows as the contract shows them: only the fields selected, only what the viewer may see.

`AssetView` is made once per selection and request: it names the columns to ask the store for, and turns each row
into a plain dict that the kit projects in one go.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from adapters.model import Issue, Row
from contract.ids import format_id
from subgraphs.district.member import Listed, Member
from subgraphs.district.policy import PERSONAL_FIELDS, Viewer
from subgraphs.kit.caller import Language

__all__ = ["AssetView", "asset_view", "issue_rows"]

_COLUMNS: dict[str, tuple[str, ...]] = {
    "id": (),
    "region": (),
    "class": ("classScheme", "classCode", "className"),
    "legacyClass": ("legacyClassScheme", "legacyClassCode", "legacyClassName"),
    "keeper": ("keeper", "owner"),
    "user": ("user", "owner"),
}
"""Fields that are not one column of the same name."""

_ALWAYS = frozenset(("native",))
"""A column that every row of a store holds, and every id is made of."""

_ELSEWHERE = frozenset(("__typename", "busy"))
"""Fields that no row answers."""

Show = Callable[[Row], Any]


class AssetView:
    """How assets are shown to one viewer: `columns` to ask for, `show` for each row."""

    __slots__ = ("_shown", "columns")

    def __init__(self, columns: frozenset[str], shown: list[tuple[str, str | None, Show | None]]) -> None:
        self.columns = columns
        self._shown = shown

    def show(self, row: Row) -> dict[str, Any]:
        get = row.get
        return {
            key: get(column) if column is not None else None if make is None else make(row)
            for key, column, make in self._shown
        }

    def all(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        return [self.show(row) for row in rows]


async def asset_view(member: Member, viewer: Viewer, language: Language, fields: frozenset[str]) -> AssetView:
    """The view of the `Asset` fields selected."""
    columns: set[str] = set()
    shown: list[tuple[str, str | None, Show | None]] = []
    units = await member.units.all() if "owner" in fields else {}
    warehouses = await member.warehouses.all() if "warehouse" in fields else {}
    for field in (fields | {"id"}) - _ELSEWHERE:
        key = "class_" if field == "class" else field
        if not viewer.may_select(field):
            shown.append((key, None, _no_issues if field == "issues" else None))
            continue
        columns.update(_COLUMNS.get(field, (field,)))
        make = _maker(field, member, viewer, language, units, warehouses)
        shown.append((key, field if make is None else None, make))
    return AssetView(frozenset(columns | _ALWAYS), shown)


def _maker(
    field: str,
    member: Member,
    viewer: Viewer,
    language: Language,
    units: Mapping[str, Listed],
    warehouses: Mapping[str, Listed],
) -> Show | None:
    """How a field is made of a row; None where it is the column of the same name."""
    if field in PERSONAL_FIELDS:
        return lambda row: row.get(field) if viewer.sees_personal_of(row.get("owner")) else None
    match field:
        case "id":
            region = member.region
            return lambda row: format_id("asset", region, row["native"])
        case "region":
            region_row = member.region_row
            return lambda _row: region_row
        case "class":
            return lambda row: _class(row, "classScheme", "classCode", "className")
        case "legacyClass":
            return lambda row: _class(row, "legacyClassScheme", "legacyClassCode", "legacyClassName")
        case "owner":
            return lambda row: units.get(row.get("owner") or "")
        case "warehouse":
            return lambda row: warehouses.get(row.get("warehouse") or "")
        case "issues":
            return lambda row: issue_rows(row["issues"], viewer, language)
    return None


def _class(row: Row, scheme: str, code: str, name: str) -> dict[str, Any] | None:
    found = row.get(code)
    return None if found is None else {"scheme": row.get(scheme), "code": found, "name": row.get(name)}


def _no_issues(_row: Row) -> list[Any]:
    return []


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
