"""`gateway/ARCHITECTURE.md` is true: every code, package, path and bound that it names is there, and none is missing."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.language.errors import Code
from gateway.pipeline.answer import PipelineOptions
from gateway.planning import costs
from gateway.server.app import GatewayOptions

GATEWAY = Path(__file__).parents[2] / "gateway"
PAGE = (GATEWAY / "ARCHITECTURE.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_code_is_explained_and_no_other() -> None:
    rows = [line.split("|")[1] for line in part("Codes").splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == sorted(Code)


def test_every_code_is_given_somewhere() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in GATEWAY.rglob("*.py"))
    assert [code for code in Code if f"Code.{code}" not in sources] == []


def test_every_package_is_on_the_map() -> None:
    rows = [line for line in part("Packages, and who may import whom").splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == {path.parent.name for path in GATEWAY.glob("*/__init__.py")}


def test_every_module_that_is_named_exists() -> None:
    named = set(
        re.findall(r"`((?:server|pipeline|subscriptions|execution|planning|supergraph|query_graph)/[a-z_]+)", PAGE)
    )
    assert len(named) > 15
    assert [name for name in named if not (GATEWAY / f"{name}.py").exists() and not (GATEWAY / name).is_dir()] == []


def test_the_bounds_are_those_of_the_code() -> None:
    bounds, options = part("Bounds"), PipelineOptions()
    documents, sockets, execution = options.documents, GatewayOptions().sockets, options.execution
    for value in (
        *(documents.characters_max, documents.tokens_max, documents.depth_max, documents.levels_max),
        *(documents.aliases_max, documents.fields_max, documents.kept_max),
        *(costs.EXPANDED_FIELDS_MAX, costs.SEARCH_STEPS_MAX, costs.TARGETS_TRIED_TOGETHER_MAX, costs.FETCHES_MAX),
        *(sockets.message_characters_max, sockets.sockets_max, sockets.operations_max),
        *(execution.concurrency_max, execution.queue_max, options.subscription_queue_max, options.subscriptions_max),
    ):
        assert re.search(rf"(?<![\d,]){value:,}(?![\d,]*\d)", bounds), value
