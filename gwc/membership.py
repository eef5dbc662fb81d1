"""Who the members are, while the gateway serves: the members file is watched, and members' schemas are checked.

A change of the file is read once it has stood still for one look (who writes a file in two goes must not lose half of
the members), or at once on SIGHUP. It holds as a whole or not at all: a file that cannot be used leaves the roll as it
is, and is told in the log and in `/health`. Members whose entry did not change stay the same objects, with all that is
known of them; who joins or moves is checked first, while the old roll serves. Then the roll is replaced in one step:
a request keeps to the roll that it took, so none is lost.

Each member's schema is fetched again from time to time, since members are upgraded where they stand. Who does not fit
the contract stays on the roll and is not asked, so that every answer that lacks its rows says so; who cannot be reached
is admitted unchecked, and looked at again soon. One `Membership` serves all endpoints of a process.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gateway.execution.answers import Answer
from gateway.execution.clients import SubgraphClient
from gateway.execution.limits import Deadline
from gateway.execution.members import Member, Members, MemberSettings, MembersInvalid, load_members
from gateway.supergraph.group import contract_sdl, group_supergraph
from gateway.supergraph.member_contract import MemberContract, combined
from gateway.supergraph.model import Supergraph
from subgraphs.kit.tasks import end_tasks

__all__ = ["MakesMember", "Membership", "MembershipOptions", "fetch_contract"]

log = logging.getLogger("gwc.membership")

MakesMember = Callable[[MemberSettings], Member]
Roster = Mapping[str, tuple[MemberSettings, ...]]
"""Group → its members, as `members.toml` has them."""

SDL = "{ _service { sdl } }"


@dataclass(frozen=True, slots=True)
class MembershipOptions:
    poll_s: float = 1.0
    """How often the file is looked at. A change is in force after two looks at the latest, and the check of joiners."""
    check_s: float = 60.0
    """How often each member's schema is looked at again; a quarter more or less, so that not all are asked at once."""
    recheck_s: float = 5.0
    """The same for a member whose schema is not known yet."""
    fetch_s: float = 2.0
    """How long a schema is waited for; a joiner that takes longer is admitted unchecked."""
    grace_s: float = 10.0
    """How long a member that left may still be asked, by requests that began before: the longest deadline of one."""


@dataclass
class _Group:
    graph: str
    name: str
    supergraph: Supergraph
    members: Members
    settings: dict[str, MemberSettings]
    """Region → the entry by which the member on the roll was made."""

    @cached_property
    def contract(self) -> str:
        return contract_sdl(group_supergraph(self.supergraph, self.graph))


@dataclass
class _Left:
    member: Member
    at: float


@dataclass
class Membership:
    """The members of every partitioned graph of a supergraph. Raises `MembersInvalid` when they cannot be used."""

    supergraph: Supergraph
    roster: Roster
    make: MakesMember
    source: Path | None = None
    """The file to watch; None: the roster stands."""
    options: MembershipOptions = field(default_factory=MembershipOptions)
    say: Callable[[str], None] = log.warning
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._groups = [self._first(graph) for graph in self.supergraph.partitions]
        self._wake = asyncio.Event()
        self._in_force = self._seen = _fingerprint(self.source)
        self._due: dict[Member, float] = {}
        self._left: list[_Left] = []

    def _first(self, graph: str) -> _Group:
        name = self.supergraph.graphs[graph].name
        entries = _entries(self.roster, name)
        members = Members(self.make(one) for one in entries)
        return _Group(graph, name, self.supergraph, members, {one.region: one for one in entries})

    @property
    def groups(self) -> dict[str, Members]:
        """Graph → its members, the same objects for ever."""
        return {one.graph: one.members for one in self._groups}

    def wake(self) -> None:
        """Look at the file now."""
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watches until left. SIGHUP wakes it, where signals can be had."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGHUP, self.wake)
        task = asyncio.create_task(self._run(), name="membership")
        try:
            yield
        finally:
            await end_tasks(task)
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(signal.SIGHUP)
            for one in self._left:
                await one.member.close()

    async def _run(self) -> None:
        while True:
            at_once = self._wake.is_set()
            self._wake.clear()
            try:
                await self.look(at_once)
            except Exception:
                log.exception("looking at the members failed; the roll stays as it is")
            with suppress(TimeoutError):
                async with asyncio.timeout(self.options.poll_s):
                    await self._wake.wait()

    async def look(self, at_once: bool = False) -> None:
        """One look: at the file, at the members whose turn it is, and at those that left."""
        now = _fingerprint(self.source)
        stands_still, self._seen = now == self._seen, now
        if now != self._in_force and (at_once or stands_still):
            self._in_force = now
            await self._reload()
        await self._check([(group, one) for group, one in self._members() if self._due.get(one, 0.0) <= self.clock()])
        await self._close_idle()

    def _members(self) -> list[tuple[_Group, Member]]:
        return [(group, member) for group in self._groups for member in group.members.now.all]

    # The file

    async def _reload(self) -> None:
        assert self.source is not None
        try:
            roster = load_members(self.source)
            planned = [(group, _entries(roster, group.name)) for group in self._groups]
            rolls = [(group, entries, self._roll(group, entries)) for group, entries in planned]
        except OSError as error:
            self._refuse(f"{self.source} cannot be read: {error.strerror}")
            return
        except (MembersInvalid, UnicodeDecodeError) as error:
            self._refuse(str(error))
            return
        known = {member for _, member in self._members()}
        await self._check([(group, one) for group, _, roll in rolls for one in roll if one not in known])
        for group, entries, roll in rolls:
            self._replace(group, entries, roll)

    def _refuse(self, problem: str) -> None:
        self.say(f"{problem}; the members stay as they were")
        for group in self._groups:
            group.members.problem = problem

    def _roll(self, group: _Group, entries: Iterable[MemberSettings]) -> list[Member]:
        """Raises `MembersInvalid`, before anything changes."""
        kept = {one.region: one for one in group.members.now.all}
        roll = [kept[one.region] if group.settings.get(one.region) == one else self.make(one) for one in entries]
        Members(roll)
        return roll

    def _replace(self, group: _Group, entries: Iterable[MemberSettings], roll: list[Member]) -> None:
        before = group.members.now.all
        group.members.replace(roll)
        group.members.problem = None
        group.settings = {one.region: one for one in entries}
        left = [one for one in before if one not in roll]
        self._left += [_Left(one, self.clock()) for one in left]
        for one in left:
            self._due.pop(one, None)
        was, now = {one.region for one in before}, {one.region for one in roll}
        changed = {one.region for one in roll if one not in before} & was
        for word, regions in (("joined", now - was), ("left", was - now), ("changed", changed)):
            if regions:
                self.say(f"group {group.name}: {', '.join(sorted(regions))} {word}")

    async def _close_idle(self) -> None:
        gone = [one for one in self._left if self.clock() - one.at >= self.options.grace_s]
        self._left = [one for one in self._left if one not in gone]
        for one in gone:
            await one.member.close()

    # Their schemas

    async def _check(self, members: Iterable[tuple[_Group, Member]]) -> None:
        await asyncio.gather(*(self._check_one(group, one) for group, one in members))

    async def _check_one(self, group: _Group, member: Member) -> None:
        found = await fetch_contract(member, group.contract, self.options.fetch_s)
        if found is not None and (member.contract is None or member.contract.version != found.version):
            for finding in found.findings:
                self.say(f"{finding.severity.lower()}: {finding}")
            member.contract = found
        options = self.options
        wait_s = min(options.recheck_s, options.check_s) if member.contract is None else options.check_s
        self._due[member] = self.clock() + wait_s * random.uniform(0.75, 1.25)


async def fetch_contract(member: Member, contract: str, seconds: float) -> MemberContract | None:
    """What a member publishes, at all of its addresses together; None: nobody there says."""
    published = await asyncio.gather(*(_fetch_sdl(client, seconds) for client in member.clients))
    texts = list(dict.fromkeys(text for text in published if text is not None))
    if not texts:
        return None
    from gateway.composition.member import (
        check_member,
    )  # Composition is loaded where members are, not in every gateway.

    return combined([await asyncio.to_thread(check_member, contract, text, member.region) for text in texts])


async def _fetch_sdl(client: SubgraphClient, seconds: float) -> str | None:
    outcome = await client.execute(SDL, None, {}, Deadline.after(seconds))
    if not isinstance(outcome, Answer) or outcome.data is None:
        return None
    service = outcome.data.get("_service")
    text = service.get("sdl") if isinstance(service, dict) else None
    return text if isinstance(text, str) else None


def _entries(roster: Roster, name: str) -> tuple[MemberSettings, ...]:
    if name not in roster:
        raise MembersInvalid(f"there are no members for the group {name}; write [[groups.{name}.members]]")
    return roster[name]


def _fingerprint(path: Path | None) -> str:
    """Of the file's content; another text where it cannot be read."""
    if path is None:
        return ""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return str(error)
