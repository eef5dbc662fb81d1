"""New stores of the product's own, quickly: each is a copy of one of its kind that was migrated once in the session.

Whoever opens a copy opens it as ever; the migrations have nothing left to do there. A test of the migrations themselves
asks for an `empty_store` instead.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.services import Server, new_postgres_database, run_apart

__all__ = ["ENGINES", "NewStore", "SqliteStores", "migrate"]

ENGINES = ("sqlite", "postgresql")


class Store(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...


Kind = Callable[[str], Store]
"""URL → the store there; opening it migrates it, closing it leaves nobody connected and nothing beside the file."""
NewStore = Callable[[str, Kind], str]
"""(engine, kind) → the URL of a new store, which has this program's tables and no rows."""


async def migrate(kind: Kind, url: str) -> None:
    store = kind(url)
    await store.open()
    await store.close()


class SqliteStores:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Kind, Path] = {}

    def copy(self, kind: Kind, file: Path) -> str:
        if kind not in self._templates:
            template = self._folder / f"template-{len(self._templates)}.sqlite"
            run_apart(migrate(kind, f"sqlite:///{template}"))
            self._templates[kind] = template
        shutil.copyfile(self._templates[kind], file)
        return f"sqlite:///{file}"


class PostgresStores:
    def __init__(self, server: Server, kept: ExitStack) -> None:
        self._server, self._kept = server, kept
        self._templates: dict[Kind, str] = {}

    @contextmanager
    def copy(self, kind: Kind) -> Iterator[str]:
        if kind not in self._templates:
            template = self._kept.enter_context(new_postgres_database(self._server))
            run_apart(migrate(kind, template))
            self._templates[kind] = template
        with new_postgres_database(self._server, self._templates[kind]) as url:
            yield url


@pytest.fixture(scope="session")
def sqlite_stores(tmp_path_factory: pytest.TempPathFactory) -> SqliteStores:
    return SqliteStores(tmp_path_factory.mktemp("stores"))


@pytest.fixture(scope="session")
def postgres_stores(postgres_server: Server) -> Iterator[PostgresStores]:
    with ExitStack() as kept:
        yield PostgresStores(postgres_server, kept)


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    numbers = itertools.count(1)
    with ExitStack() as kept:

        def new(engine: str, kind: Kind) -> str:
            if engine == "postgresql":
                return str(kept.enter_context(request.getfixturevalue("postgres_stores").copy(kind)))
            return str(request.getfixturevalue("sqlite_stores").copy(kind, tmp_path / f"store-{next(numbers)}.sqlite"))

        yield new


@pytest.fixture(params=ENGINES)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made, on either engine: there is none yet."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_database"))
    return f"sqlite:///{tmp_path}/store.sqlite"
