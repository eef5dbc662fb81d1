"""Every data-quality code that the adapters give is put into words for clerks and told in the documentation."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.subgraphs.district.parts import AUDITOR, REGION, MemoryStore, district, row

ROOT = Path(__file__).parents[3]
WORDS = tomllib.loads((ROOT / "subgraphs" / "district" / "issues.toml").read_text(encoding="utf-8"))
SOURCES = [
    *(ROOT / "adapters" / "mapping").glob("**/*.py"),
    ROOT / "adapters" / "snapshot.py",
    ROOT / "adapters" / "index" / "build.py",
]
NO_CODES = {"PHYSICAL", "OWN_ROOM", "BEGIN", "COMMIT", "ANALYZE", "INTEGER"}
"""Words in capitals that are kinds of warehouse, or SQL."""


def words_in_capitals(source: Path) -> Iterator[str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    exported = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) and id(node) not in exported else None
        if isinstance(value, str) and re.fullmatch(r"(?=.{5})[A-Z]+(_[A-Z]+)*", value):
            yield value


def test_each_code_has_words_and_a_line_in_the_documentation() -> None:
    given = {word for source in SOURCES for word in words_in_capitals(source)} - NO_CODES
    documented = re.findall(
        r"^\| `([A-Z_]+)`", (ROOT / "docs" / "data-quality.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(given) > 20
    assert given == set(WORDS) == set(documented)
    assert len(documented) == len(set(documented))
    assert all(set(words) == {"zh", "en"} and words["zh"] and words["en"] for words in WORDS.values())


async def test_a_clerk_reads_them_in_her_language(tmp_path: Path) -> None:
    issues = [{"code": code, "field": "name", "raw": "x", "rule": "r", "blocking": False} for code in WORDS]
    query = f'{{ asset(id: "asset:{REGION}:one") {{ issues {{ code message }} }} }}'
    async with district(tmp_path, MemoryStore([row("one", issues=issues)])) as client:
        for language in ("zh", "en"):
            data = await client.data(query, None, AUDITOR, language=language)
            assert data["asset"]["issues"] == [
                {"code": code, "message": words[language]} for code, words in WORDS.items()
            ]
