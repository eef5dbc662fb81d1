from __future__ import annotations

from gateway.composition.model import Report
from gateway.composition.satisfiability import check_satisfiability
from tests.gateway.composition.composing import supergraph

FEW = 2


def test_a_check_that_grows_too_large_is_given_up() -> None:
    found = supergraph(a="type Query { p: P } type P { q: Q } type Q { r: R } type R { x: Int }")
    report = Report()
    check_satisfiability(found, report, states_max=FEW)
    assert [one.code for one in report.errors] == ["MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED"]
    report = Report()
    check_satisfiability(found, report)
    assert not report.errors
