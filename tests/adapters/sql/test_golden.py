"""Each golden statement is what is written today; see `tests.adapters.sql.golden`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.sql.golden import ENGINES, FOLDER, Urls, read_golden

FILES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_golden(path: Path, postgres_database: str, mariadb_database: str) -> None:
    golden = read_golden(path)
    urls = Urls(postgres_database, mariadb_database)
    assert {engine: await golden.made(engine, urls) for engine in ENGINES} == golden.statements


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_has_a_title_and_a_reason(path: Path) -> None:
    title, reason, *_ = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ")
    assert reason.endswith(".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_value_is_pasted_into_a_statement(path: Path) -> None:
    """Every text of the mapping and of the request that a row is compared with is a parameter."""
    for engine, written in read_golden(path).statements.items():
        sql = "\n".join(line for line in written.splitlines() if not line.startswith("--"))
        for value in ("公开", "闲置", "办公桌", "O'Brien", "MJ"):
            assert value not in sql, engine
