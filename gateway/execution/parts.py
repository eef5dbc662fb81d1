"""What members gave for one gathered field, and what is noted while it becomes one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.execution.members import MemberName
from gateway.execution.pages import Filling
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import SourceStatus

__all__ = ["GatherNotes", "Missing", "Moved", "Part", "StoodIn", "Violation"]


@dataclass(frozen=True, slots=True)
class StoodIn:
    """Why a member's value is of an earlier answer, and how old that is."""

    cause: str
    at: float
    """When it came, in seconds since 1970."""
    age_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """One member's value of the field."""

    member: MemberName
    value: Any
    latency_ms: float = 0.0
    stale: StoodIn | None = None
    """None: it answered."""
    is_whole: bool = True
    """False: of an older member, which does not know something that is to be summed or compared here."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A member that was asked and gave no value."""

    member: MemberName
    status: SourceStatus
    cause: str
    latency_ms: float | None = None
    lacks: tuple[str, ...] = ()
    """Of an older member: what it does not know (schema coordinates)."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A member cut out while gathering."""

    member: MemberName
    path: ResponsePath
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a member's rows of a list went, so that its errors can follow: old index → new index."""

    region: str
    path: ResponsePath
    """The list, below the gathered field."""
    indexes: Mapping[int, int]


@dataclass(slots=True)
class GatherNotes:
    variables: Mapping[str, Any]
    language: str = "zh"
    trace: bool = False
    """Whether `moved` is wanted: only when a member's answer has errors."""
    violations: list[Violation] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    missed_earlier: set[str] = field(default_factory=set)
    filling: Filling | None = None
    """Of a connection with rows that is the gathered field itself."""
