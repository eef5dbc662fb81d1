"""`gwc members check`: every member's published schema, held against the contract; for an operator, and for CI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.execution.clients import HttpPool
from gateway.execution.members import Member
from gateway.supergraph.group import contract_sdl, group_supergraph
from gateway.supergraph.member_contract import MemberContract
from gateway.supergraph.model import Supergraph
from gwc.errors import CommandError
from gwc.membership import fetch_contract
from gwc.parts.members import open_membership
from gwc.schemas import load_supergraph_file
from gwc.settings import Settings

__all__ = ["check_members"]

Say = Callable[[str], None]


def check_members(settings: Settings, supergraph: Path, members: Path, timeout_s: float, say: Say) -> None:
    """One report for each member. Raises `CommandError` when a member does not fit, or does not say what it serves."""
    loaded = load_supergraph_file(supergraph)
    if not loaded.partitions:
        raise CommandError(f"{supergraph} has no partitioned group, so it has no members.")
    asyncio.run(_check(settings, loaded, members, timeout_s, say))


async def _check(settings: Settings, loaded: Supergraph, members: Path, timeout_s: float, say: Say) -> None:
    pool = HttpPool()
    failed: list[str] = []
    try:
        for graph, group in open_membership(settings, loaded, members, pool, say).groups.items():
            contract = contract_sdl(group_supergraph(loaded, graph))
            roll = group.now.all
            say(f"group {loaded.graphs[graph].name}, {len(roll)} members")
            found = await asyncio.gather(*(fetch_contract(one, contract, timeout_s) for one in roll))
            for member, published in zip(roll, found, strict=True):
                if not _tell(member, published, say):
                    failed.append(member.region)
    finally:
        await pool.close()
    if failed:
        raise CommandError(
            f"These members cannot serve: {', '.join(failed)}.",
            "Each line above says what to change; docs/composition-errors.md explains the codes.",
        )


def _tell(member: Member, found: MemberContract | None, say: Say) -> bool:
    who = f"{member.region} {member.name.name}"
    if found is None:
        say(f"{who}: nobody at {_addresses(member.clients)} says what is served there")
        return False
    counts = [f"{len(found.errors)} errors"] * bool(found.errors)
    hints = len(found.findings) - len(found.errors)
    counts += [f"{hints} hints"] * bool(hints)
    say(f"{who}: {', '.join(counts) or 'serves the contract'}")
    for one in found.findings:
        say(f"  {one.severity.lower()}: {one}")
    return not found.errors


def _addresses(clients: Sequence[object]) -> str:
    return " or ".join(str(getattr(one, "url", one)) for one in clients)
