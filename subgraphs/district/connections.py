"""The connection of assets, its summary and facets: what one member answers for its own rows.

A `Reading` is what a field is to read: the whole condition (the client's, a rule's, the viewer's rights), and the plain
JSON its cursors are bound to. Only what is selected is asked of the store: the page, its columns, the count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from adapters.model import Filter, GroupRow, KeyIn, Not, Page, PageRequest, Store
from contract.decimals import format_decimal, format_money
from subgraphs.district.filters import all_of, normal_form, parse_filter
from subgraphs.district.member import DistrictContext, Member
from subgraphs.district.paging import PageArguments, Paging, paging_of
from subgraphs.district.passing import page_passing
from subgraphs.district.rows import asset_view
from subgraphs.kit.selection import Selection

__all__ = ["Reading", "facets", "read_connection", "read_summary", "reading", "source_of"]

Json = dict[str, Any]

_FACET_COLUMNS = {"CLASS": "classCode", "STATUS": "status", "CONDITION": "condition"}
_SUMMARY_COLUMNS = {"CLASS": "classTop", "STATUS": "status"}
_KEPT_LENGTH_MAX = 4096
"""A filter longer than this is parsed each time."""


@dataclass(frozen=True, slots=True)
class Reading:
    condition: Filter | None
    bound_to: Any
    taken: frozenset[str] = frozenset()
    """Native keys that are left out beside: a page passes over them (see `passing`), what counts asks for the rest."""

    @property
    def whole(self) -> Filter | None:
        """The condition with what is left out: for counts, where the store must do it all."""
        return all_of((self.condition, Not(KeyIn(tuple(sorted(self.taken)))) if self.taken else None))


async def reading(context: DistrictContext, filter_: Any) -> Reading:
    """The client's own filter under the viewer's rights. Raises `BadInput` or `Forbidden`."""
    viewer = await context.viewer()
    condition, bound_to = _judged(filter_, context.member.region)
    viewer.check_filter(filter_)
    return Reading(all_of((condition, viewer.rows(context.member.today()))), bound_to)


def _judged(filter_: Any, region: str) -> tuple[Filter | None, Any]:
    """The condition of a filter, and what its cursors are bound to; pages of a walk have the same one."""
    text = orjson.dumps(filter_)
    return _parsed(text, region) if len(text) <= _KEPT_LENGTH_MAX else _parsed.__wrapped__(text, region)


@lru_cache(maxsize=256)
def _parsed(text: bytes, region: str) -> tuple[Filter | None, Any]:
    filter_ = orjson.loads(text)
    return parse_filter(filter_, region), normal_form(filter_)


async def read_connection(
    context: DistrictContext,
    what: Reading,
    order: Sequence[tuple[str, str]],
    arguments: PageArguments,
    selected: Selection,
) -> Json:
    """An `AssetConnection`; `condition` stays in it for its facets."""
    member = context.member
    started = time.monotonic()
    paging = paging_of(arguments, order, what.bound_to, member.region, member.store.native_kinds)
    if "totalCount" in selected:
        page, count = await asyncio.gather(_page(context, what, paging, selected), member.store.count(what.whole))
    else:
        page, count = await _page(context, what, paging, selected), None
    connection: Json = {"condition": what.whole, "totalCount": count, "totalIsExact": True, **page}
    if "sources" in selected:
        connection["sources"] = [await source_of(member, started)]
    return connection


async def _page(context: DistrictContext, what: Reading, paging: Paging, selected: Selection) -> Json:
    if not ("nodes" in selected or "edges" in selected or "pageInfo" in selected):
        return {}
    fields = selected.below("nodes").names | selected.below("edges").below("node").names
    view = await asset_view(context.member, await context.viewer(), context.caller.language, fields)
    request = paging.request(what.condition, view.columns)
    page = _EMPTY if request is None else await _read(context.member.store, request, what.taken)
    nodes = view.all(page.rows)
    found: Json = {"nodes": nodes, "pageInfo": paging.page_info(page, selected.below("pageInfo").names)}
    if "edges" in selected:
        cursors = paging.cursors(page)
        found["edges"] = [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)]
    return found


_EMPTY = Page(rows=(), sort_values=(), native_values=(), has_more=False)


async def _read(store: Store, request: PageRequest, taken: frozenset[str]) -> Page:
    """The page; of a page of no rows it is still asked whether more follow."""
    if request.limit:
        return await page_passing(store, request, taken)
    beyond = await page_passing(store, replace(request, limit=1), taken)
    return replace(_EMPTY, has_more=bool(beyond.rows))


async def source_of(member: Member, started: float) -> Json:
    """This member's own state, as the answer of one that answered."""
    as_of = await member.store.as_of()
    return {
        "region": member.region,
        "name": member.region_row["name"],
        "status": "OK",
        "latencyMs": round((time.monotonic() - started) * 1000, 3),
        "asOf": as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


async def facets(member: Member, condition: Filter | None, fields: Sequence[str]) -> list[Json]:
    """Counts by each field's values; a field asked for twice is counted once."""
    wanted = list(dict.fromkeys(fields))
    groups = await asyncio.gather(*(_facet(member, condition, field) for field in wanted))
    return [
        {"field": field, "value": v, "count": n} for field, found in zip(wanted, groups, strict=True) for v, n in found
    ]


async def _facet(member: Member, condition: Filter | None, field: str) -> list[tuple[str | None, int]]:
    if field == "REGION":
        count = await member.store.count(condition)
        return [(member.region, count)] if count else []
    return [(group.key[0], group.count) for group in await member.store.groups([_FACET_COLUMNS[field]], condition)]


async def read_summary(context: DistrictContext, what: Reading, by: Sequence[str], selected: Selection) -> Json:
    """An `AssetSummary` by the dimensions given; without any, one group of all rows."""
    member = context.member
    started = time.monotonic()
    dimensions = list(dict.fromkeys(by))
    columns = [name for name in dimensions if name in _SUMMARY_COLUMNS]
    summary: Json = {"totalIsExact": True}
    if "groups" in selected:
        groups = await member.store.groups([_SUMMARY_COLUMNS[name] for name in columns], what.whole)
        region = member.region if "REGION" in dimensions else None
        summary["groups"] = [_group(region, columns, group) for group in groups if group.count]
    if "sources" in selected:
        summary["sources"] = [await source_of(member, started)]
    return summary


def _group(region: str | None, columns: Sequence[str], group: GroupRow) -> Json:
    key: Mapping[str, str | None] = dict(zip(columns, group.key, strict=True))
    return {
        "region": region,
        "class_": key.get("CLASS"),
        "status": key.get("STATUS"),
        "count": group.count,
        "quantity": format_decimal(group.quantity),
        "originalValue": format_money(group.original_value),
        "netValue": format_money(group.net_value),
    }
