"""Which kinds of store there are: ours, and those that other packages offer.

A package offers a kind by an entry point of the group `gongwucang.adapters`: its name is what a mapping writes as
`engine`, its object a `StoreFactory`. Ours are told by name here and loaded when one is opened, so that a driver that
is not installed costs only the stores that need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from adapters.model import StoreUnsupported

__all__ = ["BUILT_IN", "ENTRY_POINT_GROUP", "BuiltIn", "known_kinds", "missing_driver", "third_party"]

ENTRY_POINT_GROUP: Final = "gongwucang.adapters"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    factory: str
    """`module:function`, a `StoreFactory`."""
    extra: str | None
    """The extra of this package that installs what the kind needs; None: nothing that is not here already."""


_SQL = "adapters.sql.open:open_sql"
BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    "sqlite": BuiltIn(_SQL, "sqlite"),
    "postgresql": BuiltIn(_SQL, "postgresql"),
    "mysql": BuiltIn(_SQL, "mysql"),
    "mariadb": BuiltIn(_SQL, "mariadb"),
    "oracle": BuiltIn(_SQL, "oracle"),
    "mssql": BuiltIn(_SQL, "mssql"),
    "dm": BuiltIn(_SQL, "dm"),
    "kingbase": BuiltIn(_SQL, "kingbase"),
    "sql": BuiltIn(_SQL, None),
    "csv": BuiltIn("adapters.tabular.csv:open_csv", None),
    "xlsx": BuiltIn("adapters.tabular.xlsx:open_xlsx", "excel"),
    "mongodb": BuiltIn("adapters.mongo.source:open_mongo", "mongo"),
    "jsonl": BuiltIn("adapters.documents.lines:open_lines", None),
    "rest": BuiltIn("adapters.rest.source:open_rest", "rest"),
}


@lru_cache(maxsize=1)
def third_party() -> Mapping[str, EntryPoint]:
    """Kinds that other installed packages offer; none takes the place of ours."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in BUILT_IN}


def known_kinds() -> tuple[str, ...]:
    return (*BUILT_IN, *sorted(third_party()))


_EXTRA_OF_DRIVER: Final = {"psycopg": "postgresql-sync", "pymysql": "mysql-sync"}
"""Drivers that a mapping's url may name, beside the one of its kind."""
_PACKAGE_OF_DRIVER: Final = {"MySQLdb": "mysqlclient"}
"""Drivers of no extra: they are built on the machine where they are used."""


def missing_driver(kind: str, module: str | None) -> StoreUnsupported:
    """What to install. `module` is what could not be imported."""
    needed = module or "a driver"
    if needed in _PACKAGE_OF_DRIVER:
        return StoreUnsupported(
            f"a {kind} store needs {needed}, which is not installed: pip install {_PACKAGE_OF_DRIVER[needed]}"
        )
    built_in = BUILT_IN.get(kind)
    extra = _EXTRA_OF_DRIVER.get(needed) or (built_in.extra if built_in else None)
    remedy = f"pip install 'gongwucang[{extra}]'" if extra else f"install {needed}"
    return StoreUnsupported(f"a {kind} store needs {needed}, which is not installed: {remedy}")
