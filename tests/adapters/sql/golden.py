"""Golden statements: Markdown files with a mapping, a store's tables, what is asked, and the SQL of each engine for it.

    # a title
    One sentence of why.

    ```toml mapping        tables of the mapping, merged into a bare one
    ```toml tables         the store's tables: column = type ("text key" is of the primary key)
    ```python request      a `PageRequest`; without it: the statements about code tables, lists and writing back
    ## sqlite              then each engine, as it is written today

SQLite, PostgreSQL and MariaDB are real and say by `explain` what they would be sent; 金仓 is PostgreSQL behind 金仓's
dialect. Of the others no server is at hand: their dialects write the statement, on paper.

`python -m tests.adapters.sql.golden --rewrite` writes the engines' parts anew, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dmSQLAlchemy.dmpython import DMDialect_dmPython
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite
from sqlalchemy.engine import Dialect

from adapters import model
from adapters.mapping import model as mapping_model
from adapters.mapping import parse_mapping
from adapters.model import PageRequest
from adapters.sql.kingbase import KingbaseAsyncpg
from adapters.sql.reader import Statement, TableInfo, write_statement
from adapters.sql.source import SqlSource
from adapters.sql.store import SqlStore
from contract.order import Direction
from tests.adapters.support import BARE
from tests.services import mariadb_execute, postgres_execute, running_mariadb, running_postgres

__all__ = ["ENGINES", "FOLDER", "Golden", "read_golden"]

FOLDER = Path(__file__).parents[1] / "golden_sql"
ENGINES = ("sqlite", "postgresql", "kingbase", "mariadb", "mysql 5.7", "oracle", "dm", "mssql")
DATABASE = "gwc_golden"
_NAMES = {**vars(model), "Direction": Direction}
_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "text": sa.String(60),
    "integer": sa.Integer(),
    "decimal": sa.Numeric(12, 2),
    "date": sa.Date(),
    "datetime": sa.DateTime(),
}
_BLOCK = re.compile(r"^```(\w+) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def on_paper(engine: str) -> Dialect:
    made: Mapping[str, Any] = {
        "sqlite": sqlite.dialect,
        "postgresql": postgresql.asyncpg.dialect,
        "kingbase": KingbaseAsyncpg,
        "mariadb": mysql.asyncmy.dialect,
        "mysql 5.7": mysql.asyncmy.dialect,
        "oracle": oracle.oracledb.dialect,
        "dm": DMDialect_dmPython,
        "mssql": mssql.pyodbc.dialect,
    }
    dialect: Dialect = made[engine](paramstyle="qmark") if engine in ("sqlite", "mssql") else made[engine]()
    if engine == "mysql 5.7":
        dialect.server_version_info = (5, 7, 44)
    return dialect


class PaperReader:
    """A server that nobody has: its dialect writes, nothing answers but which version it is."""

    def __init__(self, dialect: Dialect, tables: Mapping[str, TableInfo]) -> None:
        self.dialect, self._tables = dialect, tables

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        return {name: self._tables.get(name) for name in names}

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return [(".".join(map(str, self.dialect.server_version_info or ())),)] if "version" in statement.sql else []

    async def fetch_with_token(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        return await self.fetch(statement, values), None

    async def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        yield []

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        return 0

    async def token(self) -> Hashable | None:
        return None


@dataclass(frozen=True, slots=True)
class Urls:
    postgresql: str
    mariadb: str


@dataclass(frozen=True, slots=True)
class Golden:
    path: Path
    head: str
    """All before the first engine."""
    statements: Mapping[str, str]
    mapping: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, str]]
    request: PageRequest | None

    def parsed(self, engine: str, url: str) -> mapping_model.Mapping:
        data: dict[str, Any] = {**BARE, **self.mapping, "store": {"engine": engine.partition(" ")[0], "url": url}}
        return parse_mapping(data, self.path.with_suffix(".toml"))

    async def made(self, engine: str, urls: Urls) -> str:
        if self.request is None:
            return "\n\n".join(_shown(statement) for statement in self._of_sides(engine))
        if engine in ("sqlite", "postgresql", "kingbase", "mariadb"):
            return await self._really_asked(engine, urls)
        mapping = self.parsed(engine, f"{engine.partition(' ')[0]}://host/db")
        store = SqlStore(mapping, PaperReader(on_paper(engine), self._infos()))
        await store.open()
        return await self._explained(store)

    async def _really_asked(self, engine: str, urls: Urls) -> str:
        with tempfile.TemporaryDirectory() as folder:
            url = {
                "sqlite": f"{folder}/zc.sqlite",
                "postgresql": urls.postgresql,
                "kingbase": urls.postgresql.replace("postgresql", "kingbase", 1),
                "mariadb": urls.mariadb.replace("mysql", "mariadb", 1),
            }[engine]
            mapping = self.parsed(engine, url)
            await asyncio.to_thread(self._create, engine, url)
            store = SqlStore(mapping)
            await store.open()
            try:
                return await self._explained(store)
            finally:
                await store.close()

    def _create(self, engine: str, url: str) -> None:
        """By another driver than the reader's, in a thread."""
        driver = {"sqlite": "sqlite", "mariadb": "mysql+pymysql"}.get(engine, "postgresql+psycopg")
        plain = f"sqlite:///{url}" if engine == "sqlite" else f"{driver}://{url.partition('://')[2]}"
        made = sa.create_engine(plain, poolclass=sa.pool.NullPool)
        metadata = sa.MetaData()
        for name, columns in self.tables.items():
            sa.Table(
                name,
                metadata,
                *(
                    sa.Column(column, _TYPES[type_.partition(" ")[0]], primary_key=type_.endswith(" key"))
                    for column, type_ in columns.items()
                ),
            )
        metadata.drop_all(made)
        metadata.create_all(made)

    async def _explained(self, store: SqlStore) -> str:
        assert self.request is not None
        found = await store.explain(self.request)
        reasons = "".join(f"\n-- {reason.part or 'whole'}: {reason.code} {reason.message}" for reason in found.reasons)
        return f"-- filter: {found.filter}, order: {found.order}, limit: {found.limit}{reasons}\n{_tidy(found.statement or '')}"

    def _infos(self) -> dict[str, TableInfo]:
        return {
            name: TableInfo(
                name,
                None,
                {column: _TYPES[type_.partition(" ")[0]] for column, type_ in columns.items()},
                frozenset({frozenset(column for column, type_ in columns.items() if type_.endswith(" key"))}),
            )
            for name, columns in self.tables.items()
        }

    def _of_sides(self, engine: str) -> list[Statement]:
        dialect = on_paper(engine)
        mapping = self.parsed(engine, "zc.sqlite" if engine == "sqlite" else f"{engine.partition(' ')[0]}://host/db")
        source = SqlSource(mapping, self._infos(), dialect)
        written: list[Any] = [source.lookup_select(lookup) for lookup in mapping.lookups.values()]
        written += [
            source.listing_select(listing)[0]
            for listing in (mapping.units, mapping.warehouses)
            if listing.origin == "table"
        ]
        written += [source.status_update(mapping.write)] if mapping.write else []
        return [write_statement(statement, dialect) for statement in written]

    def rewritten(self, statements: Mapping[str, str]) -> str:
        parts = (f"## {engine}\n\n```sql\n{statements[engine]}\n```\n" for engine in ENGINES)
        return self.head + "\n".join(parts)


def _shown(statement: Statement) -> str:
    values = ", ".join(
        f"{name} = {statement.constants[name]!r}" if statement.constants.get(name) is not None else name
        for name in statement.names or statement.constants
    )
    return _tidy(statement.sql) + (f"\n-- values: {values}" if values else "")


def _tidy(sql: str) -> str:
    return "\n".join(line.rstrip() for line in sql.strip().splitlines())


def read_golden(path: Path) -> Golden:
    text = path.read_text(encoding="utf-8")
    head, mark, rest = text.partition("## sqlite")
    blocks = {name: body for _, name, body in _BLOCK.findall(head)}
    parts = re.findall(r"^## ([^\n]*)\n\n```sql\n(.*?)\n```$", mark + rest, re.MULTILINE | re.DOTALL)
    request = eval(blocks["request"], dict(_NAMES)) if "request" in blocks else None  # a file of these tests
    return Golden(path, head, dict(parts), tomllib.loads(blocks["mapping"]), tomllib.loads(blocks["tables"]), request)


# --- rewriting ----------------------------------------------------------------------------------------------------


async def _rewrite(urls: Urls) -> None:
    for path in sorted(FOLDER.glob("*.md")):
        golden = read_golden(path)
        made = {engine: await golden.made(engine, urls) for engine in ENGINES}
        path.write_text(golden.rewritten(made), encoding="utf-8")


def main() -> None:
    if sys.argv[1:] != ["--rewrite"]:
        sys.exit("usage: python -m tests.adapters.sql.golden --rewrite")
    with contextlib.ExitStack() as stack:
        postgres, mariadb = stack.enter_context(running_postgres()), stack.enter_context(running_mariadb())
        asyncio.run(postgres_execute(postgres.url, f"CREATE DATABASE {DATABASE}"))
        asyncio.run(mariadb_execute(mariadb.url, f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4"))
        asyncio.run(_rewrite(Urls(postgres.with_database(DATABASE), mariadb.with_database(DATABASE))))


if __name__ == "__main__":
    main()
