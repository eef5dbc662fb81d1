"""A view of a virtual warehouse: the overlay's signed rule, applied by this member to its own rows.

The rule says which rows and which window; who may see them is judged here as for any other query. What this region's
own custody book has taken wholly at some time within the window is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.model import Filter, KeyIn, Not
from contract.rules import InvalidRule, Rule
from subgraphs.district.connections import Reading, reading
from subgraphs.district.filters import all_of, parse_filter
from subgraphs.district.member import DistrictContext, Member
from subgraphs.kit.errors import BadInput, CodedError
from subgraphs.kit.scalars import parse_day

__all__ = ["reading_of_view"]


async def reading_of_view(context: DistrictContext, rule: Any, filter_: Any) -> Reading:
    """What a view's field reads: rule, window, the client's further filter, the viewer's rights.

    Raises `INVALID_RULE` for a rule that this member cannot trust.
    """
    member = context.member
    found = _verified(member, rule)
    asked = await reading(context, filter_)
    condition = all_of(
        (
            parse_filter(found.filter, member.region),
            asked.condition,
            None if found.window is None else await _outside_of_holds(member, found.window),
        )
    )
    return Reading(condition, {"rule": found.filter, "window": found.window, "filter": asked.bound_to})


def _verified(member: Member, rule: Any) -> Rule:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("token"), str):
        raise BadInput("the view's representation lacks its rule")
    if member.rules is None:
        raise CodedError("this member knows no key to check rules with", code="INVALID_RULE")
    try:
        return member.rules.verify(rule["token"])
    except InvalidRule as error:
        raise CodedError(str(error), code="INVALID_RULE") from None


async def _outside_of_holds(member: Member, window: tuple[str, str]) -> Filter | None:
    """Every row but those of which nothing is free throughout the window."""
    from_day, to_day = (parse_day(day) for day in window)
    held = await member.book.held(from_day, to_day, member.today())
    if not held:
        return None
    rows = await member.store.rows(held, frozenset(("quantity",)))
    taken = [native for native, row in rows.items() if held[native] >= _quantity(row)]
    return Not(KeyIn(tuple(sorted(taken)))) if taken else None


def _quantity(row: Mapping[str, Any]) -> Decimal:
    """A card without a quantity is one thing."""
    return Decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1)
