"""Tables that the asset table's rows point at, declared as foreign keys or only named alike.

`model_id` points at `models` where each sampled value stands in that table's key. The joined table's columns are then
offered as columns of the asset (`models.name`), three joins deep at most, to at most one row each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.kit.survey import ColumnSurvey, Survey, TableSurvey
from adapters.kit.words import tokens
from adapters.mapping.values import code_text

__all__ = ["JoinGuess", "covers", "key_of", "used_joins", "with_joins"]

_DEPTH_MAX = 3
_COVERED_MIN = 0.9
_ID = ("id", "no", "code", "key")


@dataclass(frozen=True, slots=True)
class JoinGuess:
    table: str
    alias: str
    key: str
    """Column of the joined table."""
    column: str
    """What points at it: a column of the asset table, or `alias.column`."""
    reason: str


def with_joins(survey: Survey, asset: TableSurvey) -> tuple[TableSurvey, tuple[JoinGuess, ...]]:
    """The asset table with the columns of what it points at behind its own."""
    joins: list[JoinGuess] = []
    columns = list(asset.columns)
    edge: list[tuple[str, TableSurvey, Sequence[ColumnSurvey]]] = [("", asset, asset.columns)]
    for _ in range(_DEPTH_MAX):
        found: list[tuple[str, TableSurvey, Sequence[ColumnSurvey]]] = []
        for prefix, table, own in edge:
            for column, target, key, reason in _pointers(survey, table, own):
                alias = target.name
                if target.name == asset.name or alias in {join.alias for join in joins}:
                    continue
                joins.append(JoinGuess(target.name, alias, key, f"{prefix}{column.name}", reason))
                added = _joined_columns(column, target, key, alias)
                columns += [replace(one, name=f"{alias}.{one.name}", is_joined=True) for one in added]
                found.append((f"{alias}.", target, added))
        edge = found
    return replace(asset, columns=tuple(columns)), tuple(joins)


def used_joins(joins: Sequence[JoinGuess], columns: Sequence[str]) -> tuple[JoinGuess, ...]:
    """The joins that these columns need, each after what it stands on."""
    needed = {column.rpartition(".")[0] for column in columns if "." in column}
    for join in reversed(joins):
        if join.alias in needed and "." in join.column:
            needed.add(join.column.rpartition(".")[0])
    return tuple(join for join in joins if join.alias in needed)


def key_of(table: TableSurvey) -> str | None:
    """The one column that is the table's key: declared, or the first that is filled and never repeats."""
    if len(table.key) == 1:
        return table.key[0]
    singles = [columns[0] for columns in table.unique if len(columns) == 1]
    if singles:
        return singles[0]
    for column in table.columns:
        values = [code_text(value) for value in column.samples]
        if values and None not in values and len(set(values)) == len(values):
            return column.name
    return None


def covers(table: TableSurvey, key: str, values: Sequence[Any]) -> float:
    """The share of the distinct filled values that stand in the key."""
    column = table.column(key)
    wanted = {text for value in values if (text := code_text(value)) is not None}
    if column is None or not wanted:
        return 0.0
    return len(wanted & {code_text(value) for value in column.samples}) / len(wanted)


def _pointers(
    survey: Survey, table: TableSurvey, own: Sequence[ColumnSurvey]
) -> Iterator[tuple[ColumnSurvey, TableSurvey, str, str]]:
    columns = {column.name: column for column in own}
    declared = set()
    for reference in table.references:
        target = survey.table(reference.table)
        if len(reference.columns) == 1 and target is not None and reference.columns[0] in columns:
            declared.add(reference.columns[0])
            its = reference.its_columns[0] if reference.its_columns else key_of(target)
            if its:
                yield columns[reference.columns[0]], target, its, "a foreign key"
    for column in own:
        parts = tokens(column.name)
        if column.name in declared or len(parts) < 2 or parts[-1] not in _ID:
            continue
        for target in survey.tables:
            key = key_of(target)
            if key and _is_named(target.name, parts[:-1]) and covers(target, key, column.samples) >= _COVERED_MIN:
                yield (
                    column,
                    target,
                    key,
                    f"{column.name} is named after it, and its values stand in {target.name}.{key}",
                )
                break


def _is_named(table: str, stem: Sequence[str]) -> bool:
    words = tokens(table)
    single = "_".join(stem)
    whole = "_".join(words)
    return whole in (single, f"{single}s", f"{single}es", f"{single[:-1]}ies") or words[: len(stem)] == list(stem)


def _joined_columns(pointer: ColumnSurvey, target: TableSurvey, key: str, alias: str) -> list[ColumnSurvey]:
    """The target's columns, each with the values that the asset's rows point at. The key itself is left out."""
    keys = next(column.samples for column in target.columns if column.name == key)
    place = {code_text(value): at for at, value in enumerate(keys)}
    rows = [place.get(code_text(value)) for value in pointer.samples]
    return [
        replace(
            column,
            samples=tuple(None if at is None or at >= len(column.samples) else column.samples[at] for at in rows),
        )
        for column in target.columns
        if column.name != key
    ]
