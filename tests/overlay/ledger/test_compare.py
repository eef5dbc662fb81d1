"""Each cause of a difference is told by its own code, and what cannot be judged is not held against a store."""

from __future__ import annotations

from decimal import Decimal

import pytest

from overlay.group.custody import AssetState
from overlay.ledger.compare import Card, Difference, compare
from overlay.ledger.model import Custody


def card(**held: int) -> Card:
    return Card("asset:330106:a", {("u", Custody(custody)): Decimal(quantity) for custody, quantity in held.items()})


def state(quantity: int = 1, status: str | None = "IN_STORE", owner: str | None = "u", claimed: int = 0) -> AssetState:
    return AssetState(Decimal(quantity), status, owner, Decimal(claimed))


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        (card(IN_STORE=1), state()),
        (card(IN_STORE=1), state(status="RESERVED", claimed=1)),
        (card(IN_STORE=1), state(status=None, owner=None)),
        (card(DAMAGED=1), state(status="IN_REPAIR")),
        (card(IN_TRANSIT=1), state(status="IN_TRANSIT", claimed=1)),
        (card(LENT=1), state(status="LENT", claimed=1)),
        (card(RETURNING=1), state(status="LENT", claimed=1, owner="another")),
        (card(IN_STORE=4, LENT=6), state(10, claimed=6)),
        (card(IN_STORE=4, LENT=6), state(10, "LENT", claimed=8)),
    ],
)
def test_what_agrees_is_no_difference(held: Card, shown: AssetState) -> None:
    assert compare(held, shown, is_written=True) == []


@pytest.mark.parametrize(
    ("held", "shown", "written", "found"),
    [
        (card(LENT=1), state(claimed=1), True, ("STATUS_DIFFERS", "LENT", "IN_STORE")),
        (card(LENT=1), state(claimed=1), False, ("STORE_NOT_WRITTEN", "LENT", "IN_STORE")),
        (card(IN_STORE=10), state(10, "LENT"), True, ("STATUS_DIFFERS", "IN_STORE", "LENT")),
        (card(LENT=1), state(status="LENT"), True, ("HOLD_MISSING", "1", "0")),
        (card(IN_STORE=4, LENT=6), state(10, claimed=5), True, ("HOLD_MISSING", "6", "5")),
        (card(IN_STORE=10), state(12), True, ("QUANTITY_DIFFERS", "10", "12")),
        (card(IN_STORE=1), state(owner="v"), True, ("OWNER_DIFFERS", "u", "v")),
        (card(IN_STORE=3), None, True, ("ASSET_GONE", "3", None)),
    ],
)
def test_each_cause_has_its_code(held: Card, shown: AssetState | None, written: bool, found: tuple[str, ...]) -> None:
    assert [(one.cause, one.in_ledger, one.in_store) for one in compare(held, shown, is_written=written)] == [found]


def test_a_card_may_differ_in_several_ways() -> None:
    differences: list[Difference] = compare(card(LENT=1), state(2, owner=None), is_written=True)
    assert [one.cause for one in differences] == ["QUANTITY_DIFFERS", "HOLD_MISSING", "STATUS_DIFFERS"]
