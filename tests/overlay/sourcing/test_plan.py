"""The plan covers what can be covered, gives nothing out twice, and goes to the fewest places."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from overlay.sourcing.plan import Offer, Place, Plan, find_plan

HOME = "330105"


def offer(place: str, free: int, want: int = 0, asset: str | None = None, region: str = "330106") -> Offer:
    return Offer(want, asset or f"asset:{region}:{place}-{want}", Place(region, place), Decimal(free))


def plan(wants: list[int], *offers: Offer) -> Plan:
    return find_plan([Decimal(want) for want in wants], offers, HOME)


def test_one_place_that_has_all_goes_before_two_that_have_it_together() -> None:
    found = plan([30], offer("a", 20), offer("b", 30), offer("c", 20))
    assert [place.id for place in found.places] == ["b"] and found.missing == (0,)


def test_two_places_serve_both_wants_where_greed_would_need_three() -> None:
    """The largest place first would leave two remainders at two places."""
    found = plan(
        [4, 4],
        offer("large", 3, 0), offer("large", 3, 1),
        offer("left", 4, 0), offer("right", 4, 1),
    )  # fmt: skip
    assert len(found.places) == 2 and found.is_fewest and found.missing == (0, 0)


def test_of_equal_plans_the_own_regions_is_taken() -> None:
    found = plan([5], offer("a", 5), offer("home", 5, region=HOME))
    assert [place.id for place in found.places] == ["home"]


def test_what_is_not_to_be_had_is_said() -> None:
    found = plan([10, 2], offer("a", 4))
    assert found.missing == (6, 2) and [take.quantity for take in found.takes] == [4]
    assert plan([3]).missing == (3,) and plan([3]).places == ()


def test_an_asset_that_meets_two_wants_is_given_out_once() -> None:
    shared = "asset:330106:desk"
    found = plan([3, 3], offer("a", 4, 0, shared), offer("a", 4, 1, shared))
    assert sum(take.quantity for take in found.takes) == 4
    assert sum(found.missing) == 2


OFFERS = st.lists(
    st.builds(offer, st.sampled_from("abcdef"), st.integers(1, 6), st.integers(0, 1)), max_size=10,
    unique_by=lambda one: one.asset_id,
)  # fmt: skip


@given(st.lists(st.integers(1, 9), min_size=2, max_size=2), OFFERS)
def test_no_fewer_places_cover_as_much(wants: list[int], offers: list[Offer]) -> None:
    """The oracle tries every set of places; each asset meets one want, so what a set covers is a sum of minima."""

    def covered(places: tuple[Place, ...]) -> Decimal:
        total = Decimal(0)
        for index, want in enumerate(wants):
            free = sum((one.free for one in offers if one.want == index and one.place in places), Decimal(0))
            total += min(Decimal(want), free)
        return total

    found = plan(wants, *offers)
    places = tuple({one.place for one in offers})
    most = covered(places)
    assert sum(take.quantity for take in found.takes) == most
    assert sum(found.missing) == sum(wants) - most
    fewest = next(
        size for size in range(len(places) + 1) if any(covered(chosen) == most for chosen in combinations(places, size))
    )
    assert found.is_fewest and len(found.places) == fewest
    for take in found.takes:
        assert take.quantity <= next(one.free for one in offers if one.asset_id == take.asset_id)


def test_a_city_full_of_small_offers_is_planned_within_the_search() -> None:
    offers = [offer(f"p{number}", 1 + number % 3) for number in range(300)]
    found = plan([120], *offers)
    assert found.missing == (0,) and len(found.places) == 40
