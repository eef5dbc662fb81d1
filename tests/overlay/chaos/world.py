"""The system in this process: the overlay's services over the fake city, started again wherever they die.

People give commands and keep asking with the same key until they have an answer, as clients do. After each step the
store and the owners' books are read and held against every check and the model.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contract.identity import TokenIssuer
from overlay.approvals.delegations import Delegations
from overlay.clock import shanghai_today
from overlay.group.custody import Custody
from overlay.group.endpoint import GroupAnswer, GroupEndpoint
from overlay.orders.model import Command, Flow, State
from overlay.orders.policy import load_policy
from overlay.orders.saga import LEASE
from overlay.orders.service import Circulation
from overlay.store.database import Database
from tests.overlay.chaos.acting import Lending
from tests.overlay.chaos.acts import ACTS, Act, Call, Chooser, Scene
from tests.overlay.chaos.cast import add_assets, items_of, replenish, share_received
from tests.overlay.chaos.checks import ALWAYS, AT_REST, Check, Violated, held_against
from tests.overlay.chaos.model import NOTICE_DAYS, Answer, Model
from tests.overlay.chaos.reading import Reader, Reading
from tests.overlay.city import INTERNAL, City, Crash, ManualClock

__all__ = ["FAULTS", "FOCUSES", "LOANS", "Parts", "World"]

LOANS = frozenset({Flow.LOAN, Flow.RETURN})
FOCUSES: tuple[frozenset[Flow], ...] = (
    LOANS,
    frozenset(Flow),
    LOANS | {Flow.REPAIR},
    frozenset({Flow.REALLOCATION}),
    frozenset({Flow.REALLOCATION, Flow.SURRENDER}),
    frozenset({Flow.DISPOSAL, Flow.REALLOCATION}),
    frozenset({Flow.DISPOSAL, Flow.DONATION, Flow.REPAIR}),
)
"""What a walk may be about."""

FAULTS = ("unreachable", "lost_before", "lost_after", "crash_before", "crash_after")
REST_ROUNDS_MAX = 20
"""To settle what is open, once nothing goes wrong any more. More are a command that never ends."""
HOURS_MAX = 72
FAULTS_AT_ONCE_MAX = 4
REPEATED_LAST = 12
"""Of how many answered commands one is asked again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the system is put together from: the seams by which a fault is handed in."""

    city: Callable[[ManualClock], City] = City
    custody: Callable[[GroupEndpoint, TokenIssuer], Custody] = Custody
    circulation: type[Circulation] = Circulation


class _Line:
    """The way from one overlay process to the owners: once the process has died, nothing is sent any more."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._is_dead = False

    async def execute(self, document: str, variables: Mapping[str, Any], **options: Any) -> GroupAnswer:
        if self._is_dead:
            raise Crash
        try:
            return await self._city.execute(document, variables, **options)
        except Crash:
            self._is_dead = True
            raise


@dataclass(slots=True)
class World:
    url: str
    """Of a store that is empty."""
    parts: Parts = field(default_factory=Parts)
    flows: frozenset[Flow] = frozenset(Flow)
    """What people do here. Fewer flows go deeper in as many steps."""
    clock: ManualClock = field(default_factory=ManualClock)
    model: Model = field(default_factory=Model)
    pending: list[Call] = field(default_factory=list)
    """Commands whose givers have no answer yet."""
    answers: list[tuple[Call, Answer]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    last: str = "begin"
    """What happened last, in a word."""
    city: City = field(init=False)
    reading: Reading = field(init=False)
    _reader: Reader = field(init=False)
    _database: Database = field(init=False)
    _circulation: Circulation = field(init=False)
    _keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def open(self) -> None:
        self.city = self.parts.city(self.clock)
        add_assets(self.city)
        self._reader = Reader(self.url)
        await self._start()
        await self.check()

    async def close(self) -> None:
        await self._die()
        self._reader.close()

    async def _die(self) -> None:
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        await self._database.close()

    async def _start(self) -> None:
        self._database = Database(self.url)
        custody = self.parts.custody(_Line(self.city), TokenIssuer(INTERNAL[0]))
        # One command is resumed after the other, so that the same steps are the same walk.
        self._circulation = self.parts.circulation(self._database, custody, load_policy(), self.clock, 1)
        await self._database.open()
        await self._circulation.start()

    # --- steps --------------------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """What people see: orders that they were told of. While one waits for an answer about it, it is left alone."""
        waiting = {call.order_id for call in self.pending}
        orders = [
            order
            for order in self.reading.orders.values()
            if order.id in self.model.known and order.id not in waiting and order.loan_id not in waiting
        ]
        keys = (f"key-{n}" for n in self._keys)
        return Scene(orders, items_of(self.city), shanghai_today(self.clock.now), keys)

    async def step(self, choose: Chooser) -> None:
        """Anything that may happen next."""
        if replenish(self.city):
            await self.check()
        scene = self.scene()
        happenings: list[tuple[Callable[[Chooser], Awaitable[None]], int]] = [
            *((partial(self._act, act), act.weight) for act in ACTS if self._is_about(act) and act.is_possible(scene)),
            (self._owners_share, 1),
            (self._something_will_go_wrong, 3),
            (self._time_passes, 1),
            (self._settle, 2),
            (self._restart, 1),
        ]
        if self.pending:
            happenings.append((self._retry, 5))
        if self.answers:
            happenings.append((self._repeat, 3))
        if scene.those(tuple(Flow), [State.PUBLIC_NOTICE]):
            happenings.append((self._notices_end, 4))
        happens = choose.pick([one for one, _ in happenings], [weight for _, weight in happenings])
        self.last = getattr(happens, "__name__", "").strip("_") or happens.args[0].name  # type: ignore[attr-defined]
        await happens(choose)

    def _is_about(self, act: Act) -> bool:
        return bool(self.flows & set(act.flows))

    async def _act(self, act: Act, choose: Chooser) -> None:
        scene = self.scene()
        plan = act.plan(scene, choose, act.orders(scene))
        if plan.together:
            await self.give(*plan.calls)
        else:
            for call in plan.calls:
                await self.give(call)

    async def give(self, *calls: Call) -> None:
        """Give commands at the same time, and look at what came of them."""
        before = self.reading.without_records if len(calls) == 1 else None
        results = await asyncio.gather(*(self._send(call) for call in calls), return_exceptions=True)
        died = any(isinstance(result, Crash) for result in results)
        if died:
            self.counts["crashes"] += 1
            await self._restart()
        await self._read()
        for call, result in zip(calls, results, strict=True):
            if isinstance(result, Answer) and result.is_final:
                self._note(call, result)
                if before is not None:
                    self._check_refusal(call, result, before)
            elif isinstance(result, Answer | Crash):
                self.pending.append(call)
                self.model.no_answer(call)
            else:
                raise result
        self._check()

    async def _retry(self, _: Chooser | None = None) -> None:
        """Whoever waits longest asks again, with the same key."""
        await self.give(self.pending.pop(0))

    async def _repeat(self, choose: Chooser) -> None:
        """Somebody who has an answer asks again: the same key gives the first result and changes nothing."""
        call, first = choose.pick(self.answers[-REPEATED_LAST:])
        before = self.reading.whole
        again = await self._send(call)
        if not first.is_told_again_by(again):
            raise Violated(f"the key of {call} gave {first}, and now {again}")
        await self._read()
        if self.reading.whole != before:
            raise Violated(f"repeating {call} changed something")
        self.counts["repeats"] += 1

    async def _settle(self, _: Chooser | None = None) -> None:
        """What the overlay does beside requests."""
        try:
            await self._circulation.resume()
            await self._circulation.tend()
        except Crash:
            self.counts["crashes"] += 1
            await self._restart()
        await self.check()

    async def _time_passes(self, choose: Chooser) -> None:
        self.clock.advance(hours=choose.number(1, HOURS_MAX))
        await self._settle()

    async def _notices_end(self, _: Chooser) -> None:
        self.clock.advance(days=NOTICE_DAYS)
        await self._settle()

    async def _owners_share(self, _: Chooser) -> None:
        """A legacy store changes a card by itself."""
        share_received(self.city)
        await self.check()

    async def _something_will_go_wrong(self, choose: Chooser) -> None:
        faults = [choose.pick(["ok", *FAULTS]) for _ in range(choose.number(1, FAULTS_AT_ONCE_MAX))]
        self.counts["faults"] += sum(fault != "ok" for fault in faults)
        self.city.faults.extend(faults)

    async def _restart(self, _: Chooser | None = None) -> None:
        await self._die()
        await self._start()
        self.counts["restarts"] += 1

    async def come_to_rest(self) -> None:
        """Nothing goes wrong any more: all is settled, whether or not anybody asks again; then everybody who waits does."""
        self.city.faults.clear()
        await self._restart()
        await self._settle_all()
        while self.pending:
            await self._retry()
        await self._settle_all()
        await self.check(AT_REST)

    async def _settle_all(self) -> None:
        for _ in range(REST_ROUNDS_MAX):
            await self._settle()
            if self._is_settled():
                return
            self.clock.advance(seconds=LEASE.total_seconds() + 1)  # of a process that died
        raise Violated(f"{len(self.reading.commands)} commands, and not all of them end")

    async def check(self, checks: Sequence[Check] = ALWAYS) -> None:
        await self._read()
        self._check(checks)

    def _check(self, checks: Sequence[Check] = ALWAYS) -> None:
        self.counts["checks"] += held_against(checks, self.reading)
        wrong = list(self.model.differences(self.reading))
        if wrong:
            raise Violated("\n".join(wrong))

    # --- one command --------------------------------------------------------------------------------------------------

    async def _send(self, call: Call) -> Answer:
        self.counts["commands"] += 1
        self.model.gave(call, self.clock.now)
        if isinstance(call.command, Lending):
            lent = await Delegations(self._database, self.clock).lend(call.by, call.key, call.body)
            return Answer(None, tuple(lent.problems))
        if call.command is Command.APPLY:
            answer = await self._circulation.apply(call.flow, call.by, call.key, call.body)
        else:
            answer = await self._circulation.submit(
                call.by, call.key, call.command, str(call.order_id), dict(call.body)
            )
        return Answer(answer.order_id, answer.problems)

    def _note(self, call: Call, answer: Answer) -> None:
        self.model.answered(call, answer, self.reading)
        self.counts["refused" if answer.problems else "accepted"] += 1
        if answer.is_kept:
            self.answers.append((call, answer))

    def _check_refusal(self, call: Call, answer: Answer, before: str) -> None:
        """What was refused before anything was asked of an owner has changed nothing but the record of it."""
        mine = {row["id"] for row in self.reading.commands if (row["actor"], row["key"]) == (call.by.person, call.key)}
        begun = any(step["command_id"] in mine for step in self.reading.steps)
        if answer.problems and not begun and self.reading.without_records != before:
            raise Violated(f"{call} was refused with {answer.codes} and changed something")

    async def _read(self) -> None:
        self.reading = await self._reader.read(self.city)

    def _is_settled(self) -> bool:
        return all(command["state"] == "FINISHED" for command in self.reading.commands)
