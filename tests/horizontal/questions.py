"""Random questions about a city that is being broken, and whether what comes back is true.

An answer is true when it is what one store gives that holds the rows of all depots but those it names as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeAlias

from tests.horizontal.checks import (
    CENSUS_PART,
    PAGE,
    PAGE_PARTS,
    check_census,
    check_page,
    check_totals,
    windowed,
    written_order,
)
from tests.horizontal.contract import GRADES
from tests.horizontal.rows import FIELDS, Filter, Order
from tests.horizontal.store import Page, Store, Window
from tests.horizontal.stub import Room

__all__ = ["Told", "question"]


@dataclass(frozen=True)
class Told:
    """An answer, and what it says of members that did not."""

    data: Mapping[str, Any]
    missing: frozenset[str]
    cut_short: frozenset[str]
    """Gave rows, and no more of them: the page may end early, and lacks nothing before its end."""
    codes: frozenset[str]

    @staticmethod
    def of(answer: Mapping[str, Any]) -> Told:
        errors = answer.get("errors", ())
        told = [(one["extensions"]["code"], one["extensions"].get("region")) for one in errors]
        cut_short = frozenset(region for code, region in told if code == CUT_SHORT)
        missing = frozenset(region for code, region in told if code != CUT_SHORT and region is not None)
        return Told(answer["data"], missing, cut_short, frozenset(code for code, _ in told))


CUT_SHORT = "PARTITION_CUT_SHORT"

Check: TypeAlias = Callable[[Told], None]
"""Raises `AssertionError` for an answer that is not true."""
Question: TypeAlias = tuple[str, dict[str, Any], Check]
"""Query, variables, check."""


def question(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    kind = random.choice((_page, _page, _page, _census, _keys, _rooms, _change))
    return kind(random, store, depots, rooms)


def _rest(store: Store, told: Told, depots: Sequence[str]) -> tuple[Store, list[str]]:
    answered = [code for code in depots if code not in told.missing]
    assert told.codes <= {"PARTITION_UNAVAILABLE", CUT_SHORT}
    return store.of(answered), answered


def _as_told(expected: Page, found: Mapping[str, Any], told: Told) -> Page:
    """Where a member gave no more rows, a page is as far as it goes what the one store gives, and says that rows follow."""
    rows = len(found["nodes"])
    if not told.cut_short or rows >= len(expected.rows):
        return expected
    return replace(expected, rows=expected.rows[:rows], has_more=True)


def _order(random: Random) -> Order:
    terms = random.sample(sorted(FIELDS), random.randint(0, 2))
    return tuple((field, random.choice(("ASC", "DESC"))) for field in terms)


def _page(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    order, size, backward = _order(random), random.randint(0, 60), random.random() < 0.5
    filter_: Filter | None = random.choice((None, {"grade": random.choice(GRADES)}, {"isPriced": True}))
    counted = {"last" if backward else "first": size}

    def check(told: Told) -> None:
        rest, _ = _rest(store, told, depots)
        page = told.data["lots"]
        whole = rest.where(filter_)
        window = Window(last=size) if backward else Window(first=size)
        check_page(page, _as_told(whole.page(order, window), page, told), backward=backward)
        check_totals(page, whole)
        assert page["totalIsExact"] is not bool(told.missing)

    return PAGE, windowed(filter_, order, **counted), check


CENSUS = "{ census { ...Whole } depots { code lots } }" + CENSUS_PART


def _census(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    def check(told: Told) -> None:
        rest, answered = _rest(store, told, depots)
        check_census(told.data["census"], rest, answered)
        lots = [{"code": code, "lots": len(rest.of([code]).rows)} for code in answered]
        assert told.data["depots"] == (lots if answered else None), "a list of nobody is not an empty one"

    return CENSUS, {}, check


def _keys(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    rows = random.sample(store.rows, 12)

    def check(told: Told) -> None:
        _rest(store, told, depots)
        for row, lot in zip(rows, told.data["noted"], strict=True):
            lost = row.depot in told.missing
            assert lot == {"id": row.id, "note": f"noted: {row.id}", "name": None if lost else row.name}

    return "query($ids: [ID!]!) { noted(ids: $ids) { id note name } }", {"ids": [row.id for row in rows]}, check


ROOMS = (
    "query($by: [LotOrder!], $size: Int) { rooms { next { id lots(orderBy: $by, first: $size) { ...Rows ...Totals } } } }"
    + PAGE_PARTS
)


def _rooms(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    order, size = _order(random), random.randint(0, 30)

    def check(told: Told) -> None:
        for place, room in enumerate(told.data["rooms"]):
            shown, grade = rooms[(place + 1) % len(rooms)]
            rest, _ = _rest(store, told, shown)
            whole = rest.where(None if grade is None else {"grade": grade})
            page = room["next"]["lots"]
            check_page(page, _as_told(whole.page(order, Window(first=size)), page, told), backward=False)
            check_totals(room["next"]["lots"], whole)

    return ROOMS, {"by": written_order(order), "size": size}, check


def _change(random: Random, store: Store, depots: Sequence[str], rooms: Sequence[Room]) -> Question:
    row = random.choice(store.rows)

    def check(told: Told) -> None:
        if told.missing:
            assert told.missing == {row.depot}
            assert told.data == {"move": None}
            assert told.codes <= {"PARTITION_UNAVAILABLE", "OUTCOME_UNKNOWN"}
        else:
            assert (told.codes, told.data) == (frozenset(), {"move": {"moved": True}})

    return "mutation($id: ID!) { move(input: { lotId: $id }) { moved } }", {"id": row.id}, check
