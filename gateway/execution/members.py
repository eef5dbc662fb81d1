"""The members of a partitioned graph: who answers for which region, and in what state they were last seen.

Membership is data (`members.toml`), never part of the supergraph, and may change while requests run. Therefore nobody
works on `Members` itself: a run takes its `Roll` once (`Run.roll`) and asks, gathers and settles by that one, whatever
`replace` puts in place meanwhile.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.execution.clients import SubgraphClient
from gateway.execution.limits import Limiter
from gateway.execution.resilience.state import Resilience
from gateway.supergraph.member_contract import MemberContract

__all__ = [
    "Member",
    "MemberName",
    "MemberSettings",
    "Members",
    "MembersInvalid",
    "Roll",
    "load_members",
    "parse_members",
]

CONCURRENCY_MAX = 32
QUEUE_MAX = 256
"""Requests at once to one member, and how many more may wait for their turn."""


class MembersInvalid(ValueError):
    """The members file cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """One entry of `members.toml`."""

    region: str
    name: str
    name_en: str
    urls: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    """Retired codes whose ids the member still resolves."""
    required: bool = False
    timeout_ms: int | None = None
    """The longest that a read waits for it; None: as for all (`ExecutionLimits.member_timeout_s`)."""


@dataclass(frozen=True, slots=True)
class MemberName:
    """Who a member is, for answers and messages."""

    region: str
    name: str
    name_en: str = ""
    codes: frozenset[str] = frozenset()
    """Its region and its aliases."""

    def name_in(self, language: str) -> str:
        return self.name_en if language == "en" and self.name_en else self.name


@dataclass(slots=True)
class MemberState:
    """As last seen; for `/health`, and to choose a healthy member."""

    status: str = "UNKNOWN"
    """UNKNOWN until first asked, then OK or the code of the last failure."""
    failures_in_a_row: int = 0
    latency_ms: float | None = None


class Member:
    """One member, with its clients (one for each of its URLs, in their order), its limit, and its state."""

    def __init__(
        self,
        region: str,
        name: str,
        *clients: SubgraphClient,
        name_en: str = "",
        aliases: Iterable[str] = (),
        required: bool = False,
        timeout_ms: int | None = None,
        concurrency_max: int = CONCURRENCY_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        if not clients:
            raise MembersInvalid(f"the member of region {region} has no URL")
        self.name = MemberName(region, name, name_en, frozenset((region, *aliases)))
        self.clients = clients
        self.required = required
        self.limiter = Limiter(concurrency_max, queue_max)
        self.state = MemberState()
        self.timeout_s = None if timeout_ms is None else timeout_ms / 1000
        self.resilience = Resilience(len(clients))
        self.contract: MemberContract | None = None
        """What it knows of what it is asked; None: nobody has looked yet, so it is asked everything."""

    @property
    def region(self) -> str:
        return self.name.region

    def __repr__(self) -> str:
        return f"Member({self.region!r}, {', '.join(map(repr, self.clients))})"

    def answered(self, latency_ms: float) -> None:
        self.state = MemberState("OK", 0, latency_ms)

    def failed(self, code: str) -> None:
        self.state = MemberState(code, self.state.failures_in_a_row + 1, self.state.latency_ms)

    async def close(self) -> None:
        for client in self.clients:
            await client.close()


@dataclass(frozen=True, slots=True)
class Roll:
    """Who the members are at one moment."""

    all: tuple[Member, ...]
    """In the order of their regions."""
    _by_code: Mapping[str, tuple[Member, ...]]

    def by_code(self, code: str) -> tuple[Member, ...]:
        """The members that answer for a region's code, current or retired; empty: nobody does."""
        return self._by_code.get(code, ())

    def by_health(self) -> tuple[Member, ...]:
        """Healthy ones first, else in order; as they are seen now."""
        return tuple(sorted(self.all, key=lambda member: member.state.failures_in_a_row))


class Members:
    """The members of one partitioned graph, as they are now."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._roll = _enrol(members)
        self.problem: str | None = None
        """Why the membership that was last asked for is not the one in force; for `/health`."""

    @property
    def now(self) -> Roll:
        return self._roll

    def replace(self, members: Iterable[Member]) -> None:
        """Put another membership in place; who holds a roll keeps it."""
        self._roll = _enrol(members)


def _enrol(members: Iterable[Member]) -> Roll:
    ordered = tuple(sorted(members, key=lambda member: member.region))
    by_code: dict[str, list[Member]] = {}
    for member in ordered:
        if any(other.region == member.region for other in by_code.get(member.region, ())):
            raise MembersInvalid(f"two members answer for region {member.region}")
        for code in sorted(member.name.codes):
            by_code.setdefault(code, []).append(member)
    current = {member.region: (member,) for member in ordered}
    return Roll(ordered, {code: current.get(code, tuple(found)) for code, found in by_code.items()})


def load_members(path: Path) -> dict[str, tuple[MemberSettings, ...]]:
    """Group name → its members. Raises `MembersInvalid`, or `OSError` when the file cannot be read."""
    return parse_members(path.read_text(encoding="utf-8"), str(path))


def parse_members(text: str, source: str = "members.toml") -> dict[str, tuple[MemberSettings, ...]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MembersInvalid(f"{source}: {error}") from None
    groups = document.get("groups")
    if not isinstance(groups, dict) or not groups:
        raise MembersInvalid(f"{source}: there is no [groups] table; write [[groups.<name>.members]]")
    return {str(name): _group(f"{source}: groups.{name}", group) for name, group in groups.items()}


def _group(where: str, group: Any) -> tuple[MemberSettings, ...]:
    entries = group.get("members") if isinstance(group, dict) else None
    if not isinstance(entries, list) or not entries:
        raise MembersInvalid(f"{where} has no members")
    found = [_settings(f"{where}.members[{index}]", entry) for index, entry in enumerate(entries)]
    regions = [one.region for one in found]
    for region in regions:
        if regions.count(region) > 1:
            raise MembersInvalid(f"{where}: two members answer for region {region}")
    return tuple(found)


_KNOWN = ("region", "name", "name_en", "aliases", "urls", "required", "timeout_ms")
_Check = Callable[[Any], bool]


def _settings(where: str, entry: Any) -> MemberSettings:
    if not isinstance(entry, dict):
        raise MembersInvalid(f"{where} is no table")
    unknown = sorted(set(entry) - set(_KNOWN))
    if unknown:
        raise MembersInvalid(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(_KNOWN)}")
    return MemberSettings(
        region=_text(where, entry, "region"),
        name=_text(where, entry, "name"),
        name_en=_text(where, entry, "name_en", default=""),
        urls=_texts(where, entry, "urls"),
        aliases=_texts(where, entry, "aliases"),
        required=_flag(where, entry, "required"),
        timeout_ms=_milliseconds(where, entry, "timeout_ms"),
    )


def _text(where: str, entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise MembersInvalid(f"{where}.{key} must be a text")
    return value


def _texts(where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value: Sequence[Any] = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise MembersInvalid(f"{where}.{key} must be a list of texts")
    return tuple(value)


def _flag(where: str, entry: Mapping[str, Any], key: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise MembersInvalid(f"{where}.{key} must be true or false")
    return value


def _milliseconds(where: str, entry: Mapping[str, Any], key: str) -> int | None:
    value = entry.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise MembersInvalid(f"{where}.{key} must be a whole number of milliseconds, at least 1")
    return value
