"""Many people, orders, lost answers and crashes in any order: no asset in two hands, nothing lost, nothing half done.

A walk of random steps, the same ones for the same seed. The overlay is started again wherever it crashed: whatever it
was doing dies with it, only its store stays. At any time the ledger is whole; once everything is settled, the owners'
books and the overlay's orders say the same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from contract.identity import Identity, Role
from overlay.clock import shanghai_today, text_of
from overlay.group.endpoint import GroupAnswer
from overlay.ledger.entries import verify
from overlay.orders import repository
from overlay.orders.model import Command, Flow, HoldState, Order, Settlement, State
from overlay.store import tables
from tests.overlay.city import CLERK, HEAD, KEEPER, City, Crash, ManualClock, days, someone
from tests.overlay.conftest import OFFICERS, Desk

PEOPLE = [CLERK, someone("second", Role.APPLICANT, unit="unit-2"), someone("third", Role.APPLICANT, unit="unit-3")]
HEADS = {person.unit: someone(f"head-{person.unit}", Role.UNIT_OFFICER, unit=person.unit) for person in PEOPLE}
HEADS[CLERK.unit] = HEAD
FAULTS = ["unreachable", "lost_before", "lost_after", "crash_before", "crash_after"]
HELD = {State.IN_APPROVAL, State.RETURNED, State.TO_DISPATCH, State.IN_TRANSIT, State.LENT, State.RETURNING}
MOVING = (State.TO_DISPATCH, State.IN_TRANSIT, State.LENT, State.RETURNING)
STEPS = 65


class Line:
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


class Walk:
    def __init__(self, seed: int, url: str) -> None:
        self.random = Random(seed)
        self.url = url
        self.clock = ManualClock()
        self.city = City(self.clock)
        self.assets = [
            self.city.add_asset("one"),
            self.city.add_asset("two"),
            self.city.add_asset("ten", quantity="10"),
        ]
        self.city.read_only.add(self.assets[1])
        self.orders: list[Order] = []
        """As they stood after the last step."""
        self.desk = self.new_desk()

    async def __aenter__(self) -> Walk:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    def new_desk(self) -> Desk:
        """Commands are resumed one by one, so that the same seed is the same walk."""
        return Desk(self.url, Line(self.city), self.clock, resumed_together=1)

    async def start(self) -> None:
        await self.desk.database.open()
        await self.desk.circulation.start()

    async def restart(self) -> None:
        await self.die()
        self.desk = self.new_desk()
        await self.start()

    async def die(self) -> None:
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        await self.desk.database.close()

    async def do(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except Crash:
            await self.restart()

    def pick(self, *states: State) -> Order | None:
        found = [order for order in self.orders if order.state in states]
        return self.random.choice(found) if found else None

    # --- the steps ----------------------------------------------------------------------------------------------------

    async def something_will_go_wrong(self) -> None:
        self.city.faults.extend(self.random.choices(["ok", *FAULTS], [10, 1, 1, 1, 1, 1], k=4))

    async def apply(self) -> None:
        chosen = self.random.sample(self.assets, self.random.choice([1, 1, 1, 2, 3]))
        quantity = self.random.randint(1, 6) if chosen == self.assets[2:] else 1
        window = days(self.random.randint(0, 9), self.random.randint(1, 2), shanghai_today(self.clock.now))
        by = self.random.choice(PEOPLE)
        await self.do(self.desk.apply(*chosen, by=by, window=window, quantity=str(quantity)))

    async def approve_to_the_end(self) -> None:
        order = self.pick(State.IN_APPROVAL)
        for _ in order.approvals if order is not None else ():
            await self.decide(order, Command.APPROVE)

    async def decide_once(self) -> None:
        commands = [Command.APPROVE, Command.REJECT, Command.RETURN_FOR_CORRECTION]
        await self.decide(self.pick(State.IN_APPROVAL), self.random.choice(commands))

    async def decide(self, order: Order | None, command: Command) -> None:
        step = None if order is None else (await self.desk.order(order.id)).current_step
        if order is not None and step is not None:
            person = HEADS[step.unit] if step.office == "UNIT_HEAD" else OFFICERS[step.office]
            body = {} if command is Command.APPROVE else {"reason": "否"}
            await self.do(self.desk.give(person, command, order.id, **body))

    async def resubmit_or_withdraw(self) -> None:
        order = self.pick(State.IN_APPROVAL, State.RETURNED, State.TO_DISPATCH)
        if order is not None:
            command = Command.RESUBMIT if order.state is State.RETURNED else Command.WITHDRAW
            await self.do(self.desk.give(applicant(order), command, order.id))

    async def dispatch(self) -> None:
        order, key = self.pick(State.TO_DISPATCH), self.desk.key()
        for _ in range(self.random.choice([1, 2]) if order is not None else 0):
            await self.do(self.desk.give(KEEPER, Command.DISPATCH, order and order.id, key=key))

    async def move_a_part(self) -> None:
        order, command = self.pick(*MOVING), self.random.choice([Command.DISPATCH, Command.RECEIVE])
        if order is not None:
            if order.state not in (State.TO_DISPATCH, State.IN_TRANSIT):
                command = Command.RETURN_GOODS
            person = KEEPER if command is Command.DISPATCH else applicant(order)
            lines = [{"lineId": order.lines[0].id, "quantity": "1"}]
            await self.do(self.desk.give(person, command, order.id, lines=lines))

    async def receive(self) -> None:
        order = self.pick(State.TO_DISPATCH, State.IN_TRANSIT)
        if order is not None:
            await self.do(self.desk.give(applicant(order), Command.RECEIVE, order.id))

    async def give_back(self) -> None:
        order = self.pick(State.IN_TRANSIT, State.LENT, State.RETURNING)
        if order is not None:
            await self.do(self.desk.give(applicant(order), Command.RETURN_GOODS, order.id))

    async def inspect(self) -> None:
        order = self.pick(State.TO_INSPECT)
        if order is not None:
            outcomes = self.random.choices(["PASSED", "NEEDS_REPAIR", "REFUSED"], [6, 1, 1], k=len(order.lines))
            pairs = zip(order.lines, outcomes, strict=True)
            lines = [{"lineId": line.id, "outcome": outcome} for line, outcome in pairs if line.outcome is None]
            await self.do(self.desk.give(KEEPER, Command.INSPECT, order.id, lines=lines))

    async def time_passes(self) -> None:
        self.clock.advance(hours=self.random.randint(1, 48))
        await self.do(self.desk.circulation.expire())

    async def settle(self) -> None:
        await self.do(self.desk.circulation.resume())

    async def step(self) -> None:
        applying, correcting, leaving = {State.IN_APPROVAL}, {State.RETURNED}, {State.TO_DISPATCH}
        steps: list[tuple[Callable[[], Awaitable[None]], int, set[State]]] = [
            (self.apply, 4, set()),
            (self.approve_to_the_end, 12, applying),
            (self.decide_once, 2, applying),
            (self.resubmit_or_withdraw, 1, applying | correcting | leaving),
            (self.dispatch, 12, leaving),
            (self.receive, 5, leaving | {State.IN_TRANSIT}),
            (self.give_back, 4, {State.LENT, State.RETURNING}),
            (self.move_a_part, 4, set(MOVING)),
            (self.inspect, 5, {State.TO_INSPECT}),
            (self.time_passes, 1, set()),
            (self.something_will_go_wrong, 2, set()),
            (self.settle, 4, set()),
            (self.restart, 1, set()),
        ]
        found = {order.state for order in self.orders}
        possible = [(step, weight) for step, weight, states in steps if not states or states & found]
        chosen = self.random.choices([step for step, _ in possible], [weight for _, weight in possible])
        await chosen[0]()
        await self.check()

    # --- what holds ---------------------------------------------------------------------------------------------------

    async def check(self) -> None:
        """At any time."""
        entries: dict[str, list[Mapping[str, Any]]] = {asset: [] for asset in self.assets}
        table = tables.ledger_entries
        async with self.desk.database.read() as connection:
            for row in (await connection.execute(select(table).order_by(table.c.sequence))).mappings():
                entries[row["asset_id"]].append(row)
            self.orders = await repository.load_orders(connection, select(tables.orders).order_by(tables.orders.c.seq))
        for of_asset in entries.values():
            check_ledger(of_asset)
        out: dict[str, Decimal] = defaultdict(Decimal)
        for line in (line for order in self.orders if order.flow is Flow.LOAN for line in order.lines):
            assert 0 <= line.returning + line.returned <= line.received <= line.dispatched <= line.quantity
            out[line.asset_id] += line.dispatched - line.returned
        for asset, quantity in out.items():
            assert quantity <= Decimal(self.city.assets[asset]["quantity"]), f"{asset} is in two hands"

    async def check_settled(self) -> None:
        """Once nothing goes wrong any more and every command was taken up again."""
        self.city.faults.clear()
        await self.restart()
        await self.desk.circulation.resume()
        await self.check()
        async with self.desk.database.read() as connection:
            still_open = select(func.count()).select_from(tables.commands).where(tables.commands.c.state != "FINISHED")
            assert (await connection.execute(still_open)).scalar_one() == 0
        assert all(one.settlement is Settlement.SETTLED and one.command_id is None for one in self.orders)
        listed = await self.desk.orders()
        assert all(order.state is not State.DRAFT for order in listed)
        self.check_books([order for order in self.orders if order.flow is Flow.LOAN])

    def check_books(self, loans: Sequence[Order]) -> None:
        books, now = self.city.holds, text_of(self.clock.now)
        held = {hold.id for hold in books.values() if self.city.in_force(hold)}
        wanted = {
            str(line.hold_id)
            for order in loans
            if order.state in HELD
            for line in order.lines
            if line.hold_state in (HoldState.ACTIVE, HoldState.DISPATCHED)
        }
        assert held <= wanted, "a hold that no order stands for"
        assert all(id_ in held or books[id_].has_lapsed(now) for id_ in wanted), "an order that has lost its hold"
        assert len({(hold.order_id, hold.asset) for hold in books.values()}) == len(books), "a line has one hold"
        for line in (line for order in loans for line in order.lines):
            hold = books.get(str(line.hold_id))
            told = (hold.dispatched, hold.received, hold.returned) if hold is not None else (0, 0, 0)
            assert (line.dispatched, line.received, line.returned) == told


def applicant(order: Order) -> Identity:
    return next(person for person in PEOPLE if person.person == order.applicant.person)


def check_ledger(entries: Sequence[Mapping[str, Any]]) -> None:
    """The chain holds, nothing is lost, and no account gives what it does not have."""
    verify(entries)
    balances: dict[tuple[str, str | None, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        account = (entry["region"], entry["unit"], entry["custody"])
        balances[account] += Decimal(entry["quantity"])
        assert entry["custody"] == "OPENING" or balances[account] >= 0, entry
    assert sum(balances.values()) == 0


@pytest.mark.parametrize("seed", range(5))
async def test_chaos(seed: int, tmp_path: Path) -> None:
    async with Walk(seed, f"sqlite:///{tmp_path}/overlay.sqlite") as walk:
        for _ in range(STEPS):
            await walk.step()
        await walk.check_settled()
