"""Rows that are hard to put in order, and hypothesis strategies that make them and spread them over depots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from typing import Any, TypeAlias
from urllib.parse import quote

from hypothesis import strategies as st

from tests.horizontal.contract import GRADES

__all__ = ["CODES", "FIELDS", "Filter", "Order", "Row", "Spread", "orders", "random_rows", "spreads"]

CODES = ("0", "10", "2", "9", "A", "B", "Z", "a", "a-1", "b", "m", "x", "xy", "z")
"""Regions: digits that are no numbers, upper and lower case, one the beginning of another."""

Order: TypeAlias = tuple[tuple[str, str], ...]
"""(`LotOrderField`, direction), the first first."""
Filter: TypeAlias = dict[str, Any]
"""As a client writes it."""
FIELDS = {"NAME": "name", "PRICE": "price", "COUNT": "count", "MADE": "made", "SEEN": "seen", "GRADE": "grade"}
DIRECTIONS = ("ASC", "DESC")


@dataclass(frozen=True)
class Row:
    """A lot, as its depot's store holds it: every value as it is written there."""

    depot: str
    key: int | str
    """The native key; a depot has keys of one kind only."""
    name: str | None = None
    price: str | None = None
    count: int | None = None
    made: str | None = None
    seen: str | None = None
    grade: str | None = None

    @property
    def id(self) -> str:
        return f"lot:{self.depot}:{quote(str(self.key), safe='')}"


# Values. A case draws from a few of them, so that ties are frequent, and traps meet: each family has values that some
# store or some comparison takes for equal, or puts the other way round.

_NAMES = (
    ("", " ", "a", "a ", "a\t", "a\u3000", "ab"),  # PAD SPACE
    ("a", "A", "\uff21", "b", "B", "\u0131", "i", "\u0130", "I"),  # case and width
    ("z", "\u00e9", "e\u0301", "e", "ss", "\u00df", "\ufb03"),  # composed, decomposed, expanded
    ("中", "中文", "仓", "倉", "〇", "丂", "a中"),  # no collation by sound or stroke
    ("\ue000", "\uffee", "𠀀", "😀", "😀a", "👩\u200d🔬", "\ud7fb"),  # beyond the BMP: UTF-16 puts it before U+E000
    ("10", "9", "09", "-1", "1e1"),  # numbers that are texts
    ("'", "%", "_", "\\", "\n", ":", '"'),
)
_PRICES = (
    ("1.5", "1.50", "01.5", "1.49", "-1.5", "10", "9"),
    ("0", "-0", "0.00", "0.0000001", "-0.0000001", "00"),
    ("99999999999999999", "100000000000000000", "100000000000000000.5", "100000000000000001", "-99999999999999999.4"),
    ("1" + "0" * 39, "1" + "0" * 38 + "1", "9" * 39, "-" + "9" * 39, "1" + "0" * 39 + ".000000000000000000001"),
)
_COUNTS = (0, 1, 5, -1, 900, 30_000_000, -30_000_000)
_DATES = st.sampled_from(("2024-02-29", "2024-03-01")) | st.dates(date(1, 1, 1)).map(date.isoformat)
_TIMES = st.sampled_from(("2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z")) | st.datetimes(
    datetime(1900, 1, 1), datetime(2100, 1, 1)
).map(lambda one: f"{one:%Y-%m-%dT%H:%M:%S}Z")
_ALPHABET = "aAbzé\u0301ß中文仓𠀀😀 \uffee09-"


@st.composite
def _rows_of(draw: st.DrawFn) -> Callable[[str], st.SearchStrategy[Row]]:
    """The values of one case, as a strategy for a depot's rows."""

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=1, max_size=4))

    def of_two(families: tuple[tuple[str, ...], ...]) -> list[str]:
        return [one for family in some(st.sampled_from(families))[:2] for one in family]

    names = st.sampled_from([None, *of_two(_NAMES), *some(st.text(alphabet=_ALPHABET, max_size=3))])
    prices = st.sampled_from([None, *of_two(_PRICES)])
    counts, dates, times = (
        st.sampled_from([None, *some(values)]) for values in (st.sampled_from(_COUNTS), _DATES, _TIMES)
    )
    grades = st.sampled_from((None, *GRADES))

    def of(depot: str) -> st.SearchStrategy[Row]:
        return st.builds(Row, st.just(depot), _keys(depot), names, prices, counts, dates, times, grades)

    return of


def _keys(depot: str) -> st.SearchStrategy[int | str]:
    if CODES.index(depot) % 2:
        return st.text(alphabet=_ALPHABET + ":%", min_size=1, max_size=3)
    return st.integers(-20, 200)


def random_rows(random: Random, depots: Sequence[str], each: int) -> list[Row]:
    """As many rows in each depot, without hypothesis: for runs that are too long for it."""
    names = [one for family in _NAMES for one in family]
    prices = [one for family in _PRICES for one in family]
    day, time = ("2024-02-29", "2024-03-01", "1999-12-31"), ("2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z")

    def one(code: str, key: int) -> Row:
        native = f"k{key}:" if CODES.index(code) % 2 else key
        values = (random.choice((None, *some)) for some in (names, prices, _COUNTS, day, time, GRADES))
        return Row(code, native, *values)

    return [one(code, key) for code in depots for key in range(each)]


@dataclass(frozen=True)
class Spread:
    """One to fourteen depots, and all their rows. Some depots have none."""

    depots: tuple[str, ...]
    rows: tuple[Row, ...]
    more: tuple[Row, ...] = ()
    """Rows of the same kind that are not there yet."""

    @property
    def filters(self) -> st.SearchStrategy[Filter | None]:
        return _filters(self.depots, self.rows)


@st.composite
def spreads(draw: st.DrawFn, *, more: int = 0) -> Spread:
    """`more`: how many rows may come later."""
    depots = tuple(sorted(draw(st.sets(st.sampled_from(CODES), min_size=1))))
    of = draw(_rows_of())
    least = draw(st.sampled_from((12, 24, 4, 0)))
    drawn = draw(
        st.lists(
            st.sampled_from(depots).flatmap(of),
            min_size=least + more,
            max_size=least + more + 12,
            unique_by=lambda row: (row.depot, row.key),
        )
    )
    return Spread(depots, tuple(drawn[more:]), tuple(drawn[:more]))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """None to three terms; texts and decimals, which have the most traps, stand first most often."""
    directions = st.sampled_from(DIRECTIONS)
    first = st.tuples(st.sampled_from(("NAME", "NAME", "PRICE", "PRICE", *sorted(FIELDS))), directions)
    following = st.tuples(st.sampled_from(sorted(FIELDS)), directions)
    if draw(st.integers(0, 5)) == 0:
        return ()
    return (draw(first), *draw(st.lists(following, max_size=2)))


@st.composite
def _filters(draw: st.DrawFn, depots: tuple[str, ...], all_rows: tuple[Row, ...]) -> Filter | None:
    """None, or conditions that often hold for some of the rows."""
    ids = st.sampled_from([row.id for row in all_rows] or [f"lot:{depots[0]}:0"])
    conditions: dict[str, st.SearchStrategy[Any]] = {
        "depot": st.sampled_from(depots).map(lambda one: {"eq": one})
        | st.lists(st.sampled_from(depots)).map(lambda some: {"in": some}),
        "name": st.sampled_from([row.name for row in all_rows if row.name is not None] or ["a"]),
        "grade": st.sampled_from(GRADES),
        "countMin": st.sampled_from((0, 5, 900)),
        "isPriced": st.booleans(),
        "id": st.lists(ids, max_size=4).map(lambda some: {"in": some}),
    }
    names = draw(st.sets(st.sampled_from(sorted(conditions)), max_size=2))
    return {name: draw(conditions[name]) for name in sorted(names)} or None
