"""Which column means what, which table is the asset table, how sure, and why.

    name and comment ─┐
                      ├─▶ score of (column, target) ─▶ the best pairing ─▶ score of the table
    sampled values  ──┘

A score is no probability. It orders guesses, and it is shown, so that the engineer looks first where it is low.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.kit.guess_values import says_of
from adapters.kit.joins import JoinGuess, used_joins, with_joins
from adapters.kit.shapes import Shape, shape_of
from adapters.kit.survey import ColumnSurvey, Survey, TableSurvey
from adapters.kit.words import Named, names_of
from adapters.mapping.model import DOCUMENT_ENGINES, TABULAR_ENGINES

__all__ = ["AssetGuess", "ColumnGuess", "TableGuess", "guess_columns", "guess_tables", "labelled", "shapes_of"]

SCORE_MIN = 0.3
"""A weaker guess is not written down."""
VALUES_ALONE_MIN = 0.4
"""What values must say where the name says nothing."""
_SURE_BY_VALUES = 0.98
"""Joined evidence never says certain."""

_CORE = {
    "name": 3.0, "code": 2.0, "classCode": 2.0, "originalValue": 2.0, "acquiredOn": 2.0, "status": 1.5, "quantity": 1.0,
    "owner": 1.0, "specification": 1.0, "netValue": 1.0, "unitOfMeasure": 0.5, "location": 0.5, "keeper": 0.5, "brand": 0.5,
}  # fmt: skip
"""What makes a table an asset table, and how much each weighs."""
_TABLE_NAME_WEIGHT = 0.15
_ROWS_WEIGHT = 0.1
_NOISE_FACTOR = 0.4
"""A history, a log or a backup has the same columns as the table itself."""


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    column: ColumnSurvey
    shape: Shape
    target: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class TableGuess:
    table: TableSurvey
    score: float
    reasons: tuple[str, ...]
    columns: Mapping[str, ColumnGuess]
    """Target → the column."""


@dataclass(frozen=True, slots=True)
class AssetGuess:
    best: TableGuess
    """Its columns may be those of joined tables (`alias.column`)."""
    others: tuple[TableGuess, ...]
    joins: tuple[JoinGuess, ...] = ()


_OF_LISTS = frozenset({"label", "kind", "address", "uscc"})
"""Of lists of units and warehouses, not of an asset."""


# --- columns ------------------------------------------------------------------------------------------------------


def shapes_of(table: TableSurvey) -> dict[str, Shape]:
    return {column.name: shape_of(column.samples) for column in table.columns}


def guess_columns(
    table: TableSurvey, shapes: Mapping[str, Shape], targets: Sequence[str] = ()
) -> dict[str, ColumnGuess]:
    """The best pairing of columns and targets, each at most once, by descending score."""
    offers = [offer for column in table.columns for offer in _offers(column, shapes[column.name])]
    offers = [offer for offer in offers if (offer.target in targets if targets else offer.target not in _OF_LISTS)]
    found: dict[str, ColumnGuess] = {}
    taken: set[str] = set()
    for offer in sorted(offers, key=lambda offer: -offer.score):
        if offer.target not in found and offer.column.name not in taken:
            found[offer.target] = offer
            taken.add(offer.column.name)
    return found


_ALONE = (
    "classCode", "unitOfMeasure", "location", "status", "secrecy", "street", "region", "uscc", "keeper", "shareable",
    "acquiredOn", "condition", "acquisition",
)  # fmt: skip
"""Targets that values alone can show, in columns called cf7 or df1."""
_ALONE_FACTOR = 0.75
_ALONE_DAY = 0.55
"""Days are many things; without a name the first column of days is offered, weakly."""


_OWN_ONLY = frozenset(
    {"owner", "warehouse", "id", "version", "updatedAt", "createdAt", "deleted", "latest", "secrecy", "name"}
)
"""What is said of an asset by its own columns: a joined table has a key, a name and times of its own."""


def _offers(column: ColumnSurvey, shape: Shape) -> list[ColumnGuess]:
    names: dict[str, Named] = {}
    for written in _spellings(column):
        for read in names_of(written, column.comment):
            if not read.target.startswith("table.") and names.get(read.target, read).score <= read.score:
                names[read.target] = read
    found = []
    for target in {**names, **dict.fromkeys(_ALONE)}:
        if column.is_joined and target in _OWN_ONLY:
            continue
        named = names.get(target)
        guess = _by_name(column, shape, named) if named else _by_values(column, shape, target)
        if guess is not None and guess.score >= SCORE_MIN:
            found.append(guess)
    return found


def _spellings(column: ColumnSurvey) -> tuple[str, ...]:
    """What a column's name may be read as: `value.original` also as `original_value`, `unit.name` never as a mere name."""
    above, dot, bare = column.name.rpartition(".")
    if not dot:
        return (column.name,)
    parent = _single(above.rpartition(".")[2])
    if bare in ("name", "title", "label"):
        return (f"{parent}_{bare}",)
    return (bare,) if column.is_joined else (bare, f"{parent}_{bare}", f"{bare}_{parent}")


def _single(table: str) -> str:
    """`companies` → `company`, `status_labels` → `status`: what a row of the table is called."""
    first = table.removesuffix("_labels").removesuffix("_types")
    return f"{first[:-3]}y" if first.endswith("ies") else first.removesuffix("s") if first != "status" else first


def _by_name(column: ColumnSurvey, shape: Shape, named: Named) -> ColumnGuess:
    says = says_of(named.target, shape)
    score = named.score * (1 + says.weight) if says.weight < 0 else 1 - (1 - named.score) * (1 - says.weight)
    reasons = [named.reason, says.reason] if says.reason else [named.reason]
    return ColumnGuess(column, shape, named.target, min(score, _SURE_BY_VALUES), "; ".join(reasons))


def _by_values(column: ColumnSurvey, shape: Shape, target: str) -> ColumnGuess | None:
    says = says_of(target, shape)
    weight = _ALONE_DAY if target == "acquiredOn" and says.weight > 0 else says.weight
    if weight < VALUES_ALONE_MIN:
        return None
    return ColumnGuess(column, shape, target, weight * _ALONE_FACTOR, f"only by its values: {says.reason}")


# --- tables -------------------------------------------------------------------------------------------------------


def guess_tables(survey: Survey, table_name: str | None = None) -> AssetGuess:
    """All tables as asset tables, the likeliest first. `table_name` settles which it is."""
    most = max((table.rows or 0 for table in survey.tables), default=0)
    guesses = sorted((_as_assets(table, most) for table in survey.tables), key=lambda guess: -guess.score)
    if table_name is not None:
        guesses.sort(key=lambda guess: guess.table.name != table_name)
    best = guesses[0]
    if survey.url.engine not in (*TABULAR_ENGINES, *DOCUMENT_ENGINES):
        wide, joins = with_joins(survey, best.table)
        columns = guess_columns(wide, shapes_of(wide))
        best = replace(best, table=wide, columns=columns)
        used = used_joins(joins, [guess.column.name for guess in columns.values()])
        return AssetGuess(best, tuple(guesses[1:]), used)
    return AssetGuess(best, tuple(guesses[1:]))


def _as_assets(table: TableSurvey, most_rows: int) -> TableGuess:
    columns = guess_columns(table, shapes_of(table))
    total = sum(_CORE.values())
    fields = sum(weight * columns[target].score for target, weight in _CORE.items() if target in columns) / total
    named = {one.target: one for one in names_of(table.name.partition(".")[0], table.comment)}
    asset, noise = named.get("table.asset"), _noise(table.name, named)
    size = math.log1p(table.rows or 0) / math.log1p(most_rows) if most_rows else 0.0
    score = fields * (1 - _TABLE_NAME_WEIGHT - _ROWS_WEIGHT) + _ROWS_WEIGHT * size
    score += _TABLE_NAME_WEIGHT * (asset.score if asset else 0)
    known = [target for target in _CORE if target in columns]
    reasons = [f"{len(known)} of the {len(_CORE)} fields that make an asset card: {', '.join(known) or 'none'}"]
    reasons += [asset.reason.replace("its name", "the table's name")] if asset else []
    reasons += [f"{table.rows} rows, the most of all tables"] if most_rows and table.rows == most_rows else []
    if noise:
        reasons.append(f"but {noise}")
        score *= _NOISE_FACTOR
    return TableGuess(table, score, tuple(reasons), columns)


def _noise(name: str, named: Mapping[str, Named]) -> str | None:
    if "table.noise" in named:
        return named["table.noise"].reason.replace("its name", "the table's name")
    last = name.lower().rstrip("0123456789").rstrip("_").rpartition("_")[2]
    if last in ("log", "his", "hist", "history", "bak", "backup", "tmp", "temp", "old", "rz", "ls", "bf"):
        return f'the table\'s name ends with "{last}"'
    return None


# --- labels that stand in a table ---------------------------------------------------------------------------------

_LABELLED_MIN = 0.6


def labelled(survey: Survey) -> Survey:
    """Comments out of the vendor's own table of columns, where the store has one (GAMS_META: COLNAME, LABEL)."""
    for candidate in survey.tables:
        survey = _labelled_by(survey, candidate)
    return survey


def _labelled_by(survey: Survey, meta: TableSurvey) -> Survey:
    labels = [column for column in meta.columns if shape_of(column.samples).share("chinese") >= _LABELLED_MIN]
    for column in meta.columns:
        names = [str(value).lower() for value in column.samples]
        for table in survey.tables:
            own = {one.name.lower() for one in table.columns}
            if table is meta or not labels or len(own & set(names)) < _LABELLED_MIN * len(own):
                continue
            said = dict(zip(names, labels[0].samples, strict=True))
            columns = tuple(
                one if one.comment else replace(one, comment=str(said.get(one.name.lower()) or ""))
                for one in table.columns
            )
            tables = tuple(replace(one, columns=columns) if one is table else one for one in survey.tables)
            survey = replace(survey, tables=tables)
    return survey
