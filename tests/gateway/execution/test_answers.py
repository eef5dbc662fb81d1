"""How a response is judged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.execution.answers import Answer, Asked, Attempt, Failure, Reason, read_answer, read_retry_after
from gateway.language.errors import Code

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:59:30 GMT", 0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        ("9" * 5000, float("inf")),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, NOON) == seconds


@pytest.mark.parametrize(
    ("status", "code", "may_pass", "was_sent"),
    [
        (429, Code.RATE_LIMITED, True, False),
        (500, Code.SUBGRAPH_UNAVAILABLE, False, True),
        (502, Code.SUBGRAPH_UNAVAILABLE, True, True),
        (503, Code.SUBGRAPH_UNAVAILABLE, True, True),
        (504, Code.SUBGRAPH_UNAVAILABLE, True, True),
    ],
)
def test_statuses_that_never_count_as_an_answer(status: int, code: Code, may_pass: bool, was_sent: bool) -> None:
    judged = read_answer(status, b'{"data": {"a": 1}}', "7")
    assert isinstance(judged, Failure)
    assert (judged.code, judged.may_pass, judged.was_sent) == (code, may_pass, was_sent)
    assert judged.retry_after_s == (7 if may_pass else None)


def test_other_failures_are_final() -> None:
    judged = read_answer(200, b"<html>")
    assert isinstance(judged, Failure)
    assert not judged.may_pass


def test_one_attempt_that_was_made_is_nothing_to_tell() -> None:
    first = Attempt(0, 1.0, "OK", Reason.FIRST)
    retry = Attempt(0, 1.0, "OK", Reason.RETRY)
    rejected = Attempt(0, 0.0, "CIRCUIT_OPEN", Reason.REJECTED)
    assert Asked(Answer({}), 1.0, (first,)).detours == ()
    assert Asked(Answer({}), 1.0).detours == ()
    assert Asked(Answer({}), 2.0, (first, retry)).detours == (first, retry)
    assert Asked(Answer({}), 0.0, (rejected,)).detours == (rejected,)
