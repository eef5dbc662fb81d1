"""What explain tells of an execution: every fetch with its time, and each member's part in a scattered one.

Nothing here exists unless it was asked for: `Run.trace` is None, and looking at that is all an execution pays.
Of what is asked twice (a retry, a second URL) the one that answered is told, with how it came about.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.execution.answers import Failure, Outcome
from gateway.execution.members import MemberName
from gateway.execution.shapes import Shape
from gateway.supergraph.model import GatherKind, SourceStatus

__all__ = ["FetchTrace", "MemberTrace", "Trace", "rows_of"]

_MANY = frozenset({GatherKind.LIST, GatherKind.GROUPS})


@dataclass(slots=True)
class MemberTrace:
    """What one member was asked in a scattered fetch, and what became of it."""

    member: MemberName
    operation: str
    milliseconds: float
    rows: int = 0
    """How many it sent, before merging."""
    state: str = "OK"
    """Of the vocabulary of `extensions.partitions`."""
    cause: str | None = None
    attempts: int = 1
    """More than one where it was retried."""
    is_hedged: bool = False
    """Whether another of its URLs was asked as well, for the first one was slow."""
    age_s: float | None = None
    """Of an answer that was kept from earlier."""

    def to_json(self, language: str) -> dict[str, Any]:
        written: dict[str, Any] = {
            "region": self.member.region,
            "name": self.member.name_in(language),
            "state": self.state,
            "ms": round(self.milliseconds, 2),
            "rows": self.rows,
            "operation": self.operation,
        }
        if self.cause is not None:
            written["cause"] = self.cause
        if self.attempts > 1:
            written["attempts"] = self.attempts
        if self.is_hedged:
            written["hedged"] = True
        if self.age_s is not None:
            written["ageSeconds"] = round(self.age_s, 1)
        return written


@dataclass(slots=True)
class FetchTrace:
    """One fetch of the plan."""

    service: str
    paths: tuple[str, ...]
    """Where its entities stand, as the plan prints it; none for root fields."""
    started: float
    """On `time.monotonic`."""
    milliseconds: float = 0.0
    state: str = "OK"
    """Else the failure's code; a scattered fetch has its members' states instead."""
    members: list[MemberTrace] | None = None
    """None: not scattered."""
    pruned: tuple[str, ...] = ()
    """Regions of the members that it does not concern."""

    def end(self, outcome: Outcome | None = None) -> None:
        self.milliseconds = (time.monotonic() - self.started) * 1000
        if isinstance(outcome, Failure):
            self.state = outcome.code

    def asked(self, one: MemberTrace) -> None:
        assert self.members is not None, "only a scattered fetch has members"
        self.members.append(one)

    def found_out(self, member: MemberName, state: str, cause: str) -> None:
        """A member's answer came and turned out to be no good."""
        for one in self.members or ():
            if one.member is member and one.state == "OK":
                one.state, one.cause = state, cause

    def stood_in(self, member: MemberName, cause: str, age_s: float) -> None:
        """A member's earlier answer was taken."""
        for one in self.members or ():
            if one.member is member:
                one.state, one.cause, one.age_s = SourceStatus.STALE, cause, age_s

    def to_json(self, began: float, language: str) -> dict[str, Any]:
        written: dict[str, Any] = {
            "service": self.service,
            "startMs": round((self.started - began) * 1000, 2),
            "ms": round(self.milliseconds, 2),
        }
        if self.paths:
            written["paths"] = list(self.paths)
        if self.members is None:
            written["state"] = self.state
            return written
        written["members"] = [one.to_json(language) for one in self.members]
        written["pruned"] = list(self.pruned)
        return written


@dataclass(slots=True)
class Trace:
    """All fetches of one execution, in the order in which they began."""

    began: float = field(default_factory=time.monotonic)
    fetches: list[FetchTrace] = field(default_factory=list)

    def begin(self, service: str, paths: tuple[str, ...], *, scattered: bool = False) -> FetchTrace:
        one = FetchTrace(service, paths, time.monotonic(), members=[] if scattered else None)
        self.fetches.append(one)
        return one

    def to_json(self, language: str) -> dict[str, Any]:
        return {"fetches": [one.to_json(self.began, language) for one in self.fetches]}


def rows_of(outcome: Outcome, shapes: Iterable[Shape]) -> int:
    """Rows in a member's answer to root fields or for entities: a connection's, a list's items, else one each."""
    if isinstance(outcome, Failure) or outcome.data is None:
        return 0
    asked = tuple(shapes)
    entities = outcome.data.get("_entities")
    if entities is None:
        return _rows_in(outcome.data, asked)
    return sum(_rows_of_entity(one, asked) for one in entities if isinstance(one, dict))


def _rows_of_entity(entity: Mapping[str, Any], shapes: tuple[Shape, ...]) -> int:
    """Of gathered fields; an entity that has none is a row itself."""
    gathered = tuple(one for one in shapes if one.key in entity)
    return _rows_in(entity, gathered) if gathered else 1


def _rows_in(data: Mapping[str, Any], shapes: Iterable[Shape]) -> int:
    return sum(_count(one, data.get(one.key)) for one in shapes)


def _count(shape: Shape, value: Any) -> int:
    if value is None:
        return 0
    if shape.kind is GatherKind.CONNECTION and shape.connection is not None:
        keys = (*shape.connection.nodes, *(key for key, _ in shape.connection.edges))
        lists = [value[key] for key in keys if isinstance(value, dict) and isinstance(value.get(key), list)]
        return max(map(len, lists), default=0)
    if shape.kind in _MANY:
        return len(value) if isinstance(value, list) else 0
    return 1
