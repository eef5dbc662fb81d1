"""No request is lost while members leave, move, are upgraded and join: real processes, asked all the time."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.gateway.support.library import NAMES, ROWS, sort_rows, supergraph_sdl
from tests.system.client import Answer, Client
from tests.system.processes import GWC, GwcProcess, WatchedProcess

QUERY = "{ books { totalCount totalIsExact nodes { id pages } sources { region status } } }"
WORKERS = 4
KEPT_ALIVE_S = 2
"""Shorter than the gateway's own, so that no question meets a connection being closed."""
ANSWERS_EACH = 10
"""Answers that each worker waits for under each membership, once it is in force."""
GATEWAY = {"GWC_MEMBERS_POLL_S": "0.05", "GWC_MEMBERS_CHECK_S": "0.2"}

Roll = dict[str, bool]
"""Region → whether its member knows `Book.pages`."""


def expected(roll: Roll) -> tuple[Any, list[tuple[str, str]]]:
    """The answer's data, and its errors as (code, region)."""
    rows = sort_rows([row for row in ROWS if row.branch in roll], [])
    books = {
        "totalCount": len(rows),
        "totalIsExact": True,
        "nodes": [{"id": row.id, "pages": row.pages if roll[row.branch] else None} for row in rows],
        "sources": [{"region": region, "status": "OK"} for region in sorted(roll)],
    }
    return {"books": books}, [("PARTITION_OUTDATED", region) for region, knows in sorted(roll.items()) if not knows]


def given(answer: Answer) -> tuple[Any, list[tuple[str, str]]]:
    errors = [(error["extensions"]["code"], error["extensions"]["region"]) for error in answer.errors]
    return answer.partial, sorted(errors)


@dataclass
class Load:
    """Queries that run all the time, each judged by the rolls that may have been in force while it ran."""

    client: Client
    rolls: list[Roll]
    in_force: int = 0
    """The last roll that is known to be in force; later ones of `rolls` may be."""
    answered: list[int] = field(default_factory=lambda: [0] * WORKERS)
    enough: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._ask_on(worker)) for worker in range(WORKERS)]
            yield
            for worker in workers:
                worker.cancel()

    async def _ask_on(self, worker: int) -> None:
        while True:
            since = self.in_force
            answer = await self.client(QUERY)
            assert given(answer) in [expected(roll) for roll in self.rolls[since:]], (answer.body, self.rolls[since:])
            async with self.enough:
                self.answered[worker] += 1
                self.enough.notify_all()

    async def go_on(self) -> None:
        """Until so many more answers came, and all that were asked before."""
        wanted = [count + ANSWERS_EACH for count in self.answered]
        async with self.enough:
            await self.enough.wait_for(lambda: all(map(operator.ge, self.answered, wanted)))


@contextmanager
def library(region: str, age: str = "new") -> Iterator[tuple[WatchedProcess, str]]:
    process = WatchedProcess(sys.executable, "-m", "tests.system.library_member", region, age)
    try:
        yield process, process.wait_for(r"ready: (\S+)").group(1)
    finally:
        process.stop()


@dataclass
class Fleet:
    gateway: GwcProcess
    url: str
    file: Path
    session: aiohttp.ClientSession

    def write(self, urls: dict[str, str]) -> None:
        self.file.write_text(members(urls), encoding="utf-8")

    async def health(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The health of the gateway as soon as it is so; the test's own time limit ends the waiting."""
        while True:
            async with self.session.get(self.url.replace("/graphql", "/health")) as response:
                found: dict[str, Any] = await response.json()
            if holds(found):
                return found

    async def stands(self, roll: Roll) -> None:
        """Until the gateway serves by this roll, with these contracts."""

        def holds(health: dict[str, Any]) -> bool:
            found = health["groups"]["libraries"]
            known = {one["region"]: one["contract"] for one in found}
            return {region: known[region] and not known[region]["lacks"] for region in known} == roll

        await self.health(holds)


def members(urls: dict[str, str]) -> str:
    entry = '[[groups.libraries.members]]\nregion = "{}"\nname = "{}"\nurls = ["{}"]\n'
    return "\n".join(entry.format(region, NAMES[region][0], url) for region, url in urls.items())


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_ALIVE_S)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def test_no_request_is_lost(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    with ExitStack() as stack:
        processes = {region: stack.enter_context(library(region)) for region in ("n", "s", "w")}
        processes["e"] = stack.enter_context(library("e", "old"))
        urls = {region: url for region, (_, url) in processes.items()}
        (tmp_path / "supergraph.graphql").write_text(supergraph_sdl(), encoding="utf-8")
        file = tmp_path / "members.toml"
        file.write_text(members({region: urls[region] for region in "nse"}), encoding="utf-8")
        gateway = GwcProcess(
            "gateway", "--supergraph", str(tmp_path / "supergraph.graphql"), "--members", str(file),
            "--port", "0", "--data-dir", str(tmp_path / "var"), environment={**os.environ, **GATEWAY},
        )  # fmt: skip
        stack.callback(gateway.stop)
        fleet = Fleet(gateway, gateway.wait_for(r"ready: (\S+)").group(1), file, session)

        first = {"n": True, "s": True, "e": False}
        await fleet.stands(first)
        load = Load(Client(session, fleet.url), [first])

        async def to(roll: Roll, change: Callable[[], None]) -> None:
            load.rolls.append(roll)
            change()
            await fleet.stands(roll)
            load.in_force = len(load.rolls) - 1
            await load.go_on()

        async with load.running():
            await load.go_on()
            # One leaves, and its process ends when nobody asks it any more.
            await to({"n": True, "e": False}, lambda: fleet.write({one: urls[one] for one in "ne"}))
            processes["s"][0].stop()
            # One moves to another port; the old process ends.
            moved = urls | {"n": stack.enter_context(library("n"))[1]}
            await to({"n": True, "e": False}, lambda: fleet.write({one: moved[one] for one in "ne"}))
            await asyncio.to_thread(gateway.wait_for, "n changed")
            await load.go_on()
            processes["n"][0].stop()
            # One is upgraded where it stands.
            await to({"n": True, "e": True}, lambda: processes["e"][0].process.send_signal(signal.SIGUSR1))
            # A file that cannot be used changes nothing.
            file.write_text("[[groups", encoding="utf-8")
            sick = await fleet.health(lambda found: bool(found["problems"]))
            assert sick["status"] == "degraded"
            await load.go_on()
            # One joins.
            joined = {one: moved[one] for one in "new"}
            await to({"n": True, "e": True, "w": True}, lambda: fleet.write(joined))
            assert (await fleet.health(lambda _: True))["problems"] == []
        assert min(load.answered) >= 7 * ANSWERS_EACH


def test_the_command_line_tells_what_each_member_lacks_and_who_cannot_serve(tmp_path: Path) -> None:
    (tmp_path / "supergraph.graphql").write_text(supergraph_sdl(), encoding="utf-8")

    def check(urls: dict[str, str]) -> tuple[int, str]:
        (tmp_path / "members.toml").write_text(members(urls), encoding="utf-8")
        files = ["--members", str(tmp_path / "members.toml"), "--supergraph", str(tmp_path / "supergraph.graphql")]
        done = subprocess.run([str(GWC), "members", "check", *files], capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    with library("n") as (_, new), library("e", "old") as (_, old), library("w", "wrong") as (_, wrong):
        status, said = check({"n": new, "e": old})
        assert status == 0, said
        assert "n 北馆: serves the contract" in said
        assert "hint: PARTITION_MEMBER_FIELD_MISSING: [e] Book.pages is missing" in said
        status, said = check({"n": new, "e": old, "w": wrong, "s": "http://127.0.0.1:9/graphql"})
        assert status == 1
        assert "Make Book.price Decimal in the member." in said
        assert "nobody at http://127.0.0.1:9/graphql says what is served there" in said
        assert "These members cannot serve: s, w." in said
