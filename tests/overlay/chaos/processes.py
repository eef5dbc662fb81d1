"""The same over real processes: the overlay as its command serves it, killed at random points and started again.

A round has a store and a city of its own. Clients give commands over HTTP and ask with the same key until they have an
answer; the districts' group endpoint stands here, over real HTTP too, and drops connections before or after it acted.
A watcher holds readings against the checks all the while; at the end of a round everything comes to rest, is checked
once more, and keys are asked again. The seed gives every choice and every pause; how the processes' steps fall
between each other it cannot give.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import update

from contract.identity import IDENTITY_HEADER, TokenIssuer
from gwc.keys import ensure_keys
from overlay.clock import shanghai_today
from overlay.group.endpoint import OutcomeUnknown
from overlay.messages import Problem
from overlay.orders.model import Command, Flow
from overlay.store import tables
from overlay.store.database import Database
from tests.endpoint import served
from tests.overlay.chaos.acting import Lending
from tests.overlay.chaos.acts import ACTS, Call, Chooser, Plan, Scene
from tests.overlay.chaos.cast import add_assets, items_of, replenish, share_received
from tests.overlay.chaos.checks import ALWAYS, AT_REST, Violated, held_against
from tests.overlay.chaos.model import Answer, Model
from tests.overlay.chaos.reading import Reader, Reading
from tests.overlay.city import INTERNAL, RULE, City
from tests.services import free_port
from tests.system.processes import GwcProcess

__all__ = ["RealClock", "Round", "run_round"]

CLIENTS = 6
ASK_AGAIN_S = 0.1
REQUEST_S = 20.0
REST_S = 90.0
"""For everything that is open to settle, once nothing goes wrong any more."""
WATCH_EVERY_S = 1.0
REPEATED = 20
FAULTS = ("lost_before", "lost_after")
FAULT_ONE_IN = 8
KILL_AFTER_MS = (500, 6000)
ROUTE = "/graphql"
SHARED_ONE_IN = 20
"""How often owners offer what they received."""
_APPLICATIONS = {
    Flow.LOAN: "applyLoan",
    Flow.REALLOCATION: "applyReallocation",
    Flow.SURRENDER: "surrenderAssets",
    Flow.REPAIR: "applyRepair",
    Flow.DISPOSAL: "applyDisposal",
    Flow.DONATION: "applyDonation",
}
_MUTATIONS: dict[Command | Lending, str] = {
    Command.APPROVE: "approveOrder",
    Command.REJECT: "rejectOrder",
    Command.RETURN_FOR_CORRECTION: "returnOrderForCorrection",
    Command.RESUBMIT: "resubmitOrder",
    Command.WITHDRAW: "withdrawOrder",
    Command.DISPATCH: "dispatchOrder",
    Command.RECEIVE: "receiveOrder",
    Command.RETURN_GOODS: "returnGoods",
    Command.EXTEND: "extendLoan",
    Command.ARRIVE: "arriveOrder",
    Command.RETURN_TO_OWNER: "returnToOwner",
    Command.PROPOSE_COMPENSATION: "proposeCompensation",
    Command.AGREE_COMPENSATION: "agreeCompensation",
    Command.SETTLE_COMPENSATION: "settleCompensation",
    Command.APPRAISE: "appraiseSurrender",
    Command.STORE: "storeSurrender",
    Command.DIAGNOSE: "diagnoseRepair",
    Command.FINISH_REPAIR: "finishRepair",
    Command.OBJECT: "objectToNotice",
    Command.EXECUTE: "executeDisposal",
    Command.WRITE_OFF: "writeOffDisposal",
    Lending.LEND_OFFICE: "lendOffice",
}


class RealClock:
    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class Round:
    """One store and one city, for some seconds."""

    folder: Path
    url: str
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    model: Model = field(default_factory=Model)
    answers: list[tuple[Call, Answer]] = field(default_factory=list)
    busy: set[str | None] = field(default_factory=set)
    """Orders that a client is about."""
    is_over: bool = False
    city: City = field(init=False)
    reader: Reader = field(init=False)
    session: aiohttp.ClientSession = field(init=False)
    process: GwcProcess = field(init=False)
    port: int = field(default_factory=free_port)
    keys: Iterator[str] = field(default_factory=lambda: (f"key-{n}" for n in itertools.count(1)))

    async def run(self, seconds: float) -> None:
        self.city = City(RealClock())  # type: ignore[arg-type]
        add_assets(self.city)
        async with self.opened() as group:
            self.reader = Reader(self.url)
            try:
                await self._live(seconds, group)
                await self._rest()
            finally:
                self.reader.close()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The overlay and its districts, whose URL it gives, while they are served."""
        _write_keys(self.folder / "keys")
        districts = web.post(ROUTE, self._answer_as_districts)
        async with served(districts) as url, aiohttp.ClientSession() as self.session:
            group = f"{url}{ROUTE}"
            try:
                await self._start(group)
                yield group
            finally:
                await asyncio.to_thread(self.process.stop)

    # --- the overlay's process ----------------------------------------------------------------------------------------

    async def _start(self, group: str) -> None:
        environment = {**os.environ, "GWC_GROUP_URL": group, "GWC_OVERLAY_URL": self.url}
        command = ["overlay", "--port", str(self.port), "--data-dir", str(self.folder)]
        self.process = GwcProcess(*command, environment=environment)
        await asyncio.to_thread(self.process.wait_for, "ready: ")

    async def _kill_again_and_again(self, group: str) -> None:
        choose = Chooser(self.seed)
        while not self.is_over:
            await asyncio.sleep(choose.number(*KILL_AFTER_MS) / 1000)
            await self._kill()
            self.counts["kills"] += 1
            await self._start(group)

    async def _kill(self) -> None:
        self.process.process.kill()
        await asyncio.to_thread(self.process.stop)

    async def _kill_and_forget_leases(self, group: str) -> None:
        """The last time: as if the next process came when the leases of the dead have run out, a minute later."""
        await self._kill()
        database = Database(self.url)
        async with database.write() as connection:
            await connection.execute(update(tables.commands).values(lease_until=None))
        await database.close()
        await self._start(group)

    # --- the districts ------------------------------------------------------------------------------------------------

    async def _answer_as_districts(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        key = (body["variables"].get("input") or {}).get("idempotencyKey")
        try:
            answer = await self.city.execute(
                body["query"],
                body["variables"],
                headers={IDENTITY_HEADER: request.headers[IDENTITY_HEADER]},
                timeout_s=REQUEST_S,
                idempotency_key=key,
            )
        except OutcomeUnknown:
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPInternalServerError from None
        return web.json_response(answer)

    # --- the clients --------------------------------------------------------------------------------------------------

    async def _live(self, seconds: float, group: str) -> None:
        clients = [asyncio.create_task(self._client(n)) for n in range(CLIENTS)]
        others = [asyncio.create_task(self._kill_again_and_again(group)), asyncio.create_task(self._watch())]
        done, _ = await asyncio.wait([*clients, *others], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self.is_over = True
        self.city.faults.clear()
        await asyncio.gather(*others)
        await self._kill_and_forget_leases(group)
        await asyncio.gather(*clients)
        assert not [task for task in done if task.exception()]

    async def _client(self, number: int) -> None:
        choose = Chooser(self.seed * CLIENTS + number)
        while not self.is_over:
            replenish(self.city)
            if choose.number(1, SHARED_ONE_IN) == 1:
                share_received(self.city)
            scene = self._scene(await self.reader.read(self.city))
            acts = [act for act in ACTS if act.is_possible(scene)]
            act = choose.pick(acts, [act.weight for act in acts])
            plan = act.plan(scene, choose, act.orders(scene))
            if choose.number(1, FAULT_ONE_IN) == 1:
                self.city.faults.append(choose.pick(FAULTS))
                self.counts["faults"] += 1
            await self._carry_out(plan)

    def _scene(self, reading: Reading) -> Scene:
        orders = [
            order
            for order in reading.orders.values()
            if order.id in self.model.known and not {order.id, order.loan_id} & (self.busy - {None})
        ]
        return Scene(orders, items_of(self.city), shanghai_today(reading.now), self.keys)

    async def _carry_out(self, plan: Plan) -> None:
        mine = {call.order_id for call in plan.calls} - {None}
        self.busy |= mine
        try:
            if plan.together:
                await asyncio.gather(*(self._give(call) for call in plan.calls))
            else:
                for call in plan.calls:
                    await self._give(call)
        finally:
            self.busy -= mine

    async def _give(self, call: Call) -> None:
        """Ask until there is a final answer."""
        self.model.gave(call, self.city.clock.now)
        while True:
            answer = await self.ask(call)
            if answer is not None and answer.is_final:
                break
            self.counts["asked again"] += 1
            await asyncio.sleep(ASK_AGAIN_S)
        self.model.answered(call, answer, await self.reader.read(self.city))
        self.counts["refused" if answer.problems else "accepted"] += 1
        if answer.is_kept:
            self.answers.append((call, answer))

    async def ask(self, call: Call) -> Answer | None:
        """None when no answer came."""
        field_ = _mutation(call)
        order = "" if call.command in Lending else "order { id }"
        document = (
            f"mutation M($input: {field_[0].upper()}{field_[1:]}Input!) "
            f"{{ {field_}(input: $input) {{ {order} problems {{ code path }} }} }}"
        )
        about = {} if call.order_id is None else {"orderId": call.order_id}
        variables = {"input": {"idempotencyKey": call.key, **about, **call.body}}
        headers = {IDENTITY_HEADER: TokenIssuer(INTERNAL[0]).issue(call.by)}
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        self.counts["requests"] += 1
        try:
            async with self.session.post(
                f"http://127.0.0.1:{self.port}{ROUTE}",
                json={"query": document, "variables": variables},
                headers=headers,
                timeout=timeout,
            ) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
        payload = (body.get("data") or {}).get(field_)
        if payload is None:
            raise Violated(f"{call} is answered {response.status} {body}")
        return _answer(payload)

    # --- the checks ---------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while not self.is_over:
            self.counts["checks"] += held_against(ALWAYS, await self.reader.read(self.city))
            await asyncio.sleep(WATCH_EVERY_S)

    async def _rest(self) -> None:
        reading = await self._settled()
        self.counts["checks"] += held_against(AT_REST, reading)
        wrong = list(self.model.differences(reading))
        choose = Chooser(self.seed)
        for _ in range(min(REPEATED, len(self.answers))):
            call, first = choose.pick(self.answers)
            again = await self.ask(call)
            if again is None or not first.is_told_again_by(again):
                wrong.append(f"the key of {call} gave {first}, and now {again}")
        if (await self.reader.read(self.city)).whole != reading.whole:
            wrong.append("repeated keys changed something")
        self.counts["repeats"] += min(REPEATED, len(self.answers))
        self.counts["orders"] += len(reading.orders)
        self.counts["compared"] += self.model.compared
        if wrong:
            raise Violated("\n".join(wrong))

    async def _settled(self) -> Reading:
        async with asyncio.timeout(REST_S):
            while True:
                reading = await self.reader.read(self.city)
                if all(command["state"] == "FINISHED" for command in reading.commands):
                    return reading
                await asyncio.sleep(ASK_AGAIN_S)


async def run_round(folder: Path, url: str, seed: int, seconds: float) -> Counter[str]:
    """Raises `Violated`, with the seed."""
    one = Round(folder, url, seed)
    try:
        await one.run(seconds)
    except Exception as error:
        error.add_note(f"seed {seed}; {dict(one.counts)}\n{one.process.output[-2000:]}")
        raise
    return one.counts


def _mutation(call: Call) -> str:
    if call.command is Command.APPLY:
        return _APPLICATIONS[call.flow]
    if call.command is Command.INSPECT:
        return "inspectReturn" if call.flow is Flow.RETURN else "inspectOrder"
    return _MUTATIONS[call.command]


def _answer(payload: dict[str, Any]) -> Answer:
    problems = tuple(Problem(one["code"], tuple(one["path"] or ()), {}) for one in payload["problems"])
    return Answer((payload.get("order") or {}).get("id"), problems)


def _write_keys(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, (private, public) in {"internal": INTERNAL, "rule": RULE}.items():
        (folder / f"{name}.key.pem").write_text(private)
        (folder / f"{name}.pub.pem").write_text(public)
    ensure_keys(folder)
