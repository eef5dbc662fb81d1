"""Plans for programs: every golden plan is plain JSON, and nothing of it is lost there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.plan.json import plan_to_json
from gateway.plan.nodes import Fetch, OutputField, OutputSelection, QueryPlan
from gateway.plan.text import print_plan
from tests.gateway.plan.reading import read_plan
from tests.gateway.planning.support.golden import FOLDER, read_golden

KINDS = {"QueryPlan", "Fetch", "ScatterFetch", "Flatten", "Sequence", "Parallel", "Condition", "Subscription"}


def kinds(value: Any) -> set[str]:
    if isinstance(value, list):
        return {kind for one in value for kind in kinds(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["kind"]} if value.get("kind") in KINDS else set()
    return own.union(*(kinds(one) for one in value.values()))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_a_plan_survives_its_json(path: Path) -> None:
    _, plan, _ = read_golden(path).made()
    if plan is None:
        return
    again = read_plan(orjson.loads(orjson.dumps(plan_to_json(plan))))
    assert again == plan
    assert print_plan(again) == print_plan(plan)


def test_the_golden_plans_have_every_kind_of_node() -> None:
    plans = [read_golden(path).made()[1] for path in FOLDER.glob("*.md")]
    assert set().union(*(kinds(plan_to_json(plan)) for plan in plans if plan is not None)) == KINDS


def test_nothing_that_is_empty_is_written() -> None:
    output = OutputSelection(
        (OutputField("a", "a", "Int"), OutputField("b", "_g1_b", "Int", conditions=(("x", True),)))
    )
    plan = QueryPlan("query", Fetch("SHOP", "query", "{a}"), output, graphs=frozenset({"SHOP"}))
    assert plan_to_json(plan) == {
        "kind": "QueryPlan",
        "operationKind": "query",
        "root": {
            "kind": "Fetch",
            "graph": "SHOP",
            "operationKind": "query",
            "operation": "{a}",
            "representationsVariable": "representations",
        },
        "output": [
            {"key": "a", "type": "Int"},
            {"key": "b", "source": "_g1_b", "type": "Int", "conditions": [["x", True]]},
        ],
        "graphs": ["SHOP"],
    }
