"""The sections of a draft that name other tables: the class and its code table, the units, the warehouses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from adapters.kit.draft_fields import code_values
from adapters.kit.draft_text import FAIR, comment, inline, quoted, sure
from adapters.kit.guess_values import class_scheme
from adapters.kit.lists import CodeTable, ListGuess
from adapters.kit.meaning import REFERENCES, USCC, Meaning
from adapters.kit.shapes import Shape, shape_of
from adapters.kit.survey import ColumnSurvey
from adapters.mapping.model import CSV, XLSX

__all__ = ["CAPTION", "Todo", "class_lines", "list_lines", "sheets_are_units"]

Todo = Callable[[str], str]
"""Counts a decision that is left, and gives its line."""
CAPTION = re.compile(rf"([^（(）)\s]*信用代码[：:]?\s*)({USCC.pattern})(.)")
"""How a sheet's title says the unit's credit code: (what stands before it, the code, what stands behind)."""


def class_lines(meaning: Meaning, todo: Todo) -> Iterator[str]:
    guess = meaning.columns.get("classCode")
    if guess is None:
        return
    codes = meaning.codes.get("classCode")
    shape = guess.shape if codes is None else _shape_through(codes, guess.column)
    scheme, share, next_share = class_scheme(shape)
    yield comment(f"{sure(guess.score)}: {guess.reason}")
    yield comment(f"{share:.0%} of the values are codes of {scheme}; the next likely scheme has {next_share:.0%}")
    if share - next_share < 0.2:
        yield todo("confirm the scheme: the same code means other things in 1994, 2010 and 2022")
    yield "[class]"
    yield f"column = {quoted(guess.column.name)}"
    yield f'scheme = "{scheme}"'
    if shape.share("short class") > share / 2:
        yield 'prefix = "A0"    # the codes come without it'
    if "className" in meaning.columns and codes is None:
        yield f"name_column = {quoted(meaning.columns['className'].column.name)}"
    if codes is not None:
        yield from (
            'lookup = "class"',
            "",
            comment(codes.reason),
            "[lookups.class]",
            f"table = {quoted(codes.table)}",
        )
        yield from (
            f"key = {quoted(codes.key)}",
            f"value = {quoted(codes.value)}",
            f"label = {quoted(codes.label)}",
        )
        if codes.rows is not None:
            yield f"rows = [{inline({'column': codes.rows[0], 'in': [codes.rows[1]]})}]"


def list_lines(meaning: Meaning, target: str, todo: Todo) -> Iterator[str]:
    kind, listed, guess = REFERENCES[target], meaning.lists.get(target), meaning.columns.get(target)
    if listed is not None:
        yield from _listed(kind, listed, todo)
    elif target == "owner" and guess is not None and meaning.engine == CSV and guess.shape.share("uscc") >= FAIR:
        name = next(
            (one.name for one in meaning.asset.columns if "单位" in one.name and one.name != guess.column.name), None
        )
        column = quoted(guess.column.name)
        yield from (
            "[units]",
            'from = "rows"',
            f"key = {column}",
            f"name = {quoted(name) if name else column}",
            f"uscc = {column}",
        )
    elif target == "owner" and sheets_are_units(meaning):
        yield from ("[units]", 'from = "sheets"', 'key = "@sheet"', 'name = "@sheet"')
        if CAPTION.search(meaning.asset.title):
            yield 'uscc = "@uscc"'
    elif guess is not None:
        yield todo(f"{target} looks like {guess.column.name}, but no list of {kind} was found: map both, or neither")


def _listed(kind: str, listed: ListGuess, todo: Todo) -> Iterator[str]:
    yield comment(f"{sure(listed.score)}: {listed.reason}")
    yield f"[{kind}]"
    yield f"table = {quoted(listed.table.file or listed.table.name)}"
    yield f"key = {quoted(listed.key)}"
    label = listed.columns.get("label")
    if label is None:
        yield todo(f"no column looks like the name of {kind}: name it")
    yield f"name = {quoted(label.column.name if label else listed.key)}"
    if kind == "units" and "uscc" in listed.columns:
        yield f"uscc = {quoted(listed.columns['uscc'].column.name)}"
    if kind == "warehouses":
        yield from _warehouse_columns(listed, todo)


def _warehouse_columns(listed: ListGuess, todo: Todo) -> Iterator[str]:
    kinds = listed.columns.get("kind")
    if kinds is not None:
        yield f"kind = {quoted(kinds.column.name)}"
        values = code_values("kind", kinds, None)
        known = {code: value for code, (value, _) in values.items() if value is not None}
        if known:
            yield f"kinds = {inline(known)}"
        unknown = [quoted(code) for code in values if code not in known]
        if unknown:
            yield todo(f"which kinds are PHYSICAL warehouses: {', '.join(sorted(unknown))}? The others are OWN_ROOM")
    if "address" in listed.columns:
        yield f"address = {quoted(listed.columns['address'].column.name)}"


def _shape_through(codes: CodeTable, column: ColumnSurvey) -> Shape:
    """The shape of what the column's codes stand for."""
    return shape_of([codes.values.get(str(value)) for value in column.samples])


def sheets_are_units(meaning: Meaning) -> bool:
    return meaning.engine == XLSX and len(meaning.asset.sheets) > 1
