"""金仓 KingbaseES: PostgreSQL's dialect and wire, with a banner of its own by which SQLAlchemy would not know it.

`adapters.sql.connect` registers these dialects by name; nothing is loaded before a mapping asks for them.
"""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

__all__ = ["KingbaseAsyncpg", "KingbasePsycopg", "version_of"]

_BANNER: Final = re.compile(r"KingbaseES|\bV0*\d+R0*\d+", re.IGNORECASE)
_SPEAKS: Final = (12, 0)
"""The PostgreSQL that V8 and V9 may be taken for."""
_POSTGRESQL: Final = re.compile(r"PostgreSQL (\d+)(?:\.(\d+))?")


def version_of(banner: str) -> tuple[int, ...]:
    postgresql = _POSTGRESQL.search(banner)
    if postgresql is not None:
        return tuple(int(part) for part in postgresql.groups("0"))
    if _BANNER.search(banner) is None:
        raise ValueError("the server is no KingbaseES")
    return _SPEAKS


class _Kingbase:
    def _get_server_version_info(self, connection: sa.Connection) -> tuple[int, ...]:
        return version_of(str(connection.exec_driver_sql("SELECT version()").scalar_one()))


class KingbaseAsyncpg(_Kingbase, PGDialect_asyncpg):
    supports_statement_cache = True


class KingbasePsycopg(_Kingbase, PGDialect_psycopg):
    supports_statement_cache = True
