"""Migrations of a store of our own, by Alembic: a folder of numbered revisions, run when the store is opened.

A store says in a table of its own how far it has come, so stores of several parts may share one PostgreSQL database.
A revision is written once and never changed; `tests` compare what all of them make with the tables in code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, inspect

__all__ = ["Migrations", "StoreBehind", "StoreTooNew", "run_revisions"]


def run_revisions() -> None:
    """What a folder's `env.py` does: revisions run on the connection, and in the transaction, of who opens the store."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        version_table=attributes["version_table"],
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


class StoreTooNew(RuntimeError):
    """The store was made by a later version of this program."""


class StoreBehind(RuntimeError):
    """The store was made by an earlier version of this program, and whoever opened it may not bring it further."""


@cache
def _scripts(package: str) -> ScriptDirectory:
    """Read once: its files are part of the program, and reading them takes longer than all else of opening a store."""
    return ScriptDirectory(str(resources.files(package)))


@dataclass(frozen=True, slots=True)
class Migrations:
    """The revisions of one kind of store."""

    package: str
    """Where `env.py` and `versions/` stand."""
    version_table: str
    metadata: MetaData
    legacy_table: str | None = None
    """The table by which stores before the first revision told their version; such a store has what the first makes."""

    def upgrade(self, connection: Connection, to: str = "head") -> None:
        """Bring the store to a revision, inside the caller's transaction. Raises `StoreTooNew`."""
        config, scripts = self._config(connection), _scripts(self.package)
        at = self._known_revision(connection)
        if at is None and self.legacy_table is not None and inspect(connection).has_table(self.legacy_table):
            command.stamp(config, str(scripts.get_base()))
            Table(self.legacy_table, MetaData()).drop(connection)
        if at != scripts.get_current_head():
            command.upgrade(config, to)

    def check(self, connection: Connection) -> None:
        """That the store is at this program's revision, without changing it. Raises `StoreTooNew`, `StoreBehind`."""
        at, head = self._known_revision(connection), self._head()
        if at != head:
            raise StoreBehind(f"the store is at revision {at or 'none'}, this program reads revision {head}")

    def _known_revision(self, connection: Connection) -> str | None:
        at = self.revision(connection)
        if at is not None and not self.knows(at):
            raise StoreTooNew(f"the store is at revision {at}, this program knows up to {self._head()}")
        return at

    def _head(self) -> str | None:
        return _scripts(self.package).get_current_head()

    def knows(self, revision: str) -> bool:
        """Whether this program has the revision."""
        return revision in {one.revision for one in _scripts(self.package).walk_revisions()}

    def revision(self, connection: Connection) -> str | None:
        """Where the store stands; None: it has no tables yet, or only those before the first revision."""
        context = MigrationContext.configure(connection, opts={"version_table": self.version_table})
        return context.get_current_revision()

    def _config(self, connection: Connection) -> Config:
        config = Config()
        config.set_main_option("script_location", str(Path(str(resources.files(self.package)))).replace("%", "%%"))
        config.attributes.update(connection=connection, metadata=self.metadata, version_table=self.version_table)
        return config
