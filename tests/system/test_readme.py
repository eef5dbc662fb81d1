"""The README's queries give the README's answers; what it shows of files and commands is theirs, in both languages."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from graphql import DocumentNode, GraphQLSchema, build_schema, parse, validate

from tests.system.client import Client
from tests.system.processes import GWC

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")
LIBRARIES = "horizontal-federation.md"
"""Shows the libraries' schema, and is followed to the letter in a test of its own."""
PAGES = (*READMES, *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md") if page.name != LIBRARIES))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(name: str, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")) if found == language]


def examples(name: str) -> list[tuple[str, str]]:
    """Queries with the answers below them; a subscription's event is of its own moment."""
    pairs = zip(blocks(name, "graphql"), blocks(name, "json"), strict=True)
    return [(query, answer) for query, answer in pairs if not query.startswith("subscription")]


@pytest.mark.parametrize("name", READMES)
async def test_the_queries_give_the_answers_shown(name: str, auditor: Client) -> None:
    found = examples(name)
    assert len(found) == 5
    for query, answer in found:
        assert (await auditor(query)).data == json.loads(answer)["data"], query


@pytest.fixture(scope="module")
def api() -> GraphQLSchema:
    return build_schema((ROOT / "schema" / "api.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_every_operation_is_valid(name: str, api: GraphQLSchema) -> None:
    """A block may show several, one after the other, for the reader to choose from."""
    for text in blocks(name, "graphql"):
        for operation in parse(text).definitions:
            assert validate(api, DocumentNode(definitions=(operation,))) == [], text


@pytest.mark.parametrize("name", READMES)
def test_the_mapping_shown_is_the_districts(name: str) -> None:
    mapping = ROOT / "subgraphs" / "sample_city" / "mappings" / "330109.toml"
    assert blocks(name, "toml") == [mapping.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", READMES)
def test_the_plan_shown_is_printed(name: str) -> None:
    shown = next(text for text in blocks(name, "text") if text.startswith("$ gwc plan"))
    command, _, printed = shown.removeprefix("$ ").partition("\n")
    result = subprocess.run([str(GWC), *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == printed


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (ROOT / link).exists()] == []


def test_both_languages_show_the_same_examples() -> None:
    for language in ("graphql", "json", "toml", "text"):
        assert blocks(READMES[0], language) == blocks(READMES[1], language)
