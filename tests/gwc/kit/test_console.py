"""Tables line up where Chinese stands in them, and what is cut is cut between characters."""

from __future__ import annotations

from gwc.kit.console import cut, table_lines


def test_chinese_takes_two_cells() -> None:
    lines = list(table_lines(["名", "x"], [["办公桌", "1"], ["a", "2"]], [20, 5]))
    assert lines == ["名      x", "办公桌  1", "a       2"]


def test_a_cut_never_takes_half_a_character() -> None:
    assert cut("办公桌椅", 8) == "办公桌椅"
    assert cut("办公桌椅", 7) == "办公桌…"
    assert cut("办公桌椅", 6) == "办公…"
    assert cut("a\n b\tc", 9) == "a b c"
    assert cut("\ud800", 9) == "\\ud800"
