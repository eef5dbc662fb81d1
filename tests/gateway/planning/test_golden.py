"""Each golden plan is what planning makes today, and gives the answer one single schema gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.plan.json import plan_to_json
from gateway.plan.nodes import QueryPlan, ScatterFetch
from tests.gateway.planning.support.golden import FOLDER, read_golden

FILES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    golden = read_golden(path)
    text, plan, case = golden.made()
    assert text == golden.plan
    if plan is not None and not is_scattered(plan):
        assert case.federated(plan, golden.variables) == case.expected(golden.operation, golden.variables)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_has_a_title_and_a_reason(path: Path) -> None:
    title, reason, *_ = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ")
    assert reason.endswith(".")


def is_scattered(plan: QueryPlan) -> bool:
    return any(isinstance(node, ScatterFetch) for node in walk(plan.root))


def walk(node: object) -> list[object]:
    found = [node]
    for name in ("nodes", "node", "if_true", "if_false", "primary", "rest"):
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, tuple) else [inner]:
            if one is not None:
                found += walk(one)
    return found


def test_plans_are_plain_json() -> None:
    _, plan, _ = read_golden(FILES[0]).made()
    assert plan is not None
    assert plan_to_json(plan)["kind"] == "QueryPlan"
