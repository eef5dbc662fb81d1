"""The members of a gateway's partitioned groups: read from the members file, then watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.execution.clients import HttpClient, HttpPool
from gateway.execution.members import Member, MemberSettings, MembersInvalid, load_members
from gateway.supergraph.model import Supergraph
from gwc.errors import CommandError
from gwc.membership import Membership, MembershipOptions
from gwc.settings import Settings

__all__ = ["membership_options", "open_membership"]

Say = Callable[[str], None]


def open_membership(
    settings: Settings, supergraph: Supergraph, members: Path | None, pool: HttpPool, say: Say
) -> Membership:
    """The members of every partitioned group, not yet watched. Raises `CommandError` when they are not known."""
    if supergraph.partitions and members is None:
        names = ", ".join(supergraph.graphs[graph].name for graph in supergraph.partitions)
        raise CommandError(
            f"The supergraph has partitioned groups ({names}).", "Name their members with --members FILE."
        )
    source = members if supergraph.partitions else None
    try:
        roster = load_members(source) if source is not None else {}
        return Membership(supergraph, roster, lambda one: _member(one, pool), source, membership_options(settings), say)
    except OSError as error:
        raise CommandError(f"{members} cannot be read: {error.strerror}.") from None
    except MembersInvalid as error:
        raise CommandError(f"{members}: {str(error).removeprefix(f'{members}: ')}.") from None


def membership_options(settings: Settings) -> MembershipOptions:
    return MembershipOptions(
        poll_s=settings.members_poll_s,
        check_s=settings.members_check_s,
        grace_s=settings.deadline_ms / 1000,
    )


def _member(one: MemberSettings, pool: HttpPool) -> Member:
    clients = (HttpClient(url, pool) for url in one.urls)
    return Member(
        one.region,
        one.name,
        *clients,
        name_en=one.name_en,
        aliases=one.aliases,
        required=one.required,
        timeout_ms=one.timeout_ms,
    )
