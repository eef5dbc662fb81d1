"""Known faults, planted one at a time: whoever checks must find each.

Each is handed in through a seam, as a subclass of the part that would have the fault: the counter (`Circulation`), the
way to the owners (`Custody`), the owners themselves (`City`). Handlers of commands stand in one table, `HANDLERS`,
which every process shares; `planted` puts a faulty one into it and takes it out again. That is the one switch here
that is no seam, and nothing but this module uses it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, update

from contract.identity import Identity
from overlay.group.custody import CommandResult, Custody, Done, Refused, Unknown
from overlay.ledger import entries as ledger
from overlay.messages import Problem
from overlay.orders import repository
from overlay.orders.commands import HANDLERS
from overlay.orders.commands.apply import Apply
from overlay.orders.commands.approve import Approve
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.commands.checks import line_of
from overlay.orders.commands.compensate import SettleCompensation
from overlay.orders.commands.draft import Draft
from overlay.orders.commands.goods import DISPATCH, RECEIVE, WRITE_OFF_DISPOSED, MoveGoods
from overlay.orders.commands.restore import InspectReturn
from overlay.orders.commands.stock import owner_account
from overlay.orders.commands.transfer import ReceiveForGood, ReturnToOwner
from overlay.orders.model import Command, Flow, HoldState, Order, State
from overlay.orders.service import Circulation, CommandAnswer
from overlay.store.tables import compensations, ledger_entries
from subgraphs.district.custody.claims import Claim
from tests.overlay.chaos.world import LOANS, Parts
from tests.overlay.city import City

__all__ = ["PLANTS", "Plant", "planted"]


@dataclass(frozen=True, slots=True)
class Plant:
    name: str
    parts: Parts = field(default_factory=Parts)
    handlers: Mapping[tuple[Flow, Command], Handler] = field(default_factory=dict)
    flows: frozenset[Flow] | None = LOANS
    """What the walks are about that look for it; None: anything."""


@contextmanager
def planted(plant: Plant) -> Iterator[Parts]:
    sound = {key: HANDLERS[key] for key in plant.handlers}
    HANDLERS.update(plant.handlers)
    try:
        yield plant.parts
    finally:
        HANDLERS.update(sound)


# --- the owners' books ------------------------------------------------------------------------------------------------


class HoldWithoutTransaction(City):
    """Looks whether the asset is free, lets others in, and writes the hold by what it saw."""

    seen: list[Claim] | None = None

    async def execute(self, document: str, variables: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
        if "placeHold" not in document:
            return await super().execute(document, variables, **options)
        seen = self._claims(str(variables["input"]["assetId"]))
        for _ in range(50):
            await asyncio.sleep(0)
        self.seen = seen
        try:
            return await super().execute(document, variables, **options)
        finally:
            self.seen = None

    def _claims(self, asset_id: str, without: str | None = None) -> list[Claim]:
        return super()._claims(asset_id, without) if self.seen is None else self.seen


class BlindToQuantity(City):
    """Lets a hold be placed whatever is taken."""

    def _claims(self, asset_id: str, without: str | None = None) -> list[Claim]:
        return []


class ForgetfulOfKeys(City):
    """Does a repeated command once more."""

    def _once(self, input_: dict[str, Any], act: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        self.answers[input_["idempotencyKey"]] = act(input_)
        return self.answers[input_["idempotencyKey"]]


class KeepsTheOldCard(City):
    """Says that the goods were let go, and still has them on its own card."""

    def _transfer_out(self, input_: dict[str, Any]) -> dict[str, Any]:
        return {"writtenBack": True, "problems": []}


class ExtendsWhatIsPromised(City):
    """Tells nobody what is busy, and looks at nobody else's claims when it lends for longer."""

    is_extending = False

    def _busy(self, id_: str, range_: Mapping[str, Any]) -> list[dict[str, Any]]:
        return []

    def _extend(self, input_: dict[str, Any]) -> dict[str, Any]:
        self.is_extending = True
        try:
            return super()._extend(input_)
        finally:
            self.is_extending = False

    def _claims(self, asset_id: str, without: str | None = None) -> list[Claim]:
        return [] if self.is_extending else super()._claims(asset_id, without)


# --- the way to the owners --------------------------------------------------------------------------------------------


class UnknownIsDone(Custody):
    """Takes an answer that was lost for a yes."""

    async def send(self, action: str, key: str, asset_id: str, input_: Mapping[str, Any]) -> CommandResult:
        result = await super().send(action, key, asset_id, input_)
        return Done({"hold": None}) if isinstance(result, Unknown) and action != "PLACE" else result


class UnknownIsRefused(Custody):
    """Takes an answer that was lost for a no."""

    async def send(self, action: str, key: str, asset_id: str, input_: Mapping[str, Any]) -> CommandResult:
        result = await super().send(action, key, asset_id, input_)
        return Refused((Problem("STORE_ERROR", (), {}),)) if isinstance(result, Unknown) else result


class NeverReleases(Custody):
    """Says that a hold was given back, and keeps it."""

    async def send(self, action: str, key: str, asset_id: str, input_: Mapping[str, Any]) -> CommandResult:
        if action == "RELEASE":
            return Done({})
        return await super().send(action, key, asset_id, input_)


# --- the counter ------------------------------------------------------------------------------------------------------


class SendsBeforeWriting(Circulation):
    async def _begin_application(
        self, identity: Identity, key: str, digest: str, draft: Draft, body: Mapping[str, Any]
    ) -> CommandAnswer:
        for line in draft.lines:
            hold = {
                "orderId": f"order:{key}",
                "range": {"from": draft.window[0].isoformat(), "to": draft.window[1].isoformat()},
                "quantity": str(line.quantity),
                "lifeSeconds": 3600,
                "expectedVersion": line.version,
            }
            await self._custody.send("PLACE", f"early-{key}-{line.index}", line.facts.id, hold)
        return await super()._begin_application(identity, key, digest, draft, body)


class LosesKeys(Circulation):
    numbers = itertools.count()

    async def apply(self, flow: Flow, identity: Identity, key: str, body: Mapping[str, Any]) -> CommandAnswer:
        return await super().apply(flow, identity, f"{key}-{next(self.numbers)}", body)


class SkipsVersions(Circulation):
    """Begins on the order as it is, not as it was when the command was checked."""

    async def _begin(
        self, identity: Identity, key: str, digest: str, command: Command, seen: Order, body: Mapping[str, Any]
    ) -> CommandAnswer:
        answer = await super()._begin(identity, key, digest, command, seen, body)
        while [one.code for one in answer.problems] == ["ORDER_CHANGED"]:
            async with self._database.read() as connection:
                now = await repository.load_order(connection, seen.id)
            assert now is not None
            answer = await super()._begin(identity, key, digest, command, now, body)
        return answer


class LetsOwnBeApproved(Circulation):
    async def _visible(self, identity: Identity, order_id: str) -> Order | None:
        order = await super()._visible(identity, order_id)
        if order is None:
            return None
        return dataclasses.replace(order, applicant=dataclasses.replace(order.applicant, person="nobody"))


class RefusesAndChanges(Circulation):
    async def _refuse(
        self,
        identity: Identity,
        key: str,
        command: Command,
        digest: str,
        order_id: str | None,
        problems: Sequence[Problem],
    ) -> CommandAnswer:
        if order_id is not None:
            async with self._database.write() as connection:
                await repository.update_order(connection, order_id, "2026-12-01T00:00:00.000000Z", purpose="?")
        return await super()._refuse(identity, key, command, digest, order_id, problems)


class HonoursEveryDelegation(Circulation):
    """Whatever its days are."""

    async def _acting(self, identity: Identity, body: Mapping[str, Any]) -> Identity | None:
        lender = body.get("onBehalfOf")
        if lender is None:
            return identity
        lent = await self._delegations.of(identity)
        return next((one.acting() for one in lent if one.person == lender), None)


class NeverResumes(Circulation):
    async def resume(self) -> int:
        return 0


# --- the handlers -----------------------------------------------------------------------------------------------------


async def _lose_an_entry(work: Work) -> None:
    last = select(ledger_entries.c.id).order_by(ledger_entries.c.at.desc(), ledger_entries.c.sequence.desc())
    found = (await work.connection.execute(last.limit(1))).scalar_one()
    await work.connection.execute(delete(ledger_entries).where(ledger_entries.c.id == found))


class LosesAnEntry(MoveGoods):
    """One entry where a pair belongs."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        await _lose_an_entry(work)


class LosesATransfer(ReceiveForGood):
    """What the owner lets go, nobody is given."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        if step.action == "TRANSFER_OUT":
            await _lose_an_entry(work)


class DropsUnasked(Apply):
    """Grants a part to who wanted all or nothing."""

    drops_what_is_refused = True


class SettlesUnagreed(SettleCompensation):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        table = compensations
        mine = (table.c.order_id == order.id, table.c.agreed_at.is_(None))
        await work.connection.execute(update(table).where(*mine).values(agreed_at=work.at))
        return await super().begin(work, await work.reload(order.id))


class ForgetsWhatIsOnTheRoad(ReturnToOwner):
    """Sends back what has arrived twice: once as arrived, once as returned."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        problems = await super().begin(work, order)
        after = await work.reload(order.id)
        for line in after.lines:
            await work.set_line(line, returning=Decimal(0))
        return problems


class WritesOffWhatStays(MoveGoods):
    """Says that all was written off when a part was."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        after = await work.reload(order.id)
        for line in after.lines:
            await work.set_line(line, received=line.dispatched)


class RewritesHistory(MoveGoods):
    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        first = (ledger_entries.c.asset_id == step.asset_id, ledger_entries.c.sequence == 1)
        await work.connection.execute(update(ledger_entries).where(*first).values(at="2020-01-01T00:00:00.000000Z"))


class BooksTwice(MoveGoods):
    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        await super().step_done(work, await work.reload(order.id), step, data)


class TakesForNew(MoveGoods):
    """What leaves and the ledger has not seen come must have come from outside."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line, quantity = line_of(order, step.line_id), Decimal(step.input["quantity"])
        source, target = owner_account(line, ledger.Custody.IN_STORE), owner_account(line, ledger.Custody.IN_TRANSIT)
        await work.book(order, line, ledger.Movement.DISPATCH, source, target, quantity, line.dispatched, learns=True)
        await work.set_line(line, hold_state=HoldState.DISPATCHED, dispatched=line.dispatched + quantity)


class SkipsTheChain(Approve):
    """One approval is enough."""

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        await super().finish(work, order, problems)
        after = await work.reload(order.id)
        if not problems and after.state is State.IN_APPROVAL:
            await work.transition(after, Command.APPROVE, State.APPROVED)
            approved = await work.reload(order.id)
            await work.transition(approved, Command.APPROVE, State.TO_DISPATCH)


class ClosesPartlyReturned(InspectReturn):
    """A part that came back closes the whole line."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await super().step_done(work, order, step, data)
        loan = await work.reload(str(order.loan_id))
        for line in loan.lines:
            await work.set_line(line, returned=line.received, returning=0)


_REALLOCATION = frozenset({Flow.REALLOCATION})

PLANTS: tuple[Plant, ...] = (
    Plant("a hold without a transaction", Parts(city=HoldWithoutTransaction)),
    Plant("an owner blind to quantity", Parts(city=BlindToQuantity)),
    Plant("an owner that forgets keys", Parts(city=ForgetfulOfKeys)),
    Plant("an unknown outcome taken for done", Parts(custody=UnknownIsDone)),
    Plant("an unknown outcome taken for refused", Parts(custody=UnknownIsRefused)),
    Plant("a hold that is never given back", Parts(custody=NeverReleases)),
    Plant("a send before the write", Parts(circulation=SendsBeforeWriting)),
    Plant("a lost idempotency key", Parts(circulation=LosesKeys)),
    Plant("a skipped version check", Parts(circulation=SkipsVersions)),
    Plant("an approval of one's own", Parts(circulation=LetsOwnBeApproved)),
    Plant("a refusal that changes something", Parts(circulation=RefusesAndChanges)),
    Plant("open commands that are not resumed", Parts(circulation=NeverResumes)),
    Plant("an unpaired ledger entry", handlers={(Flow.LOAN, Command.RECEIVE): LosesAnEntry(RECEIVE)}),
    Plant("a rewritten ledger entry", handlers={(Flow.LOAN, Command.DISPATCH): RewritesHistory(DISPATCH)}),
    Plant("a movement booked twice", handlers={(Flow.LOAN, Command.RECEIVE): BooksTwice(RECEIVE)}),
    Plant("goods on their way taken for new ones", handlers={(Flow.LOAN, Command.DISPATCH): TakesForNew(DISPATCH)}),
    Plant("approval steps left out", handlers={(Flow.LOAN, Command.APPROVE): SkipsTheChain()}),
    Plant("a partial return that closes the loan", handlers={(Flow.RETURN, Command.INSPECT): ClosesPartlyReturned()}),
    Plant("a successor card beside the old one", Parts(city=KeepsTheOldCard), flows=_REALLOCATION),
    Plant("an extension without a look at others", Parts(city=ExtendsWhatIsPromised)),
    Plant(
        "a transfer that does not balance",
        handlers={(Flow.REALLOCATION, Command.RECEIVE): LosesATransfer()},
        flows=_REALLOCATION,
    ),
    Plant(
        "goods that are lost on their way back",
        handlers={(Flow.REALLOCATION, Command.RETURN_TO_OWNER): ForgetsWhatIsOnTheRoad()},
        flows=_REALLOCATION,
    ),
    Plant("an office that was lent for other days", Parts(circulation=HonoursEveryDelegation)),
    Plant("a part granted to who wants all", handlers={(Flow.LOAN, Command.APPLY): DropsUnasked()}),
    Plant("a payment that nobody agreed to", handlers={(Flow.RETURN, Command.SETTLE_COMPENSATION): SettlesUnagreed()}),
    Plant(
        "a write-off of what is still there",
        handlers={(Flow.DISPOSAL, Command.WRITE_OFF): WritesOffWhatStays(WRITE_OFF_DISPOSED)},
        flows=frozenset({Flow.DISPOSAL}),
    ),
)
