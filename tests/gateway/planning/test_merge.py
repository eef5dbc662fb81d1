"""Which fetches of one graph at one path become one, and which must not."""

from __future__ import annotations

from gateway.planning.groups import Context, Group, Required
from gateway.planning.merge import levels, merge_groups
from gateway.planning.operations import selection_text
from tests.gateway.planning.support.stages import entity, root

P, Q = ("p", True), ("q", True)


def test_a_fetch_runs_one_round_after_the_latest_that_it_waits_for() -> None:
    first = root("a")
    near = entity("b", "x", [first])
    far = entity("c", "x", [near])
    late = entity("d", "x", [first, far])
    assert levels([late, far, near, first]) == {first: 0, near: 1, far: 2, late: 3}


# Together


def test_fetches_of_one_graph_path_and_round_become_one() -> None:
    first = root("a")
    one = entity("b", "x.@", [first], fields=["name"], requires=["id"])
    other = entity("b", "x.@", [first], fields=["size"], requires=["id", "weight"])
    left = merge_groups([first, one, other])
    [merged] = [group for group in left if group.is_entity]
    assert selection_text(merged.selection) == "...on Thing{name size}"
    assert set(merged.requires["Thing", "Thing"]) == {"id", "weight"}


def test_who_waited_for_either_waits_for_the_merged_one_and_it_for_what_both_waited_for() -> None:
    first, second = root("a"), root("z")
    one, other = entity("b", "x", [first]), entity("b", "x", [second])
    after_one, after_other = entity("c", "x.y", [one]), entity("d", "x.y", [other])
    left = merge_groups([first, second, one, other, after_one, after_other])
    [merged] = [group for group in left if group.graph == "b"]
    assert merged.deps == {first, second}
    assert after_one.deps == after_other.deps == {merged}


def test_an_earlier_fetch_that_nobody_waits_for_runs_with_a_later_one() -> None:
    first = root("a")
    early = entity("b", "x", [first], index=1, fields=["name"])
    between = entity("c", "x", [first], index=2)
    late = entity("b", "x", [between], index=3, fields=["size"])
    left = merge_groups([first, early, between, late])
    assert left == [first, between, late]
    assert levels(left)[late] == 2
    assert late.index == 1


def test_what_is_wanted_always_takes_in_what_is_wanted_sometimes() -> None:
    first = root("a")
    always = entity("b", "x", [first], fields=["name"])
    sometimes = entity("b", "x", [first], fields=["size"], when=[P])
    [_, merged] = merge_groups([first, always, sometimes])
    assert merged.conditions == ()


# Apart


def untouched(*groups: Group) -> bool:
    return merge_groups(list(groups)) == list(groups)


def test_fetches_of_other_paths_and_other_graphs_stay_apart() -> None:
    first = root("a")
    assert untouched(first, entity("b", "x", [first]), entity("b", "x.@", [first]), entity("c", "x", [first]))


def test_root_fetches_stay_apart() -> None:
    assert untouched(root("a"), root("a"))


def test_an_earlier_fetch_that_another_waits_for_stays_where_it_is() -> None:
    first = root("a")
    early = entity("b", "x", [first])
    between = entity("c", "x", [early])
    assert untouched(first, early, between, entity("b", "x", [between]))


def test_fetches_under_conditions_of_their_own_stay_apart() -> None:
    first = root("a")
    assert untouched(first, entity("b", "x", [first], when=[P]), entity("b", "x", [first], when=[Q]))


def test_a_key_that_is_there_only_sometimes_carries_nothing_that_is_wanted_always() -> None:
    first = root("a")
    always = entity("b", "x", [first], fields=["name"], requires=["id"])
    by_another_key = entity("b", "x", [first], fields=["size"], requires=["code"], when=[P], key_when=[P])
    assert untouched(first, always, by_another_key)


def test_one_representation_cannot_hold_two_values_of_a_field() -> None:
    first = root("a")
    plain, aliased = entity("b", "x", [first], requires=["price"]), entity("b", "x", [first], requires=["price"])
    aliased.requires["Thing", "Thing"]["price"] = Required("_g1_price", {Context()})
    assert untouched(first, plain, aliased)


def test_types_sent_as_one_interface_must_be_asked_for_the_same() -> None:
    first = root("a")
    desks, cars = entity("b", "x", [first], fields=["name"]), entity("b", "x", [first], fields=["size"])
    desks.origins, cars.origins = frozenset({"Desk"}), frozenset({"Car"})
    assert untouched(first, desks, cars)
    alike = entity("b", "x", [first], fields=["name"])
    alike.origins = frozenset({"Car"})
    [_, merged] = merge_groups([first, desks, alike])
    assert merged.origins == {"Desk", "Car"}
