"""What an index is built from: rows of any kind of source, and what tells one state of it from another."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
import tempfile
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS, MATCHED_FIELDS, fold, group_text, order_value
from adapters.mapping.fields import SideTables
from adapters.mapping.issues import issue
from adapters.mapping.mapper import Fate, Mapped, RowMapper, native_kinds, today_in_shanghai
from adapters.mapping.model import Mapping
from adapters.model import (
    FieldKind,
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreCapabilities,
    StoreError,
    StoreUnavailable,
    StoreUnsupported,
)
from adapters.snapshot import duplicate_code, duplicate_key, quarantine_place
from adapters.sql.reader import SqliteReader, Statement, write_statement
from adapters.sql.request import (
    Column,
    Encoder,
    Parameters,
    condition_params,
    filter_shape,
    order_by,
    page_shape,
    write_position,
    write_where,
)
from contract.decimals import sortable_decimal
from contract.order import SortValue

__all__ = ["RowSource", "SourceStamp"]


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """What tells one state of the source from another, and how old that state is."""

    token: str
    as_of: datetime
    fault: str | None = None
    """What is wrong with a newer state that is not used (a half-written export)."""


class RowSource(Protocol):
    """Where an index's rows come from."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def stamp(self) -> SourceStamp: ...

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        """Read all rows of this state into the builder."""


