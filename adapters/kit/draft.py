"""A draft mapping: what was guessed, line by line with why and how sure, in a file that loads.

It lists nothing. Which rows are open is the one thing that is never guessed: `[secrecy] open` is empty, so every row is
secret until the engineer has decided. What looks open is suggested beside it, commented out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.kinds import known_kinds
from adapters.kit.draft_fields import FieldDraft, code_values, draft_field, from_name
from adapters.kit.draft_lists import CAPTION, class_lines, list_lines, sheets_are_units
from adapters.kit.draft_text import FAIR, SURE, comment, inline, inline_list, key_text, quoted, sure, value_text
from adapters.kit.guess import AssetGuess, ColumnGuess
from adapters.kit.meaning import REFERENCES, Meaning, meaning_of
from adapters.kit.shapes import Shape, shape_of
from adapters.kit.survey import ColumnSurvey, Survey, export_pattern
from adapters.mapping.model import ANY_SQL, CSV, FILE_ENGINES, JSONL, TABULAR_ENGINES, XLSX
from contract.regions import REGIONS

__all__ = ["Draft", "write_draft"]

_FIELDS = (
    "code", "name", "specification", "brand", "model", "serialNumber", "quantity", "unitOfMeasure", "acquiredOn",
    "originalValue", "accumulatedDepreciation", "netValue", "usefulLifeMonths", "owner", "keeper", "user", "warehouse",
    "location", "shareableUntil", "massKg", "updatedAt", "version", "shareable", "status", "condition", "acquisition",
    "source", "valueType",
)  # fmt: skip
"""In the order of an asset card; those with code lists last, for they take a table of their own."""


@dataclass(frozen=True, slots=True)
class Draft:
    text: str
    region: str
    region_is_known: bool
    """Whether the engineer or the store itself said it."""
    guess: AssetGuess
    todos: int
    """Decisions that are left to the engineer, secrecy among them."""


def write_draft(survey: Survey, out: Path, region: str | None = None, table: str | None = None) -> Draft:
    """The draft of a mapping that will stand at `out`."""
    return _Drafter(meaning_of(survey, table), out, region).draft()


class _Drafter:
    def __init__(self, meaning: Meaning, out: Path, region: str | None) -> None:
        self.meaning, self.out = meaning, out
        self.engine, self.asset, self.columns = meaning.engine, meaning.asset, meaning.columns
        self.key, self.lists, self.codes = meaning.key, meaning.lists, meaning.codes
        self.region_is_given = region is not None
        self.region_is_known = self.region_is_given or meaning.region is not None
        self.region = region or meaning.region or next(iter(REGIONS))
        self.todos = 0

    def draft(self) -> Draft:
        body = [line for part in self._parts() for line in (*part, "")]
        head = list(self._head())
        text = "\n".join([*head, "", *body]).rstrip() + "\n"
        return Draft(text, self.region, self.region_is_known, self.meaning.guess, self.todos)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _todo(self, text: str) -> str:
        self.todos += 1
        return comment(f"TODO {text}")

    def _parts(self) -> Iterator[list[str]]:
        """Sections in the order in which docs/mapping.md has them."""
        for part in (
            self._top(), self._store(), self._source(), self._joins(), self._file(), self._secrecy(), self._key_lines(),
            self._fields(), class_lines(self.meaning, self._todo), list_lines(self.meaning, "owner", self._todo),
            list_lines(self.meaning, "warehouse", self._todo), self._hints(),
        ):  # fmt: skip
            lines = list(part)
            if lines:
                yield lines

    def _head(self) -> Iterator[str]:
        yield comment(
            "A DRAFT, written by `gwc adapter inspect`. It loads, and it lists NOTHING yet: every row counts as"
        )
        yield comment(
            "secret until you have decided [secrecy] below. Each line says why it is so, and how sure that is:"
        )
        yield comment(
            f"sure (from {SURE:.0%}), likely (from {FAIR:.0%}), or a guess. {self.todos} lines begin with TODO: settle them,"
        )
        yield comment(
            "then look at rows with `gwc adapter preview`, then run `gwc adapter check`. The language: docs/mapping.md"
        )

    def _top(self) -> Iterator[str]:
        yield "mapping = 1"
        if not self.region_is_known:
            yield self._todo("no row told which region this is: write its code")
        elif not self.region_is_given:
            yield comment("by the credit codes of its units, or its own region column")
        yield f'region = "{self.region}"'
        yield f"title = {quoted(f'{self.region} · {self.asset.comment or self.asset.name}')}"

    def _store(self) -> Iterator[str]:
        yield "[store]"
        if self.engine in known_kinds():
            yield f'engine = "{self.engine}"'
        else:
            yield comment(
                f"of {self.engine} nothing more is known than its dialect: all rows are read, and judged here"
            )
            yield f'engine = "{ANY_SQL}"'
        if self.engine == "sqlite" or self.engine in FILE_ENGINES:
            yield f"url = {quoted(os.path.relpath(self.meaning.survey.url.full, self.out.parent))}    # relative to this file"
        else:
            yield f"url = {quoted(self.meaning.survey.url.written)}    # ${{NAME}} comes from the environment"

    def _source(self) -> Iterator[str]:
        if self.engine in TABULAR_ENGINES:
            return
        best = self.meaning.guess.best
        yield comment(f"{sure(best.score)}: {'; '.join(best.reasons)}")
        for other in self.meaning.guess.others[:2]:
            yield comment(f"not {other.table.name} ({other.score:.0%}): {other.reasons[-1]}")
        yield "[source]"
        yield f"table = {quoted(self.asset.name)}"
        conditions = list(self._conditions())
        if conditions:
            for _, why in conditions:
                yield self._todo(f"confirm which rows are assets: {why}")
            yield f"rows = [{', '.join(condition for condition, _ in conditions)}]"

    def _conditions(self) -> Iterator[tuple[str, str]]:
        for target, yes in (("latest", True), ("deleted", False)):
            guess = self.columns.get(target)
            if guess is None:
                continue
            name, shape = guess.column.name, guess.shape
            if target == "deleted" and shape.share("flag") < 0.9:
                yield inline({"column": name, "is": "null"}), f"{name} marks deleted rows by a time ({guess.reason})"
                continue
            flags = [code for code, _ in shape.codes if _is_true(code) is yes] or ["1" if yes else "0"]
            what = "the latest version of a card" if yes else "rows that are not deleted"
            yield inline({"column": name, "in": flags}), f"{name} = {', '.join(flags)} marks {what} ({guess.reason})"

    def _joins(self) -> Iterator[str]:
        for number, join in enumerate(self.meaning.guess.joins):
            yield from ([""] if number else [])
            yield comment(join.reason)
            yield "[[source.joins]]"
            yield f"table = {quoted(join.table)}"
            yield f"on = {{ {key_text(join.key)} = {quoted(join.column)} }}"

    def _ready(self) -> Iterator[str]:
        if self.asset.ready_suffix:
            yield f"ready_suffix = {quoted(self.asset.ready_suffix)}    # beside each export: how many lines it has"

    def _file(self) -> Iterator[str]:
        if self.engine == CSV and Path(self.meaning.survey.url.full).is_dir():
            yield "[file]"
            yield comment("the newest whole file by name is the store")
            yield f"pattern = {quoted(export_pattern(self.asset.file))}"
            yield from self._ready()
        elif self.engine == JSONL and self.asset.ready_suffix:
            yield "[file]"
            yield from self._ready()
        elif self.engine == XLSX:
            yield "[file]"
            yield f"header_row = {self.asset.header_row}"
            others = [
                name for table in self.meaning.survey.tables if table.name != self.asset.name for name in table.sheets
            ]
            yield f"sheets_except = {inline_list(others)}    # the {len(self.asset.sheets)} others hold assets"
            caption = CAPTION.search(self.asset.title)
            if caption is not None:
                yield comment("the title of each sheet says the unit's credit code")
                yield (
                    "captions = { uscc = { row = 1, after = "
                    + quoted(caption[1])
                    + ", before = "
                    + quoted(caption[3])
                    + " } }"
                )
            first = shape_of(self.asset.columns[0].samples)
            if 0.5 <= first.share("number") < 1 or first.filled < first.total:
                yield comment("some rows have no number in column A: totals, footers")
                yield 'row_when = "number"'

    def _secrecy(self) -> Iterator[str]:
        guess = self.columns.get("secrecy")
        yield self._todo(
            "DECIDE which rows are open, with whoever answers for secrecy (保密). Until then nothing is listed."
        )
        yield comment("What is not in `open` is secret, null included: not listed, not counted, without any trace.")
        if guess is None:
            yield comment(
                "No column speaks of secrecy. Name one; or write instead of both lines, if it is so and known in writing:"
            )
            yield comment('none_because = "涉密资产另库登记 secret assets are registered elsewhere"')
            yield "[secrecy]"
            yield f"column = {quoted(self.key.columns[0])}"
            yield "open = []"
            return
        yield comment(f"{sure(guess.score)}: {guess.reason}. Its values:")
        values = code_values("secrecy", guess, self.codes.get("secrecy"))
        for code, (meaning, word) in values.items():
            looks = {"open": "looks open", "secret": "looks secret"}.get(
                meaning or "", "not known: leave it out, and it is secret"
            )
            yield comment(f"    {quoted(code)}{f' ({word})' if word != code else ''}: {looks}")
        yield "[secrecy]"
        yield f"column = {quoted(guess.column.name)}"
        yield "open = []"
        suggested = [code for code, (meaning, _) in values.items() if meaning == "open"]
        if suggested:
            yield comment(
                f"open = {inline_list(suggested)}    <- once it is decided, put this in the place of the line above"
            )

    def _key_lines(self) -> Iterator[str]:
        yield comment(f"{sure(self.key.score)}: {self.key.reason}")
        if self.key.score < FAIR:
            yield self._todo("confirm the key: empty and repeated keys are quarantined")
        yield "[key]"
        yield f"columns = {inline_list(self.key.columns)}"
        if self.key.integers:
            yield f"integers = {inline_list(self.key.integers)}"

    # --- fields -----------------------------------------------------------------------------------------------------

    def _fields(self) -> Iterator[str]:
        drafts = list(self._drafted())
        yield "[fields]"
        for drafted in (one for one in drafts if not one.is_long):
            yield from self._reasons(drafted)
            yield f"{drafted.target} = {inline(drafted.keys)}"
        for drafted in (one for one in drafts if one.is_long):
            yield ""
            yield from self._reasons(drafted)
            yield f"[fields.{drafted.target}]"
            for key, value in drafted.keys.items():
                yield f"{key} = {value_text(value)}"

    def _reasons(self, drafted: FieldDraft) -> Iterator[str]:
        yield comment(f"{sure(drafted.score)}: {drafted.reason}" if drafted.score else drafted.reason)
        for todo in drafted.todo:
            yield self._todo(todo)

    def _drafted(self) -> Iterator[FieldDraft]:
        for target in _FIELDS:
            guess = self.columns.get(target)
            if target in REFERENCES:
                yield from self._reference(target, guess)
            elif guess is not None:
                yield draft_field(target, guess, self.codes.get(target))
            else:
                yield from self._without(target)

    def _without(self, target: str) -> Iterator[FieldDraft]:
        """Fields that can be had without a column of their own."""
        name = self.columns.get("name")
        if target == "name":
            todo = "no column looks like the asset's name: name it"
            yield FieldDraft("name", {"column": self.key.columns[0]}, "the key stands in for it", todo=[todo])
        elif target in ("quantity", "unitOfMeasure") and name is not None and from_name(name):
            keys: dict[str, object] = {"from_name": True, "value": "1"} if target == "quantity" else {"from_name": True}
            yield FieldDraft(target, keys, "names end with a number and a measure word (台式电脑3台)")
        elif target == "netValue" and {"originalValue", "accumulatedDepreciation"} <= self.columns.keys():
            original = draft_field("originalValue", self.columns["originalValue"], None)
            minus = self.columns["accumulatedDepreciation"].column.name
            keys = {"column": original.keys["column"], "minus": minus, "unit": original.keys["unit"]}
            yield FieldDraft("netValue", keys, "not stored: original value less depreciation")
        elif target == "version":
            yield FieldDraft("version", {"digest": True}, "no counter: a digest of what is read tells a row's version")

    def _reference(self, target: str, guess: ColumnGuess | None) -> Iterator[FieldDraft]:
        listed = self.lists.get(target)
        if listed is not None:
            score = guess.score if guess else listed.score
            yield FieldDraft(target, {"column": listed.pointer.name}, guess.reason if guess else listed.reason, score)
        elif target == "owner" and guess is not None and self.engine == CSV and guess.shape.share("uscc") >= FAIR:
            yield FieldDraft(target, {"column": guess.column.name, "uscc": True}, guess.reason, guess.score)
        elif target == "owner" and sheets_are_units(self.meaning):
            yield FieldDraft(target, {"column": "@sheet"}, "one sheet a unit", FAIR)

    # --- what is left -----------------------------------------------------------------------------------------------

    def _hints(self) -> Iterator[str]:
        region = self.columns.get("region")
        if region is not None and any(code != self.region for code, _ in region.shape.codes):
            seen = ", ".join(code for code, _ in region.shape.codes)
            yield self._todo(f"{region.column.name} has the regions {seen}: see [region_rule] in docs/mapping.md")
        if "stockKind" in self.columns:
            kinds = self.columns["stockKind"]
            seen = ", ".join(code for code, _ in kinds.shape.codes)
            yield self._todo(f"{kinds.column.name} has the kinds {seen}: name in source.rows those that may be listed")
        used = {guess.column.name for target, guess in self.columns.items() if target not in ("createdAt", "id")}
        used |= {*self.key.columns, *(listed.pointer.name for listed in self.lists.values())}
        rest = [column for column in self.asset.columns if column.name not in used and not column.is_joined]
        if rest:
            yield comment("Columns of the asset table that nothing was made of:")
        for column in rest:
            yield comment(f"    {column.name}: {_described(column, shape_of(column.samples))}")


def _is_true(code: str) -> bool:
    return code.lower() in ("1", "true", "t", "y", "是")


def _described(column: ColumnSurvey, shape: Shape) -> str:
    """What its values are like, never what they are."""
    said = f"{column.comment}; " if column.comment else ""
    if not shape.filled:
        return f"{said}empty"
    forms = [form for form in ("ymd", "epoch_s", "person", "measure", "number", "chinese") if shape.share(form) >= FAIR]
    words = {
        "ymd": "days",
        "epoch_s": "epoch seconds",
        "person": "persons",
        "measure": "measure words",
        "chinese": "Chinese text",
    }
    kind = words.get(forms[0], "numbers") if forms else "text"
    return f"{said}{column.type or 'no type'}; {kind}, {shape.distinct} different in {shape.filled} of {shape.total} samples"
