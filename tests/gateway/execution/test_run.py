"""What a run tells of members beside the data."""

from __future__ import annotations

from gateway.execution.answers import Attempt, Reason
from gateway.execution.members import MemberName
from gateway.execution.run import MemberReport
from gateway.supergraph.model import SourceStatus

NORTH = MemberName("n", "北馆", "North")


def test_a_report_says_what_is_known_and_no_more() -> None:
    assert MemberReport(NORTH, SourceStatus.OK, 1.26).to_json("en") == {
        "region": "n",
        "name": "North",
        "status": "OK",
        "latencyMs": 1.3,
    }


def test_a_report_of_an_earlier_answer_and_what_was_tried() -> None:
    tried = (Attempt(0, 12.04, "SUBGRAPH_TIMEOUT", Reason.FIRST), Attempt(1, 3.0, "RATE_LIMITED", Reason.RETRY))
    report = MemberReport(NORTH, SourceStatus.STALE, 15.0, "RATE_LIMITED", age_s=61.04, rows=0, attempts=tried)
    assert report.to_json("zh") == {
        "region": "n",
        "name": "北馆",
        "status": "STALE",
        "latencyMs": 15.0,
        "cause": "RATE_LIMITED",
        "ageSeconds": 61.0,
        "rows": 0,
        "attempts": [
            {"address": 0, "reason": "FIRST", "outcome": "SUBGRAPH_TIMEOUT", "latencyMs": 12.0},
            {"address": 1, "reason": "RETRY", "outcome": "RATE_LIMITED", "latencyMs": 3.0},
        ],
    }
