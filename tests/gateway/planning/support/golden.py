"""Golden plans: Markdown files with a title, why, subgraphs, an operation, and the plan; each is executed as well.

    # A title
    Why this plan looks as it does, in one sentence.
    ```graphql products      one block for each subgraph, named after it
    ```graphql operation     what is planned
    ```json variables        when the operation has some
    ```json options          labels of overrides in force, the client's name, what the data is like (`universe.Data`),
                             the subgraph that is planned for as others ask it
    ```json requests         partitioned graph → member → how many requests it gets; in every plan that scatters
    ```plan                  the plan

`python -m tests.gateway.planning.support.golden --rewrite` writes the plan blocks anew, and nothing else;
read the diff.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.language.errors import PlanningRefused
from gateway.plan.nodes import QueryPlan
from gateway.plan.text import print_plan
from tests.gateway.planning.support.cases import Case
from tests.gateway.planning.support.universe import Data

__all__ = ["FOLDER", "Golden", "read_golden"]

FOLDER = Path(__file__).parent.parent / "golden"
_BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Golden:
    path: Path
    text: str
    subgraphs: Mapping[str, str]
    operation: str
    variables: Mapping[str, Any]
    labels: frozenset[str]
    client: str | None
    data: Data
    requests: Mapping[str, Mapping[str, int]]
    served: str | None
    plan: str

    def made(self) -> tuple[str, QueryPlan | None, Case]:
        """The plan as text (or the refusal), the plan, and what it was planned on."""
        case = Case(self.subgraphs, self.labels, self.data, served=self.served)
        try:
            plan = case.plan(self.operation, client_name=self.client)
        except PlanningRefused as refusal:
            return f"{refusal}\n", None, case
        return print_plan(plan) + "\n", plan, case

    def rewritten(self) -> str:
        return self.text.replace(f"```plan\n{self.plan}```", f"```plan\n{self.made()[0]}```")


def read_golden(path: Path) -> Golden:
    text = path.read_text(encoding="utf-8")
    subgraphs: dict[str, str] = {}
    found: dict[str, str] = {}
    for kind, name, body in _BLOCK.findall(text):
        if kind == "graphql" and name != "operation":
            subgraphs[name] = body
        else:
            found[name or kind] = body
    options = json.loads(found.get("options", "{}"))
    return Golden(
        path=path,
        text=text,
        subgraphs=subgraphs,
        operation=found["operation"],
        variables=json.loads(found.get("variables", "{}")),
        labels=frozenset(options.get("labels", ())),
        client=options.get("client"),
        data=Data.of(options),
        requests=json.loads(found.get("requests", "{}")),
        served=options.get("served"),
        plan=found.get("plan", ""),
    )


def main() -> None:
    if sys.argv[1:] != ["--rewrite"]:
        sys.exit(__doc__)
    for path in sorted(FOLDER.glob("*.md")):
        golden = read_golden(path)
        path.write_text(golden.rewritten(), encoding="utf-8")


if __name__ == "__main__":
    main()
