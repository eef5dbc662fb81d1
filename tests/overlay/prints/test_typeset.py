"""Lines of Chinese: where they end, and what is set for a character that there is no type for."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from overlay.prints.typeset import GETA, atoms, break_lines, plain, with_known_glyphs

CLOSING, OPENING = "，。、；：！？）》」』】”’", "（《「『【“‘"
TEXTS = st.text(alphabet=st.sampled_from("公物仓流转单 ab1-，。、（）《》“”"), max_size=60)


def measure(text: str) -> float:
    """A full-width character is two wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def test_a_closing_mark_never_begins_a_line() -> None:
    assert break_lines("公物仓，流转单", 6, measure) == ["公物", "仓，流", "转单"]


def test_an_opening_mark_never_ends_a_line() -> None:
    assert break_lines("公物（仓）单", 6, measure) == ["公物", "（仓）", "单"]


def test_a_word_or_number_stays_whole() -> None:
    assert break_lines("价值1234.50元", 9, measure) == ["价值", "1234.50元"]
    assert break_lines("model M930t-D123 ok", 12, measure) == ["model", "M930t-D123", "ok"]


def test_a_word_that_is_wider_than_a_line_is_cut() -> None:
    assert break_lines("abcdefghij", 4, measure) == ["abcd", "efgh", "ij"]


def test_no_text_is_one_empty_line() -> None:
    assert break_lines("", 4, measure) == [""]


@given(TEXTS)
def test_atoms_are_the_text(text: str) -> None:
    assert "".join(atoms(text)) == text


@given(TEXTS, st.integers(8, 40))
def test_lines_hold_all_that_is_said_and_fit(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(measure(line) <= width for line in lines)


@given(st.lists(st.sampled_from(["公", "物", "仓，", "流。", "（转）", "《单》"]), max_size=30), st.integers(8, 40))
def test_marks_cling_wherever_lines_end(parts: list[str], width: int) -> None:
    lines = break_lines("".join(parts), width, measure)
    assert not any(line[:1] in CLOSING for line in lines if line)
    assert not any(line[-1:] in OPENING for line in lines if line)


def test_what_steers_a_terminal_or_turns_the_writing_is_left_out() -> None:
    assert plain("甲\x1b[31m\n\t乙\u202e 丙\u200b\ufeff") == "甲[31m 乙 丙"


def test_a_character_without_a_glyph_is_set_as_geta_and_told() -> None:
    assert with_known_glyphs("龙䶮𨭎", {ord("龙"), ord("䶮")}) == (f"龙䶮{GETA}", ["𨭎"])
    assert with_known_glyphs("龙", {ord("龙")}) == ("龙", [])
