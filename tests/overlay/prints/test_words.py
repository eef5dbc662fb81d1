"""Every word of the orders' vocabulary that a paper shows has a Chinese word: none is printed by its code."""

from __future__ import annotations

from overlay.orders.machine import TRANSITIONS
from overlay.orders.model import ENDED, ApprovalState, Flow, Office, Outcome
from overlay.prints import words
from overlay.words import NAMES_ZH


def test_papers_have_words_for_every_flow_office_and_outcome() -> None:
    assert set(words.FLOWS) == set(Flow)
    assert set(words.OFFICES) == set(Office)
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.APPROVAL_STATES) == set(ApprovalState)


def test_refusals_name_every_state_and_command_in_chinese() -> None:
    used = {row.state for row in TRANSITIONS if row.state} | {state for row in TRANSITIONS for state in row.to}
    assert used | {row.command for row in TRANSITIONS} <= set(NAMES_ZH)


def test_what_has_ended_is_what_no_row_leads_out_of() -> None:
    left = {row.state for row in TRANSITIONS}
    assert {state for row in TRANSITIONS for state in row.to} - left == ENDED
