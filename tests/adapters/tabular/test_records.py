"""CSV as records: broken quotes cost their own line, and no row stands in another's cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tabular.records import CELL_CHARACTERS_MAX, records

HEAD = "id,mc,mj\n"
ONE, TWO, THREE = "1,桌,公开\n", "2,椅,公开\n", "3,柜,公开\n"
ROWS = [(1, ["id", "mc", "mj"])]


def read(*lines: str) -> list[tuple[int, list[str] | str]]:
    return list(records(io.StringIO("".join((HEAD, *lines)), newline="")))


@pytest.mark.parametrize(
    "broken",
    [
        '9,"密,公开\n',
        '9,密,"公开\n',
        '"9,密,公开\n',
        '9,"密"件,公开\n',
        '9,"密"" ,公开\n',
        '9,",密\n',
    ],
)
@pytest.mark.parametrize(
    "later",
    [[], ['4,"灯",公开\n'], ['4,"灯, ""大""",公开\n'], ['4,",灯\n']],
    ids=["none", "quoted", "doubled", "alike"],
)
def test_a_broken_quote_costs_its_own_line(broken: str, later: list[str]) -> None:
    found = read(ONE, broken, TWO, THREE, *later)
    assert found[1] == (2, ["1", "桌", "公开"])
    assert found[2] == (3, broken.rstrip("\n"))
    assert found[3:5] == [(4, ["2", "椅", "公开"]), (5, ["3", "柜", "公开"])]
    assert [number for number, _ in found[5:]] == [6] * len(later)


def test_a_quote_is_followed_only_so_far() -> None:
    rest = [f"{number},{'长' * 1000},公开\n" for number in range(CELL_CHARACTERS_MAX // 1000 + 10)]
    found = read('9,"密,公开\n', *rest)
    assert found[1] == (2, '9,"密,公开')
    assert len(found) == len(rest) + 2
    assert all(isinstance(cells, list) and len(cells) == 3 for _, cells in found[2:])


def test_as_many_broken_lines_as_there_may_be() -> None:
    """Each is given back in turn: neither the stack nor the time grows with what came before."""
    many = 20_000
    found = read(*['9,"密,公开\n'] * many)
    assert [cells for _, cells in found[1:]] == ['9,"密,公开'] * many


def test_a_cell_of_several_lines_is_one_cell_and_the_numbers_are_those_of_its_first_line() -> None:
    assert read('1,"一层\n东侧",公开\n', TWO, '3,桌,"a, b\nc"\n', TWO) == [
        *ROWS,
        (2, ["1", "一层\n东侧", "公开"]),
        (4, ["2", "椅", "公开"]),
        (5, ["3", "桌", "a, b\nc"]),
        (7, ["2", "椅", "公开"]),
    ]


cells = st.text(st.sampled_from('ab桌" \n'), max_size=6)


@given(st.lists(st.tuples(cells, cells, cells), max_size=12), st.sampled_from(["\r\n", "\n"]))
def test_what_a_writer_writes_is_read_back(rows: Sequence[tuple[str, str, str]], end: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end).writerows([("id", "mc", "mj"), *rows])
    lines = io.StringIO(out.getvalue(), newline="")
    assert [cells for _, cells in records(lines)] == [["id", "mc", "mj"], *map(list, rows)]
