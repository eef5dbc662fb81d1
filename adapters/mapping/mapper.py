"""A native row → a canonical row and its issues.

    raw tuple ─▶ secret? ─▶ an asset at all? ─▶ key ─▶ fields ─▶ class ─▶ region ─▶ rules between fields ─▶ Mapped

Secrecy is judged before anything else is looked at. What only the other rows can tell (keys and codes that occur
twice) is added by whoever sees all rows: `adapters.snapshot`, the local index, or the store's own query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from urllib.parse import quote, unquote

from adapters.mapping.classes import all_class_names, class_name, placed
from adapters.mapping.fields import Raw, SideTables, build_reader, condition_test
from adapters.mapping.issues import is_blocked, issue
from adapters.mapping.model import Condition, KeyPart, Mapping, QuarantineRule
from adapters.mapping.rules import field_test
from adapters.mapping.values import code_text, is_single, text_of, trimmed
from adapters.model import Issue, Row
from contract.order import Kind, SortValue
from contract.regions import RETIRED_CODES

__all__ = [
    "CLASS_FIELDS",
    "Fate",
    "Mapped",
    "RowMapper",
    "class_reader",
    "key_reader",
    "native_kinds",
    "native_text",
    "parse_native",
    "settled_fate",
    "today_in_shanghai",
]

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**63 - 1
"""What any store can hold as a key's integer."""
_SHANGHAI = timezone(timedelta(hours=8))
CLASS_FIELDS = ("classScheme", "classCode", "className", "legacyClassScheme", "legacyClassCode", "legacyClassName")
"""The canonical fields that `[class]` makes, all of one code."""


class Fate(Enum):
    LISTED = "listed"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"
    SECRET = "secret"


@dataclass(slots=True)
class Mapped:
    fate: Fate
    native: tuple[SortValue, ...] = ()
    row: Row | None = None
    """Also of a quarantined row, as far as it could be mapped; its code counts among the duplicates."""
    issues: list[Issue] | None = None


def today_in_shanghai() -> date:
    return datetime.now(_SHANGHAI).date()


# --- keys ---------------------------------------------------------------------------------------------------------


def native_kinds(key: tuple[KeyPart, ...]) -> tuple[Kind, ...]:
    return tuple(Kind.NUMBER if part.kind == "integer" else Kind.TEXT for part in key)


def native_text(parts: tuple[SortValue, ...]) -> str:
    """The native key as it stands in ids: one part as its text; several percent-encoded and joined by `/`."""
    if len(parts) == 1:
        return str(parts[0])
    return "/".join(quote(str(part), safe="") for part in parts)


def parse_native(text: str, key: tuple[KeyPart, ...]) -> tuple[SortValue, ...] | None:
    """The parts of a native key; None where the text is no key of this store (or not its one spelling)."""
    texts = [text] if len(key) == 1 else [unquote(part) for part in text.split("/")]
    if len(texts) != len(key):
        return None
    parts: list[SortValue] = []
    for piece, part in zip(texts, key, strict=True):
        if part.kind == "text":
            parts.append(piece)
            continue
        if not piece.removeprefix("-").isdecimal() or not piece.isascii() or len(piece) > 19:
            return None
        parts.append(int(piece))
    found = tuple(parts)
    return found if native_text(found) == text else None


def key_reader(mapping: Mapping, index: dict[str, int]) -> Callable[[Raw], tuple[SortValue, ...] | None]:
    places = [(index[part.column], part.kind == "integer", part.trim) for part in mapping.key]

    def read(raw: Raw) -> tuple[SortValue, ...] | None:
        parts: list[SortValue] = []
        for at, integer, trim in places:
            value = raw[at]
            if integer:
                if isinstance(value, bool) or not isinstance(value, int) or not _INTEGER_MIN <= value <= _INTEGER_MAX:
                    return None
                parts.append(value)
            else:
                text = None if isinstance(value, dict | list) else text_of(value)
                bare = trimmed(text)
                if bare is None:
                    return None
                parts.append(bare if trim else text)
        return tuple(parts)

    return read


# --- the mapper ---------------------------------------------------------------------------------------------------


class RowMapper:
    """Maps rows of one store. Bound to side tables and a day; both are cheap to renew by making another mapper."""

    def __init__(self, mapping: Mapping, side: SideTables, today: date | None = None) -> None:
        self.mapping = mapping
        self.columns = mapping.columns
        self.side = side
        self.today = today or today_in_shanghai()
        self._today = self.today.isoformat()
        index = {column: at for at, column in enumerate(self.columns)}
        self._ignored = [condition_test(condition, index) for condition in mapping.rows]
        self._rules = [_rule_test(rule, index) for rule in mapping.quarantine]
        self._key = key_reader(mapping, index)
        name_at = tuple(index[column] for column in mapping.fields["name"].columns)
        self._readers = [(name, build_reader(mapped, index, side, name_at)) for name, mapped in mapping.fields.items()]
        absent = [name for name in _ROW_FIELDS if name not in mapping.fields]
        self.blank: Row = dict.fromkeys(absent)
        """What the fields are that the mapping does not name."""
        self.blank |= {name: value for name, value in _ABSENT.items() if name in absent}
        self._class = class_reader(mapping, index, side)
        self._class_names = all_class_names()
        self._region = _region_reader(mapping, index)
        self._secret = _secrecy_test(mapping, index, side)
        self._secrecy_at = None if mapping.secrecy.column is None else index[mapping.secrecy.column]

    @property
    def judges_secrecy(self) -> bool:
        return self._secrecy_at is not None

    def is_secret(self, raw: Raw) -> bool:
        return self._secret(raw)

    def is_undecided(self, raw: Raw) -> bool:
        """Secret because nobody can read what it says of its secrecy: told as a loss, and by its number alone."""
        return self._secrecy_at is not None and not is_single(raw[self._secrecy_at]) and not self.is_ignored(raw)

    def is_ignored(self, raw: Raw) -> bool:
        return not all(counts(raw) for counts in self._ignored)

    def judge(self, raw: Raw) -> Mapped:
        """What becomes of a row of a store that could not be asked to leave out the secret and the ignored ones."""
        if self._secret(raw):
            return Mapped(Fate.SECRET)
        if self.is_ignored(raw):
            return Mapped(Fate.IGNORED)
        return self.map(raw)

    def map(self, raw: Raw) -> Mapped:
        """Map a row that is neither secret nor ignored."""
        found: list[Issue] = []
        native = self._key(raw)
        row: Row = {"native": None if native is None else native_text(native), **self.blank, **_NO_CLASS}
        for name, read in self._readers:
            row[name] = read(raw, found)
        if self._class is not None:
            self._class(raw, row, found)
        return self.settled(raw, native, row, found)

    def settled(self, raw: Raw, native: tuple[SortValue, ...] | None, row: Row, found: list[Issue]) -> Mapped:
        """The rules on the whole row, after its fields have been read; what becomes of it."""
        if native is None:
            found.append(issue("EMPTY_KEY", None, None, "key.columns"))
        if self._region is not None:
            self._region(raw, found)
        for judge in self._rules:
            judge(raw, row, found)
        self._between_fields(row, found)
        if row["version"] is None:
            row["version"] = ""
        row["issues"] = found
        return Mapped(settled_fate(found), native or (), row, found)

    def raw_of(self, raw: Raw) -> dict[str, Any]:
        """The native row as an officer of its region may see it."""
        return {
            column: value if _is_json(value) else text_of(value)
            for column, value in zip(self.columns, raw, strict=True)
        }

    def _names_class(self, name: str, code: str | None) -> bool:
        mapped = self.mapping.class_
        return code is not None and mapped is not None and name == class_name(mapped.scheme, mapped.prefix + code)

    def is_surely_sound(self, row: Row) -> bool:
        """Whether no rule on the whole row can find anything in it, told at less cost than by asking them."""
        if self._region is not None or self._rules:
            return False
        name, net, acquired = row["name"], row["netValue"], row["acquiredOn"]
        if name is None or name in self._class_names or name == row["className"] or name == row["legacyClassName"]:
            return False
        if (net is not None and net[0] == "-") or (acquired is not None and acquired > self._today):
            return False
        depreciation, original = row["accumulatedDepreciation"], row["originalValue"]
        # Rounding keeps the order: what is less as a binary fraction is less.
        return depreciation is None or original is None or float(depreciation) < float(original)

    def _between_fields(self, row: Row, found: list[Issue]) -> None:
        name, net = row["name"], row["netValue"]
        if name is None:
            if not any(seen["field"] == "name" for seen in found):
                found.append(issue("NAME_MISSING", "name", None, "fields.name"))
        elif name in (row["className"], row["legacyClassName"]) or self._names_class(name, row["legacyClassCode"]):
            found.append(issue("NAME_IS_CLASS", "name", name, "fields.name"))
        if net is not None and net[0] == "-":
            found.append(issue("NEGATIVE_NET", "netValue", net, "fields.netValue"))
        depreciation, original = row["accumulatedDepreciation"], row["originalValue"]
        if depreciation is not None and original is not None and Decimal(depreciation) > Decimal(original):
            found.append(
                issue(
                    "DEPRECIATION_EXCEEDS_ORIGINAL",
                    "accumulatedDepreciation",
                    depreciation,
                    "fields.accumulatedDepreciation",
                )
            )
        acquired = row["acquiredOn"]
        if acquired is not None and acquired > self._today:
            found.append(issue("FUTURE_DATE", "acquiredOn", acquired, "fields.acquiredOn"))


_ROW_FIELDS = (
    "code", "name", "specification", "brand", "model", "serialNumber", "quantity", "unitOfMeasure", "acquiredOn",
    "acquisition", "originalValue", "accumulatedDepreciation", "netValue", "valueType", "usefulLifeMonths", "owner",
    "keeper", "user", "warehouse", "location", "source", "condition", "status", "shareable", "shareableUntil", "massKg",
    "version", "updatedAt",
)  # fmt: skip


_ABSENT: dict[str, Any] = {"quantity": "1", "shareable": False, "version": ""}
_NO_CLASS: dict[str, Any] = dict.fromkeys(CLASS_FIELDS)


def settled_fate(found: list[Issue]) -> Fate:
    """What becomes of a row with these issues, which are brought into their order."""
    found.sort(key=_issue_order)
    return Fate.QUARANTINED if is_blocked(found) else Fate.LISTED


def _issue_order(found: Issue) -> tuple[str, str]:
    return found["code"], found["field"] or ""


def class_reader(
    mapping: Mapping, index: dict[str, int], side: SideTables
) -> Callable[[Raw, Row, list[Issue]], None] | None:
    mapped = mapping.class_
    if mapped is None:
        return None
    at, scheme, lookup = index[mapped.column], mapped.scheme, mapped.lookup
    name_at = index[mapped.name_column] if mapped.name_column else None

    def read(raw: Raw, row: Row, found: list[Issue]) -> None:
        code = code_text(raw[at])
        label: str | None = None
        if code is None:
            found.append(issue("CLASS_MISSING", "class", None, "class.column"))
            return
        if lookup is not None:
            entry = side.lookups[lookup].get(code)
            if entry is None or entry[0] is None:
                found.append(issue("CLASS_UNTRANSLATABLE", "class", code, "class.lookup"))
                return
            code, label = entry
        if name_at is not None:
            label = trimmed(text_of(raw[name_at]))
        row["legacyClassScheme"], row["legacyClassCode"], row["legacyClassName"] = scheme, code, label
        found_class = placed(mapped, str(code))
        if found_class is None:
            found.append(issue("CLASS_UNTRANSLATABLE", "class", code, f"class.scheme {scheme}"))
            return
        row["classScheme"], row["classCode"], row["className"] = "2022", *found_class

    return read


def _region_reader(mapping: Mapping, index: dict[str, int]) -> Callable[[Raw, list[Issue]], None] | None:
    """A retired region code counts as this region's only where the street says so; nothing is guessed."""
    rule = mapping.region_rule
    if rule is None:
        return None
    at, own = index[rule.column], mapping.region
    street_at = index[rule.street_column] if rule.street_column else None

    def read(raw: Raw, found: list[Issue]) -> None:
        code = code_text(raw[at])
        if code is None or code == own:
            return
        street = code_text(raw[street_at]) if street_at is not None else None
        kept = rule.retired.get(code)
        whole = RETIRED_CODES.get(code) == own
        if whole or (kept is not None and street in kept):
            found.append(issue("RETIRED_REGION", None, code, "region_rule.retired"))
        else:
            shown = code if street is None else f"{code} {street}"
            found.append(issue("REGION_UNDECIDED", None, shown, "region_rule.retired"))

    return read


def _is_json(value: Any) -> bool:
    """Whether it is a number that JSON has, or nothing."""
    if isinstance(value, int):
        return _INTEGER_MIN <= value <= _INTEGER_MAX
    return value is None or (isinstance(value, float) and isfinite(value))


def _rule_test(rule: QuarantineRule, index: dict[str, int]) -> Callable[[Raw, Row, list[Issue]], None]:
    if isinstance(rule.when, Condition):
        at, column_holds = index[rule.when.column], condition_test(rule.when, index)

        def judge_column(raw: Raw, row: Row, found: list[Issue]) -> None:
            if column_holds(raw):
                found.append(issue("QUARANTINE_RULE", None, text_of(raw[at]), rule.rule))

        return judge_column
    field, holds = rule.when.spec.name, field_test(rule.when)

    def judge_field(raw: Raw, row: Row, found: list[Issue]) -> None:
        if holds(row):
            found.append(issue("QUARANTINE_RULE", field, text_of(row[field]), rule.rule))

    return judge_field


def _secrecy_test(mapping: Mapping, index: dict[str, int], side: SideTables) -> Callable[[Raw], bool]:
    rule = mapping.secrecy
    if rule.column is None:
        return lambda raw: False
    at, opened, lookup = index[rule.column], frozenset(rule.open), rule.lookup
    if lookup is None:
        return lambda raw: text_of(raw[at]) not in opened

    def secret(raw: Raw) -> bool:
        entry = side.lookups[lookup].get(text_of(raw[at]) or "")
        return entry is None or entry[0] not in opened

    return secret
