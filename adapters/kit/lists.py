"""Lists beside the assets: units, warehouses, and the code tables that give a code its word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.kit.guess import ColumnGuess, guess_columns, shapes_of
from adapters.kit.joins import covers, key_of
from adapters.kit.shapes import Shape, shape_of
from adapters.kit.survey import ColumnSurvey, Reference, Survey, TableSurvey
from adapters.kit.words import names_of, tokens
from adapters.mapping.values import code_text

__all__ = ["CodeTable", "ListGuess", "code_table_of", "list_of"]

_COVERED_MIN = 0.7
"""Assets name units that their list has lost."""
_CODES_COVERED_MIN = 0.6
_CODE_TABLE_ROWS_MAX = 5_000
_LABEL_CHINESE_MIN = 0.5
_OWN_NAME = 0.6
"""What a telling table name is worth beside covered keys."""
_TRIVIAL_MAX = 200
"""Small whole numbers stand in every table's key: they prove nothing."""


@dataclass(frozen=True, slots=True)
class ListGuess:
    """A list of units or of warehouses."""

    table: TableSurvey
    pointer: ColumnSurvey
    """The asset's column that names one of them."""
    key: str
    columns: Mapping[str, ColumnGuess]
    """label, uscc, kind, address → the column."""
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class CodeTable:
    table: str
    key: str
    value: str
    """Its column of codes; the key itself where it has no other."""
    label: str
    words: Mapping[str, str]
    """Code as the asset has it → its word."""
    values: Mapping[str, str]
    """Code as the asset has it → `value`."""
    rows: tuple[str, str] | None
    """(column, value): which rows of a dictionary of many lists these are."""
    reason: str


# --- units and warehouses -----------------------------------------------------------------------------------------


def list_of(survey: Survey, asset: TableSurvey, kind: str, guess: ColumnGuess | None) -> ListGuess | None:
    """The table of `kind` (units, warehouses) and the asset's column that points into it, the likeliest."""
    pointers = [guess.column] if guess else [column for column in asset.columns if not column.is_joined]
    offers = []
    for table in survey.tables:
        key = key_of(table) if table.name != asset.name else None
        if key is None:
            continue
        looks, why = _looks_like(table, kind)
        for pointer in pointers:
            offer = _pointed(table, key, pointer, asset.references, looks)
            if offer is not None and (guess is not None or looks >= _OWN_NAME):
                score, how = offer
                columns = guess_columns(table, shapes_of(table), ("label", "uscc", "kind", "address"))
                reason = "; ".join(filter(None, (how, why)))
                offers.append(ListGuess(table, pointer, key, columns, score * (0.5 + looks / 2), reason))
    return max((offer for offer in offers if offer.score >= 0.4), key=lambda offer: offer.score, default=None)


def _looks_like(table: TableSurvey, kind: str) -> tuple[float, str]:
    """How much the table looks like a list of that kind, and why."""
    wanted = f"table.{kind}"
    named = next((one for one in names_of(table.name.partition(".")[0], table.comment) if one.target == wanted), None)
    columns = guess_columns(table, shapes_of(table), ("label", "uscc", "kind", "address"))
    if kind == "units" and "uscc" in columns:
        return 0.95, f"it has social credit codes in {columns['uscc'].column.name}"
    if kind == "warehouses" and "kind" in columns and "label" in columns:
        return 0.8, f"it has kinds of warehouses in {columns['kind'].column.name}"
    ends = (
        ("仓", "库", "库房", "公物仓") if kind == "warehouses" else ("局", "院", "委", "中心", "学校", "馆", "办", "所")
    )
    label = columns.get("label")
    if label is not None and label.shape.filled:
        share = sum(str(text).endswith(ends) for text in label.column.samples) / label.shape.filled
        if share >= 0.5:
            return 0.7, f"its names end like those of {kind}"
    return (_OWN_NAME * named.score, named.reason) if named else (0.0, "")


def _pointed(
    table: TableSurvey, key: str, pointer: ColumnSurvey, references: Sequence[Reference], looks: float
) -> tuple[float, str] | None:
    for reference in references:
        if reference.columns == (pointer.name,) and reference.table == table.name:
            return 0.98, f"{pointer.name} is a foreign key to {table.name}.{key}"
    share = covers(table, key, pointer.samples)
    if share < _COVERED_MIN or (_is_trivial(shape_of(pointer.samples)) and looks < _OWN_NAME):
        return None
    return 0.5 + share * 0.4, f"{share:.0%} of the values of {pointer.name} stand in {table.name}.{key}"


def _is_trivial(shape: Shape) -> bool:
    return shape.share("whole") >= 0.9 and shape.median is not None and shape.median <= _TRIVIAL_MAX


# --- code tables --------------------------------------------------------------------------------------------------


def code_table_of(survey: Survey, asset: TableSurvey, column: ColumnSurvey) -> CodeTable | None:
    """The table that says what this column's codes mean: by foreign key, by name, or because it alone has such keys."""
    offers = [
        offer
        for table in survey.tables
        if table.name != asset.name and (table.rows or 0) <= _CODE_TABLE_ROWS_MAX
        for offer in _code_tables(table, asset, column)
    ]
    return max(offers, key=lambda offer: offer[0])[1] if offers else None


def _code_tables(table: TableSurvey, asset: TableSurvey, column: ColumnSurvey) -> Iterator[tuple[float, CodeTable]]:
    declared = next((r for r in asset.references if r.columns == (column.name,) and r.table == table.name), None)
    key = (declared.its_columns[0] if declared and declared.its_columns else None) or key_of(table)
    labels = [
        one for one in table.columns if one.name != key and shape_of(one.samples).share("chinese") >= _LABEL_CHINESE_MIN
    ]
    if key is None or not labels:
        return
    share = covers(table, key, column.samples)
    related = bool(declared) or _is_named_after(table.name, column.name)
    if share < _CODES_COVERED_MIN or not (related or not _is_trivial(shape_of(column.samples))):
        return
    how = "a foreign key" if declared else "its name" if related else "its keys"
    reason = f"{table.name} by {how}: {share:.0%} of the codes stand in {table.name}.{key}"
    yield (2.0 if declared else 1.0 if related else 0.0) + share, _table(table, key, labels[0], column, reason)


def _is_named_after(table: str, column: str) -> bool:
    """`zd_zczt` of `zczt`, `dict_status` of `status_id`."""
    stem = "".join(part for part in tokens(column) if part != "id")
    words = tokens(table)
    return bool(stem) and (stem in words or "".join(words) == stem)


def _table(table: TableSurvey, key: str, label: ColumnSurvey, column: ColumnSurvey, reason: str) -> CodeTable:
    used = {code_text(value) for value in column.samples} - {None}
    keys = next(one.samples for one in table.columns if one.name == key)
    places = [at for at, value in enumerate(keys) if code_text(value) in used]
    kinds = _kind_column(table, key, label.name, places)
    if kinds is not None:  # all codes of the list, not only those that samples use
        places = [at for at, value in enumerate(kinds.samples) if value == kinds.samples[places[0]]]
    elif not _is_list_of_many(table, len(places)):
        places = list(range(len(keys)))
    value = _value_column(table, key, label.name, kinds.name if kinds else None)
    values = table.column(value)
    assert values is not None
    return CodeTable(
        table=table.name,
        key=key,
        value=value,
        label=label.name,
        words={str(code_text(keys[at])): str(label.samples[at]).strip() for at in places},
        values={str(code_text(keys[at])): str(code_text(values.samples[at])) for at in places},
        rows=(kinds.name, str(kinds.samples[places[0]])) if kinds and places else None,
        reason=reason,
    )


def _is_list_of_many(table: TableSurvey, used: int) -> bool:
    return (table.rows or 0) > 4 * max(used, 8)


def _kind_column(table: TableSurvey, key: str, label: str, places: list[int]) -> ColumnSurvey | None:
    """The column that tells the lists of a common dictionary apart: the same for all used rows, not for all rows."""
    for column in table.columns:
        if column.name in (key, label) or not places:
            continue
        if (
            len({column.samples[at] for at in places}) == 1
            and 1 < shape_of(column.samples).distinct <= len(column.samples) // 2
        ):
            return column
    return None


def _value_column(table: TableSurvey, key: str, label: str, kinds: str | None) -> str:
    for column in table.columns:
        named = any(one.target in ("code", "classCode") for one in names_of(column.name, column.comment))
        if column.name not in (key, label, kinds) and named:
            return column.name
    return key
