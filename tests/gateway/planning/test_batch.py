"""Which entity fetches share one request: those that cost no round by it."""

from __future__ import annotations

from gateway.planning.batch import Unit, units_of
from gateway.planning.costs import BATCH_PARTS_MAX
from gateway.planning.groups import Group
from tests.gateway.planning.support.stages import entity, root

P = ("p", True)


def batched(*groups: Group) -> list[list[Group]]:
    return [unit.groups for unit in units_of(list(groups), lambda group: group.graph != "members")]


def unit_of(group: Group, units: list[Unit]) -> Unit:
    return next(one for one in units if group in one.groups)


# Together


def test_fetches_of_one_graph_in_one_round_share_a_request() -> None:
    first = root("a")
    one, other, elsewhere = entity("b", "x", [first]), entity("b", "y.@", [first]), entity("c", "x", [first])
    assert batched(first, one, elsewhere, other) == [[first], [one, other], [elsewhere]]


def test_who_waited_for_one_of_them_waits_for_the_request() -> None:
    first, second = root("a"), root("z")
    one, other = entity("b", "x", [first]), entity("b", "y", [second])
    after = entity("c", "y.v", [other])
    units = units_of([first, second, one, other, after], lambda _: True)
    shared = unit_of(one, units)
    assert shared is unit_of(other, units)
    assert unit_of(after, units).deps == {shared}
    assert shared.deps == {unit_of(first, units), unit_of(second, units)}


def test_a_fetch_may_be_held_back_while_nothing_becomes_a_round_later() -> None:
    first = root("a")
    early = entity("b", "x", [first])
    between = entity("c", "y", [first])
    late = entity("b", "y", [between])
    assert batched(first, early, between, late) == [[first], [early, late], [between]]


# Apart


def test_a_fetch_is_not_held_back_where_that_costs_a_round() -> None:
    first = root("a")
    early = entity("b", "x", [first])
    between = entity("c", "y", [first])
    late = entity("b", "y", [between])
    after_early = entity("d", "x", [early])
    # Three rounds either way: with `early` in the round of `late`, `after_early` would need a fourth.
    assert batched(first, early, between, late, after_early) == [[first], [early], [between], [late], [after_early]]


def test_a_fetch_that_waits_for_another_has_a_request_of_its_own() -> None:
    first = root("a")
    one = entity("b", "x", [first])
    between = entity("c", "x.y", [one])
    other = entity("b", "x.y", [between])
    # A longer way elsewhere leaves rounds to spare, so that only the waiting tells them apart.
    longer = [entity("c", "z", [first])]
    for _ in range(5):
        longer.append(entity("e" if longer[-1].graph == "c" else "c", "z", [longer[-1]]))
    groups = [first, one, between, other, *longer]
    assert all(not {one, other} <= set(same) for same in batched(*groups))


def test_fetches_under_other_conditions_do_not_share() -> None:
    first = root("a")
    one, other = entity("b", "x", [first]), entity("b", "y", [first], when=[P])
    assert batched(first, one, other) == [[first], [one], [other]]


def test_root_fetches_and_what_may_not_share_stay_alone() -> None:
    first, second = root("a"), root("a")
    one, other = entity("members", "x", [first]), entity("members", "y", [first])
    assert batched(first, second, one, other) == [[first], [second], [one], [other]]


def test_a_request_carries_a_bounded_number() -> None:
    first = root("a")
    many = [entity("b", f"x{n}", [first]) for n in range(BATCH_PARTS_MAX + 1)]
    assert batched(first, *many) == [[first], many[:BATCH_PARTS_MAX], many[BATCH_PARTS_MAX:]]
