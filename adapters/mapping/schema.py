"""The JSON Schema (draft 2020-12) of the mapping language, for editors: what the loader itself asks for, written down.

The loader reads `PROBES`, small mappings that between them reach every table, and is watched while it asks for keys
(`toml.Watch`). So no key, bound or default stands here a second time. What a schema cannot say (a password in a url,
an engine that has no joins, a lookup that nobody defines) the loader still says.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from adapters.canonical import CANONICAL_FIELDS, DERIVED, STATUSES
from adapters.kinds import BUILT_IN
from adapters.mapping.expressions.load import OPERATIONS, PARTS_MAX
from adapters.mapping.load import VERSION, parse_mapping
from adapters.mapping.load_parts import CONDITION
from adapters.mapping.load_rules import FIELD_TEST
from adapters.mapping.toml import Ask, MappingError

__all__ = ["json_schema"]

Json: TypeAlias = "dict[str, Any]"
_ANY_NAME = "*"
"""A key of a probe that stands for any name: of a code table, a retired region, a caption."""
_EXPRESSION = "expression"
_HERE = Path("mapping.toml")

# --- probes ---------------------------------------------------------------------------------------------------------

_LISTING = {"table": "t", "key": "k", "name": "n"}
_IN: Json = {"column": "c", "in": ["1"]}
_CONDITIONS: tuple[Json, ...] = (_IN, {"column": "c", "not_in": ["1"]}, {"column": "c", "is": "null"})
_SHORTEST: Json = {
    "mapping": VERSION,
    "region": "330109",
    "store": {"engine": "csv", "url": "x"},
    "secrecy": {"none_because": "x"},
    "key": {"columns": ["c"]},
    "fields": {"name": "c"},
}
_SQL: Json = _SHORTEST | {"store": {"engine": "sqlite", "url": "x"}, "source": {"table": "t"}}
_UNITS = {"months": "usefulLifeMonths", "元": "originalValue accumulatedDepreciation netValue"}
_MAPPED = [name for name in CANONICAL_FIELDS if name not in DERIVED and name != "observedAt"]
_LISTS: Json = {"units": _LISTING, "warehouses": _LISTING | {"kinds": {"1": "PHYSICAL"}}}


def _table_of(name: str, **keys: Any) -> Json:
    unit = next((unit for unit, names in _UNITS.items() if name in names.split()), None)
    return keys | ({} if unit is None else {"unit": unit})


def _fields(**keys: Any) -> Json:
    return {name: _table_of(name, **copy.deepcopy(keys)) for name in _MAPPED}


_OPERATIONS: tuple[Json, ...] = (
    *({name: "c"} for name in ("value", "default", "trim", "width", "upper", "lower", "quantity", "measure_word")),
    *({name: ["c"]} for name in ("first", "coalesce", "concat", "add", "sub")),
    {"case": "c", "of": {"1": "x"}},
    {"case": "c", "of": {"1": "x"}, "otherwise": "c"},
    {"substring": "c"},
    {"substring": "c", "length": 1},
    {"split": "c", "by": "/", "part": 1},
    {"between": "c", "after": "x"},
    {"between": "c", "before": "x"},
    {"extract": "c", "pattern": "#"},
    {"replace": "c", "old": "x"},
    {"mul": "c", "by": "2"},
    {"div": "c", "by": "2"},
    {"div": "c", "by": "2", "places": 2},
    {"date": {"year": "c", "month": "c", "day": "c"}},
)
_FIELD_TESTS: tuple[Json, ...] = (
    {"is": "null"},
    *({key: ["x"]} for key in ("in", "not_in")),
    *({key: "x"} for key in ("lt", "lte", "gt", "gte")),
)


def _probes() -> Iterable[Json]:
    yield _SHORTEST
    yield _SQL | {"fields": {"name": "c", **{name: "c" for name in _MAPPED if _table_of(name) == {}}}} | _LISTS
    yield _SQL | {"fields": _fields(column="c", clean=["trim"])} | _LISTS
    yield _SQL | {"fields": _fields(column="c") | {"name": {"column": "c", "codes": {"1": "x"}}}} | _LISTS
    for name in _MAPPED:
        value = CANONICAL_FIELDS[name].values[:1] or ("true",)
        codes = _table_of(name, column="c", codes={"1": value[0]})
        cases = [[{**condition, "value": _constant(name)}] for condition in _CONDITIONS]
        for mapped in (
            codes,
            _table_of(name, expr="c"),
            _table_of(name, column="c", when=_IN),
            *(_table_of(name, column="c", cases=case) for case in cases),
        ):
            yield _SQL | {"fields": {"name": "c", name: mapped}} | _LISTS
    for condition in _CONDITIONS:
        yield _SQL | {"source": {"table": "t", "rows": [condition]}}
        yield _SQL | {"quarantine": [{"name": "x", "when": condition}]}
    for test in _FIELD_TESTS:
        yield _SQL | {"quarantine": [{"name": "x", "when": {"field": "name"} | test}]}
    for operation in _OPERATIONS:
        kind = "acquiredOn" if "date" in operation else "keeper"
        yield _SQL | {"fields": {"name": "c", kind: {"expr": operation}}}
    lookups: Json = {_ANY_NAME: {"table": "t", "key": "k", "value": "v", "rows": [_IN]}}
    secrecy: Json = {"column": "c", "open": ["1"], "lookup": _ANY_NAME}
    yield _SQL | {"lookups": lookups, "secrecy": secrecy, "class": {"column": "c", "scheme": "2022"}}
    yield _SQL | {"source": {"table": "t", "joins": [{"table": "u", "on": {"id": "c"}}]}}
    yield _SQL | {"region_rule": {"column": "c", "retired": {_ANY_NAME: ["x"]}}}
    write = {"status_column": "s", "version_column": "v", "codes": {STATUSES[0]: "1"}}
    yield _SQL | {"fields": {"name": "c", "version": "v"}, "write": write, "guest": {"rows_per_s": 1, "rows_burst": 1}}
    yield _SHORTEST | {"units": {"from": "rows", "key": "k", "name": "n"}}
    yield _SHORTEST | {"index": {"refresh": "15m", "full": "1d"}}
    indexed = _SQL | {
        "store": {"engine": "sqlite", "url": "x", "mode": "indexed"},
        "capabilities": {"change_feed": True},
    }
    for kind, name in (("updated_at", "updatedAt"), ("version", "version"), ("digest", "name")):
        yield indexed | {"fields": {"name": "c", name: "u"}, "feed": {"by": kind}}
    interface = _SHORTEST | {"store": {"engine": "rest", "url": "http://x"}, "source": {"table": "/x"}}
    for led in ({"by": "page"}, {"by": "cursor", "next_at": "n"}, {"by": "link", "next_at": "n"}):
        yield interface | {"rest": led | {"columns": {_ANY_NAME: ["c"]}}}
    captions = {_ANY_NAME: {"after": "x", "before": "y"}}
    file = {"columns": {"a": "A"}, "captions": captions}
    yield _SHORTEST | {"store": {"engine": "xlsx", "url": "x"}, "file": file}


def _constant(name: str) -> str:
    spec = CANONICAL_FIELDS[name]
    known = {
        "boolean": "true", "date": "2022-01-31", "datetime": "2022-01-31T00:00:00Z", "integer": "60", "decimal": "1"
    }  # fmt: skip
    value = spec.values[0] if spec.values else known.get(spec.kind, "x")
    return "1.00" if name in _UNITS["元"].split() else value


# --- what the loader asks for ---------------------------------------------------------------------------------------


class _Asked:
    def __init__(self) -> None:
        self.keys: dict[str, dict[str, list[Ask]]] = {}
        self._required: dict[str, set[frozenset[str]]] = {}
        """Scope → what had to be there, each way of writing it."""

    def read(self, probe: Json) -> None:
        required: dict[str, set[str]] = {}

        def watch(scope: str, key: str, ask: Ask) -> None:
            asks = self.keys.setdefault(scope, {}).setdefault(key, [])
            if ask not in asks:
                asks.append(ask)
            required.setdefault(scope, set()).update({key} if ask.is_required else ())

        parse_mapping(copy.deepcopy(probe), _HERE, watch)
        for scope, keys in required.items():
            self._required.setdefault(scope, set()).add(frozenset(keys))

    def ways(self, scope: str) -> list[list[str]]:
        """The least sets of keys that must be there: one of them."""
        found = self._required[scope]
        least = [keys for keys in found if not any(other < keys for other in found)]
        return sorted(sorted(keys - {_ANY_NAME}) for keys in least)


def json_schema() -> Json:
    asked = _Asked()
    for probe in _probes():
        asked.read(probe)
    named = [CONDITION, FIELD_TEST, *(scope for scope in asked.keys if scope.startswith(f"{_EXPRESSION}."))]
    top = _table(asked, "")
    top["properties"]["mapping"] = {"const": VERSION}
    top["properties"]["store"]["properties"]["engine"] = {"anyOf": [{"enum": sorted(BUILT_IN)}, {"type": "string"}]}
    top["required"] = _needed(_SHORTEST, ())
    top["properties"]["fields"]["required"] = _needed(_SHORTEST, ("fields",))
    shared = _shared(top["properties"]["fields"]["properties"])
    operations = [{"$ref": f"#/$defs/{_EXPRESSION}.{name}"} for name in OPERATIONS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A mapping of gongwucang: one district's legacy store as canonical asset cards",
        "$comment": "Written by `gwc mapping schema` out of what the loader asks for. The reference: docs/mapping.md.",
        **top,
        "$defs": {
            _EXPRESSION: {"anyOf": [{"type": "string"}, *operations]},
            **{scope: _table(asked, scope) for scope in sorted(named)},
            **shared,
        },
    }


def _shared(fields: Json) -> Json:
    """Puts a reference for each field's form; fields that are written alike share one, named after the first."""
    names: dict[str, str] = {}
    found: Json = {}
    for name, form in fields.items():
        place = names.setdefault(json.dumps(form, sort_keys=True), f"field.{name}")
        found[place] = form
        fields[name] = {"$ref": f"#/$defs/{place}"}
    return found


def _needed(data: Json, path: tuple[str, ...]) -> list[str]:
    """The keys without which the loader refuses a mapping."""
    found = []
    for key in _at(data, path):
        less = copy.deepcopy(data)
        del _at(less, path)[key]
        try:
            parse_mapping(less, _HERE)
        except MappingError:
            found.append(key)
    return found


def _at(data: Json, path: tuple[str, ...]) -> Json:
    for key in path:
        data = data[key]
    return data


# --- as JSON Schema -------------------------------------------------------------------------------------------------


def _table(asked: _Asked, scope: str) -> Json:
    keys = asked.keys[scope]
    found: Json = {"type": "object", "additionalProperties": False}
    if _ANY_NAME in keys:
        found["additionalProperties"] = _value(asked, keys[_ANY_NAME])
    properties = {key: _value(asked, asks) for key, asks in keys.items() if key != _ANY_NAME}
    if properties:
        found["properties"] = properties
    ways = asked.ways(scope)
    if len(ways) > 1:
        may_both = scope.startswith(f"{_EXPRESSION}.")  # an operation's options may stand together
        found["anyOf" if may_both else "oneOf"] = [{"required": way} for way in ways]
    elif ways[0]:
        found["required"] = ways[0]
    return found


def _value(asked: _Asked, asks: list[Ask]) -> Json:
    """Any of the kinds that the key may be; of one kind asked for in several ways, the first."""
    kinds: dict[tuple[str, str], Ask] = {}
    for ask in asks:
        kinds.setdefault((ask.kind, ask.scope), ask)
    forms = [_form(asked, ask) for ask in kinds.values()]
    defaults = [ask.default for ask in asks]
    found = forms[0] if len(forms) == 1 else {"anyOf": forms}
    is_settled = all(default == defaults[0] for default in defaults) and defaults[0] not in (None, "", [])
    minimum = asks[0].minimum
    if is_settled and (minimum is None or defaults[0] >= minimum):
        found["default"] = defaults[0]
    return found


def _form(asked: _Asked, ask: Ask) -> Json:
    text: Json = {"enum": list(ask.choices)} if ask.choices else {"type": "string"}
    match ask.kind:
        case "text":
            return text
        case "flag":
            return {"type": "boolean"}
        case "integer":
            return {"type": "integer", "minimum": ask.minimum, "maximum": ask.maximum}
        case "texts":
            item: Json = text if ask.choices else {"type": ["string", "integer"]}
            return {"anyOf": [item, {"type": "array", "items": item}]}
        case "map":
            return {"type": "object", "additionalProperties": text}
        case "section":
            return _section(asked, ask.scope)
        case "sections":
            return {"type": "array", "items": _section(asked, ask.scope)}
        case "expression":
            return {"$ref": f"#/$defs/{_EXPRESSION}"}
        case "expressions":
            part = {"$ref": f"#/$defs/{_EXPRESSION}"}
            return {"type": "array", "items": part, "minItems": 1, "maxItems": PARTS_MAX}


def _section(asked: _Asked, scope: str) -> Json:
    is_shared = scope in (CONDITION, FIELD_TEST) or scope.startswith(f"{_EXPRESSION}.")
    return {"$ref": f"#/$defs/{scope}"} if is_shared else _table(asked, scope)
