"""Each golden plan is what planning makes today, and gives the answer one single schema gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.plan.json import plan_to_json
from tests.gateway.planning.support.golden import FOLDER, read_golden
from tests.gateway.support.paging import as_a_store_says

FILES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    golden = read_golden(path)
    text, plan, case = golden.made()
    assert text == golden.plan
    # What is planned for others' representations is executed in tests/gateway/execution/test_given.py.
    if plan is not None and golden.served is None:
        answer = as_a_store_says(case.federated(plan, golden.variables))
        assert answer == case.expected(golden.operation, golden.variables)
        assert case.requests == golden.requests


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_has_a_title_and_a_reason(path: Path) -> None:
    title, reason, *_ = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ")
    assert reason.endswith(".")


def test_plans_are_plain_json() -> None:
    _, plan, _ = read_golden(FILES[0]).made()
    assert plan is not None
    assert plan_to_json(plan)["kind"] == "QueryPlan"
