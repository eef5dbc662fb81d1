"""What a strange store holds, as a guest may see it in a bounded time: tables, columns, keys, and samples of rows.

A survey is only for guessing. Samples stay in memory: what is printed or written of them is decided by `draft`, which
shows distinct values of code-like columns and shapes of all others, never a name, a person or a whole row.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from glob import glob
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.documents.lines import LINES_SUFFIX
from adapters.mapping.model import CSV, JSONL, MONGODB, XLSX

__all__ = [
    "Budget",
    "ColumnSurvey",
    "Reference",
    "StoreUrl",
    "Survey",
    "SurveyError",
    "TableSurvey",
    "export_pattern",
    "read_url",
]

SAMPLE_ROWS = 400
"""From the beginning of a table, and as many from its end where a key says where that is."""
TABLES_MAX = 400
"""Tables looked into; a store with more is a whole administration's: name the schema or the table."""
COUNT_EXACT_MAX = 100_000
"""A table that is estimated to be larger is not counted exactly."""
CELL_MAX = 500
"""Characters kept of one sampled value."""
_DATE_IN_NAME = re.compile(r"\d{6,14}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_PARAMETERS = frozenset({"password", "passwd", "pwd", "pass", "sslpassword", "tlscertificatekeyfilepassword"})


class SurveyError(Exception):
    """The store cannot be looked at: one clear line, without any password, and what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class ColumnSurvey:
    name: str
    type: str
    """As the store writes it; empty where the store has no types."""
    comment: str = ""
    nullable: bool = True
    samples: tuple[Any, ...] = ()
    is_joined: bool = False
    """Of a table that the assets point at, so that `name` is `alias.column`; else a dot leads into a document."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key."""

    columns: tuple[str, ...]
    table: str
    its_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableSurvey:
    name: str
    columns: tuple[ColumnSurvey, ...]
    rows: int | None = None
    is_estimated: bool = False
    comment: str = ""
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    is_view: bool = False
    file: str = ""
    """Of files: where the table was found; of a workbook the sheet is `name`."""
    ready_suffix: str = ""
    """Of exports: the suffix of the file beside each that says how many lines it has."""
    header_row: int = 1
    sheets: tuple[str, ...] = ()
    """Of a workbook: all sheets with these headings, which count as one table."""
    title: str = ""
    """What stands above the headings of the first such sheet."""

    def column(self, name: str) -> ColumnSurvey | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class StoreUrl:
    engine: str
    """As a mapping writes it; `other:NAME` for a SQL engine that no adapter serves yet."""
    written: str
    """As it may stand in a mapping: `${NAME}` not filled in, no password."""
    full: str
    """With secrets: never printed."""


@dataclass(frozen=True, slots=True)
class Survey:
    url: StoreUrl
    tables: tuple[TableSurvey, ...]
    notes: tuple[str, ...] = ()
    """What was not looked at, and why."""

    def table(self, name: str) -> TableSurvey | None:
        return next((table for table in self.tables if table.name == name), None)


def export_pattern(name: str) -> str:
    """`zichan_20251130.csv` → `zichan_*.csv`."""
    return _DATE_IN_NAME.sub("*", name)


@dataclass
class Budget:
    """How long a survey may take, and whom it tells how far it is."""

    seconds: float
    clock: Callable[[], float]
    progress: Callable[[str, int, int], None] = lambda name, done, total: None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    @property
    def is_spent(self) -> bool:
        return self.clock() >= self._end


_SQL_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
}
_INTERFACES = ("http", "https")


def read_url(written: str) -> StoreUrl:
    """A URL, or the path of a SQLite file, a workbook, a CSV file, or a folder of exports. Raises `SurveyError`."""
    scheme, mark, _ = written.partition("://")
    if not mark:
        return _of_path(written)
    if _shows_password(written):
        raise SurveyError(
            "a password stands in the url, where other users of this machine can see it",
            "write ${NAME} in its place (in single quotes), and set NAME in the environment",
        )
    full = _VARIABLE.sub(_filled, written)
    engine = scheme.partition("+")[0].lower()
    if engine == "sqlite":
        return _of_path(written.partition("://")[2].removeprefix("/"), "sqlite")
    if engine == MONGODB:
        return StoreUrl(MONGODB, written, full)
    if engine in _INTERFACES:
        raise SurveyError(
            "nothing looks into an interface: how it is paged, and where its rows stand, only its makers can say",
            'write the mapping by hand, with engine = "rest": docs/mapping.md, [rest]; then preview and check it',
        )
    return StoreUrl(_SQL_SCHEMES.get(engine, f"other:{engine}"), written, full)


def _filled(match: re.Match[str]) -> str:
    value = os.environ.get(match[1])
    if value is None:
        raise SurveyError(f"the environment has no {match[1]}", f"set {match[1]} before starting")
    return value


def _of_path(path: str, engine: str | None = None) -> StoreUrl:
    if not os.path.exists(path):
        raise SurveyError(
            f"there is no file or folder {path}", "give a path, or a URL such as postgresql://user@host/db"
        )
    if engine is None:
        suffix = os.path.splitext(path)[1].lower()
        if suffix == LINES_SUFFIX:
            return StoreUrl(JSONL, os.path.dirname(path) or ".", os.path.dirname(path) or ".")
        if os.path.isdir(path):
            engine = CSV if not glob(f"*{LINES_SUFFIX}", root_dir=path) or glob("*.csv", root_dir=path) else JSONL
        elif suffix in (".csv", ".txt"):
            engine = CSV
        elif suffix in (".xlsx", ".xls", ".xlsm"):
            engine = XLSX
        else:
            engine = "sqlite"
    return StoreUrl(engine, path, path)


def _shows_password(written: str) -> bool:
    """Whether a password is spelt out: `user:pw@`, percent-encoded, or as a parameter."""
    rest = written.partition("://")[2]
    before = rest.partition("?")[0]
    user, at, _ = (before if "@" in before else rest).rpartition("@")
    password = user.partition(":")[2] if at else ""
    query = urlsplit(_VARIABLE.sub("", written.replace("#", "%23"))).query
    named = any(name.lower() in _SECRET_PARAMETERS and value for name, value in parse_qsl(query))
    return named or bool(_VARIABLE.sub("", unquote(password)))
