"""What must hold of a reading: each check is a function that yields what is wrong, in words.

`ALWAYS` hold at any moment, between the steps of a saga too; `AT_REST` once nothing is under way. A check says what
the world must be like, never how the code makes it so; a new one joins by standing in one of the two tuples. Those of
goods and of the ledger stand in `tests.overlay.chaos.checks_of_goods`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from overlay.clock import parse_instant, shanghai_today
from overlay.group.custody import LOOK
from overlay.orders.model import ApprovalState, ApprovalStep, Flow, Settlement, State
from tests.overlay.chaos import checks_of_goods as goods
from tests.overlay.chaos.cast import may_decide
from tests.overlay.chaos.checks_of_goods import ENDED
from tests.overlay.chaos.reading import Reading

__all__ = ["ALWAYS", "AT_REST", "Check", "Violated", "held_against"]

Check = Callable[[Reading], Iterator[str]]


class Violated(AssertionError):
    """Something that must hold does not."""


def held_against(checks: Iterable[Check], reading: Reading) -> int:
    """Raises `Violated` with all that is wrong; gives how many checks were made."""
    made, wrong = 0, []
    for check in checks:
        made += 1
        wrong += [f"{check.__name__}: {words}" for words in check(reading)]
    if wrong:
        raise Violated("\n".join(wrong))
    return made


# --- orders -----------------------------------------------------------------------------------------------------------


def a_timeline_leads_to_the_state(reading: Reading) -> Iterator[str]:
    for order in reading.orders.values():
        at: str | None = None
        for entry in reading.timelines.get(order.id, ()):
            if entry["from_state"] != at:
                yield f"{order.id}: from {at} to {entry['to_state']} without a step between"
            at = entry["to_state"]
        if at != order.state:
            yield f"{order.id} is {order.state}, its timeline ends in {at}"


def steps_are_decided_by_who_may(reading: Reading) -> Iterator[str]:
    for order in reading.orders.values():
        current = [step for step in order.approvals if step.state is ApprovalState.CURRENT]
        waits = order.state in (State.IN_APPROVAL, State.EXTENDING)
        if len(current) != (1 if waits else 0) and order.state not in ENDED:
            yield f"{order.id} is {order.state} with {len(current)} current steps"
        for step in order.approvals:
            if step.decided_by is None:
                continue
            if order.applicant.person in (step.decided_by, step.on_behalf_of):
                yield f"{order.id}: step {step.position} was decided in the office of its own applicant"
            if (step.on_behalf_of or step.decided_by) not in may_decide(step):
                yield f"{order.id}: step {step.position} was decided by {step.decided_by}"
            if step.on_behalf_of is not None and not _was_lent(step, reading):
                yield f"{order.id}: {step.decided_by} decided in an office that {step.on_behalf_of} did not lend"


def _was_lent(step: ApprovalStep, reading: Reading) -> bool:
    at = str(step.decided_at)
    day = shanghai_today(parse_instant(at)).isoformat()
    return any(
        (row["person"], row["delegate"]) == (step.on_behalf_of, step.decided_by)
        and row["from_day"] <= day < row["to_day"]
        and row["created_at"] <= at
        and (row["revoked_at"] is None or row["revoked_at"] > at)
        for row in reading.delegations
    )


def goods_move_only_when_approved(reading: Reading) -> Iterator[str]:
    for order, line in reading.goods:
        steps = [step for step in order.approvals if step.extension is None]
        if line.dispatched > 0 and any(step.state is not ApprovalState.APPROVED for step in steps):
            yield f"{order.id}: goods left before every step was approved"


def less_is_granted_only_where_accepted(reading: Reading) -> Iterator[str]:
    for order, line in reading.goods:
        if order.flow not in (Flow.LOAN, Flow.REALLOCATION) or line.quantity == line.asked:
            continue
        if line.quantity > line.asked or line.refusal is None or not line.accepts_partial:
            yield f"{line.id}: {line.quantity} of {line.asked} were granted, for {line.refusal}"


def an_order_has_one_open_command(reading: Reading) -> Iterator[str]:
    still_open: defaultdict[str, list[str]] = defaultdict(list)
    for command in reading.commands:
        if command["state"] != "FINISHED":
            still_open[command["order_id"]].append(command["id"])
    for order in reading.orders.values():
        expected = [] if order.command_id is None else [order.command_id]
        if still_open[order.id] != expected:
            yield f"{order.id} is taken by {expected}, open are {still_open[order.id]}"


def a_line_is_repaired_once(reading: Reading) -> Iterator[str]:
    """Of a return: of what was found to need it, one repair is under way or done."""
    asked = Counter(
        line.loan_line_id
        for order, line in reading.goods
        if order.flow is Flow.REPAIR
        and line.loan_line_id is not None
        and order.state not in (State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRAFT)
    )
    yield from (f"{id_} is repaired {n} times" for id_, n in asked.items() if n > 1)


# --- what was sent to the owners --------------------------------------------------------------------------------------


def nothing_was_sent_unwritten(reading: Reading) -> Iterator[str]:
    written = {step["id"] for step in reading.steps}
    yield from (f"an owner knows {key}, which no step stands for" for key in reading.answers.keys() - written)


def a_step_says_what_the_owner_said(reading: Reading) -> Iterator[str]:
    for step in reading.steps:
        if step["action"] == LOOK:
            continue  # a question, which no book keeps
        answer = reading.answers.get(step["id"])
        accepted = answer is not None and not answer["problems"]
        if step["state"] == "DONE" and not accepted:
            yield f"{step['action']} {step['id']} is done, but not at the owner's"
        if step["state"] in ("REFUSED", "CANCELLED", "DROPPED") and accepted:
            yield f"{step['action']} {step['id']} is {step['state']}, but the owner has done it"


# --- at rest ----------------------------------------------------------------------------------------------------------


def nothing_is_under_way(reading: Reading) -> Iterator[str]:
    yield from (f"command {row['id']} is open" for row in reading.commands if row["state"] != "FINISHED")
    yield from (
        f"step {row['id']} is {row['state']}" for row in reading.steps if row["state"] in ("PENDING", "UNKNOWN")
    )
    for order in reading.orders.values():
        if order.settlement is not Settlement.SETTLED or order.command_id is not None:
            yield f"{order.id} is not settled"
        if order.state is State.DRAFT and order.id not in reading.unlisted:
            yield f"{order.id} is shown as a draft"


ALWAYS: tuple[Check, ...] = (
    goods.no_asset_in_two_hands,
    goods.no_overlap_beyond_quantity,
    goods.the_chain_is_whole,
    goods.ledger_sums_are_constant,
    goods.the_ledger_says_what_orders_say,
    a_timeline_leads_to_the_state,
    steps_are_decided_by_who_may,
    goods_move_only_when_approved,
    less_is_granted_only_where_accepted,
    an_order_has_one_open_command,
    a_line_is_repaired_once,
    nothing_was_sent_unwritten,
    a_step_says_what_the_owner_said,
)
AT_REST: tuple[Check, ...] = (
    *ALWAYS,
    nothing_is_under_way,
    goods.holds_and_orders_stand_for_each_other,
    goods.books_say_what_orders_say,
    goods.days_are_what_the_owner_granted,
    goods.cards_add_up_to_what_was_bought,
)
