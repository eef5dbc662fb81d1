"""Members of another age: they publish, and truly serve, a contract that was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import parse, validate

from gateway.composition.member import check_member
from gateway.supergraph.group import contract_sdl, group_supergraph
from gateway.supergraph.member_contract import MemberContract
from tests.gateway.support.library import LIBRARIES, Library, member_schema, supergraph
from tests.gateway.support.serving import SubgraphApp

CONTRACT = contract_sdl(group_supergraph(supergraph(), "LIBRARIES"))


class StrictApp(SubgraphApp):
    """Refuses what its schema does not have, as any server does."""

    async def run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        problems = validate(self.schema, parse(request["query"]))
        if problems:
            error = {"message": problems[0].message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
            return {"data": None, "errors": [error]}
        return await super().run(request)


def changed(changes: Mapping[str, str]) -> str:
    """The library's contract with each text replaced by another."""
    sdl = LIBRARIES
    for before, now in changes.items():
        assert before in sdl, before
        sdl = sdl.replace(before, now)
    return sdl


def contract_of(changes: Mapping[str, str], region: str = "w") -> MemberContract:
    return check_member(CONTRACT, changed(changes), region)


def age(library: Library, branch: str, changes: Mapping[str, str]) -> None:
    """Let one member be of another age, and be known to be."""
    faulty = library.members[branch]
    faulty.app = StrictApp(member_schema(changed(changes)), faulty.app.root)  # type: ignore[attr-defined]
    member = next(one for one in library.group.now.all if one.region == branch)
    member.contract = contract_of(changes, branch)


class PublishingApp(StrictApp):
    """A member that tells its schema, and can be upgraded where it stands."""

    def __init__(self, root: Any, changes: Mapping[str, str] | None = None) -> None:
        super().__init__(member_schema(changed(changes or {})), root)
        self.sdl: str | None = changed(changes or {})

    def upgrade(self, changes: Mapping[str, str]) -> None:
        self.sdl = changed(changes)
        self.schema = member_schema(self.sdl)

    async def run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if "_service" not in request["query"]:
            return await super().run(request)
        return {"data": None if self.sdl is None else {"_service": {"sdl": self.sdl}}, "errors": []}
