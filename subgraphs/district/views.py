"""A view of a virtual warehouse: the overlay's signed rule, applied by this member to its own rows.

The rule says which rows and which window; who may see them is judged here as for any other query. What this region's
own custody book has taken wholly at some time within the window is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from adapters.model import Filter
from contract.rules import InvalidRule, Rule
from subgraphs.district.connections import Reading, reading
from subgraphs.district.filters import all_of, parse_filter
from subgraphs.district.member import DistrictContext, Member
from subgraphs.kit.errors import BadInput, CodedError
from subgraphs.kit.scalars import parse_day

__all__ = ["reading_of_view"]

COMPILED_MAX = 1_024


async def reading_of_view(context: DistrictContext, rule: Any, filter_: Any) -> Reading:
    """What a view's field reads: rule, window, the client's further filter, the viewer's rights.

    Raises `INVALID_RULE` for a rule that this member cannot trust.
    """
    member = context.member
    found = _verified(member, rule)
    asked = await reading(context, filter_)
    condition = all_of((_condition_of(rule["token"], found, member.region), asked.condition))
    taken = frozenset() if found.window is None else await _taken_in(member, found.window)
    return Reading(condition, {"rule": found.filter, "window": found.window, "filter": asked.bound_to}, taken)


_Compiled = OrderedDict[tuple[str, str], Filter | None]
_compiled: _Compiled = OrderedDict()
"""By token and region: a rule is the same text to all members for an hour, and the same condition to each of them."""


def _condition_of(token: str, rule: Rule, region: str) -> Filter | None:
    """The condition of a rule that was verified."""
    key = (token, region)
    if key in _compiled:
        _compiled.move_to_end(key)
        return _compiled[key]
    condition = _compiled[key] = parse_filter(rule.filter, region)
    if len(_compiled) > COMPILED_MAX:
        _compiled.popitem(last=False)
    return condition


def _verified(member: Member, rule: Any) -> Rule:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("token"), str):
        raise BadInput("the view's representation lacks its rule")
    if member.rules is None:
        raise CodedError("this member knows no key to check rules with", code="INVALID_RULE")
    try:
        return member.rules.verify(rule["token"])
    except InvalidRule as error:
        raise CodedError(str(error), code="INVALID_RULE") from None


async def _taken_in(member: Member, window: tuple[str, str]) -> frozenset[str]:
    from_day, to_day = (parse_day(day) for day in window)
    return await member.windows.taken_in(from_day, to_day, member.today())
