"""A gateway over depots that come and go. It is made once, so its plans are kept over all cases of a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.execution.clients import SubgraphClient
from gateway.execution.members import Member, Members
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from tests.horizontal.contract import planner, supergraph
from tests.horizontal.rows import Row
from tests.horizontal.stub import Depot, Room, Rooms, Stub

__all__ = ["City", "city", "member", "missed_earlier", "missing_now", "new_city"]


def member(code: str, client: SubgraphClient, **more: Any) -> Member:
    return Member(code, f"depot {code}", client, **more)


@dataclass
class City:
    """The members of one moment, and the gateway over them."""

    members: Members
    rooms: Rooms
    pipeline: Pipeline
    stubs: dict[str, Stub]

    def settle(self, depots: Sequence[str], rows: Iterable[Row], rooms: Sequence[Room] = ()) -> City:
        """Begin anew with these depots, all of them up."""
        held = {code: Depot(code, ()) for code in depots}
        for row in rows:
            held[row.depot].rows.append(row)
        self.stubs = {code: Stub(depot) for code, depot in held.items()}
        self.rooms.rooms = list(rooms)
        self.enrol(depots)
        return self

    def enrol(self, depots: Iterable[str]) -> None:
        """Who belongs from now on; the others have left, and keep their rows."""
        self.members.replace([member(code, self.stubs[code]) for code in depots])

    def depot(self, code: str) -> Depot:
        server = self.stubs[code].server
        assert isinstance(server, Depot)
        return server

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Answered:
        return await self.pipeline.answer(GraphQLRequest(query, None, variables or {}), Caller(**caller))

    async def data(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an answer that must be whole."""
        answered = await self.ask(query, variables)
        assert answered.errors == ()
        return answered.data


@lru_cache(maxsize=1)
def city() -> City:
    return new_city()


def new_city() -> City:
    """One whose gateway has learned nothing yet: for cases in which that matters, so that each can be repeated."""
    rooms, members = Rooms(), Members([])
    clients: dict[str, SubgraphClient | Members] = {"DEPOTS": members, "ROOMS": Stub(rooms)}
    return City(members, rooms, Pipeline(supergraph(), clients, planner()), {})


# What an answer says of members


def missing_now(answered: Answered) -> set[str]:
    """The depots whose rows the answer lacks, by its errors."""
    return {str(one.extensions["region"]) for one in answered.errors if one.code == "PARTITION_UNAVAILABLE"}


def missed_earlier(answered: Answered) -> set[str]:
    """The depots whose rows earlier pages lacked."""
    told = [one.extensions["regions"] for one in answered.errors if one.code == "PARTITION_MISSED_EARLIER"]
    return {region for regions in told for region in regions}
