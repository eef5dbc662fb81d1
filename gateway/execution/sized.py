"""A page in sizes, for one request: whom to ask for how many rows, who is asked once more, and adding what comes.

*One refill is enough.* A page lacks `wanted` rows when it ended at the frontier: the last row of a member that has more.
Each member that has more and holds fewer than `wanted` rows behind the page's end is asked for what it lacks of them. Then every
member that has more holds `wanted` rows or more behind that end; they are all at or before its last row, so wherever
the new frontier lies, `wanted` rows lie before it. Only a member that gives fewer rows than it is asked for, or that fails,
leaves the page short: it still ends at the frontier and is true.

*Pages of entities.* One field of several entities is one field of the operation, so a member is asked for as many rows
of each as any of them wants of it; what is lacking is asked for each entity by itself.

Who failed in the refill has answered for all rows of the page, since none of its rows is passed over. So the walk lacks
nothing of it, its totals stand, and only the missing rest is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeGuard

from gateway.execution.answers import Failure, error_path
from gateway.execution.member_operations import MemberOperation
from gateway.execution.members import Member
from gateway.execution.page_sizes import SIZED_ENTITIES_MAX, SIZED_FROM
from gateway.execution.pages import Filling, Rest
from gateway.execution.parts import Missing
from gateway.execution.replies import FieldReplies, Reply, refused, status_of, value_at
from gateway.execution.scatter import CompiledScatter
from gateway.execution.shapes import MISSING, ConnectionKeys, Shape
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import SourceStatus

__all__ = ["SizedPages", "Spot", "add_rows"]


class Spot(NamedTuple):
    """Where a gathered field stands in one round: its place in the operation, and of which representation it is."""

    field: int
    representation: int | None = None
    """None: a root field."""


class SizedPages:
    """The fields of one round that are asked for in sizes."""

    def __init__(
        self, scatter: CompiledScatter, variables: Mapping[str, Any], concerned: Mapping[Spot, Sequence[Member]]
    ) -> None:
        self._scatter = scatter
        self._concerned = concerned
        self._asked: dict[tuple[int, str], int] = {}
        self._firsts = {
            place: first
            for place, spots in _by_field(scatter, concerned).items()
            if len(spots) <= SIZED_ENTITIES_MAX
            and any(len(concerned[spot]) > 1 for spot in spots)
            and (first := _first(scatter.shapes[place], variables)) >= SIZED_FROM
        }
        self._afters = {place: scatter.shapes[place].arguments.get("after", variables) for place in self._firsts}
        self.spots = tuple(spot for spot in concerned if spot.field in self._firsts)
        self._whole = {(spot.field, concerned[spot][0].region) for spot in self.spots if len(concerned[spot]) == 1}
        """What one member alone is asked for: it has the whole page to give."""

    def operation(self, places: tuple[int, ...], region: str) -> tuple[MemberOperation, dict[str, Any]]:
        """What a member is asked for these fields, and the values of the gateway's own variables in it."""
        own = tuple(place for place in places if place in self._firsts)
        values: dict[str, Any] = {}
        for place in own:
            size = self._asked[place, region] = self._size(place, region)
            values |= self._values(place, size, self._afters[place])
        return self._scatter.operation_for(places, own), values

    def _size(self, place: int, region: str) -> int:
        first = self._firsts[place]
        return first if (place, region) in self._whole else self._scatter.sizes.size(place, region, first)

    def rest(self, place: int, rest: Rest) -> tuple[MemberOperation, dict[str, Any]]:
        return self._scatter.rest_for(place), self._values(place, rest.count, rest.after)

    def _values(self, place: int, first: int, after: Any) -> dict[str, Any]:
        field = self._scatter.sized[place]
        return {field.first: first} if after is MISSING else {field.first: first, field.after: after}

    def wanted(self, spot: Spot, found: FieldReplies, filling: Filling | None) -> list[tuple[Member, Rest]]:
        """Who is to be asked once more. Who was asked for the whole page has nothing to add, nor has an earlier answer."""
        if filling is None:
            return []
        fresh = {part.member.region for part in found.parts if part.stale is None}
        return [
            (member, filling.wanted[member.region])
            for member in self._concerned[spot]
            if member.region in filling.wanted
            and member.region in fresh
            and self._asked[spot.field, member.region] < self._firsts[spot.field]
        ]

    def learn(self, fillings: Mapping[Spot, Filling | None]) -> None:
        """Of each field once: of several entities' pages, the one that took the most of a member teaches its share."""
        taken: dict[int, dict[str, int]] = {}
        for spot, filling in fillings.items():
            if filling is not None and filling.is_full:
                most = taken.setdefault(spot.field, {})
                most |= {region: max(rows, most.get(region, 0)) for region, rows in filling.taken.items()}
        for place, rows in taken.items():
            self._scatter.sizes.learn(place, self._firsts[place], rows)


def _by_field(scatter: CompiledScatter, spots: Iterable[Spot]) -> dict[int, list[Spot]]:
    found: dict[int, list[Spot]] = {}
    for spot in spots:
        if spot.field in scatter.sized:
            found.setdefault(spot.field, []).append(spot)
    return found


def _first(shape: Shape, variables: Mapping[str, Any]) -> int:
    """The rows that the client wants of a walk forwards; 0: the request does not say, or means another page."""
    if any(shape.arguments.get(name, variables) not in (MISSING, None) for name in ("last", "before")):
        return 0
    first = shape.arguments.get("first", variables)
    return first if isinstance(first, int) else 0


def add_rows(shape: Shape, found: FieldReplies, reply: Reply, path: ResponsePath) -> None:
    """What a member gave when it was asked once more, behind its first rows; or why it gave nothing. `path`: where the
    field stands in the reply.
    """
    keys, member, outcome = shape.connection, reply.member, reply.outcome
    assert keys is not None
    if isinstance(outcome, Failure):
        found.cut_short.append(Missing(member.name, status_of(outcome), outcome.code, reply.latency_ms))
        return
    more = value_at(outcome.data, path)
    place = next(place for place, part in enumerate(found.parts) if part.member is member.name)
    value = found.parts[place].value
    if not _are_rows(more, keys):
        unread = Missing(member.name, SourceStatus.UNAVAILABLE, Code.SUBGRAPH_BAD_RESPONSE, reply.latency_ms)
        found.cut_short.append(refused(member, outcome.errors[0]) if outcome.errors else unread)
        return
    lists = (*keys.nodes, *(key for key, _ in keys.edges))
    before = {key: len(value[key]) for key in lists}
    rows = {key: [*value[key], *more[key]] for key in lists}
    infos = {key: _joined_info(value[key], more[key], fields) for key, fields in keys.pages}
    found.parts[place] = replace(found.parts[place], value={**value, **rows, **infos})
    for raw in outcome.errors:
        below = (error_path(raw) or ())[len(path) :]
        found.carried.append((member, _behind(below, before), raw))


def _are_rows(value: Any, keys: ConnectionKeys) -> TypeGuard[dict[str, Any]]:
    lists = (*keys.nodes, *(key for key, _ in keys.edges))
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), list) for key in lists)
        and all(isinstance(value.get(key), dict) for key, _ in keys.pages)
    )


def _joined_info(first: dict[str, Any], rest: Mapping[str, Any], fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What follows is said of the later rows, what precedes of the first ones; the cursors are the gateway's."""
    return {**first, **{inner: rest.get(inner) for inner, name in fields if name == "hasNextPage"}}


def _behind(path: ResponsePath, before: Mapping[str, int]) -> ResponsePath:
    """A path into the later rows, as one into all."""
    if len(path) > 1 and isinstance(path[1], int) and path[0] in before:
        return (path[0], before[str(path[0])] + path[1], *path[2:])
    return path
