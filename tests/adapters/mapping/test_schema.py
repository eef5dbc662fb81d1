"""The published JSON Schema takes what the loader takes, and refuses what a schema can refuse."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from adapters.mapping import MappingError, parse_mapping
from adapters.mapping.expressions.load import OPERATIONS
from adapters.mapping.schema import json_schema
from tests.adapters.mapping.test_fuzz import DATA
from tests.adapters.test_docs import BLOCKS, SHORTEST, documented, merged
from tests.adapters.test_load import GOOD, MAPPINGS, PATH, WRONG

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "schema" / "mapping.schema.json"
SCHEMA: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
SAMPLES = sorted(MAPPINGS.glob("**/*.toml"))

LOADER_ONLY = {
    "store.mode", "store.url", "store.encoding", "guest.hours", "guest.tls", "file.header_row",
    "units.from", "warehouses.from", "write", "write.version_column", "fields.owner", "models.name", "key.columns",
    "fields.netValue", "fields.acquiredOn", "fields.acquiredOn.default", "fields.usefulLifeMonths", "fields.condition.codes",
    "fields.status.lookup", "fields.keeper", "store.engine",
}  # fmt: skip
"""Faults of values and of the whole, which no schema sees: a lookup that nobody defines, an hour that is none, a key
that another engine has, a constant in no canonical form; and an engine may be another package's."""


def errors(data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def test_it_is_up_to_date() -> None:
    assert json_schema() == SCHEMA, "run `gwc mapping schema`"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_a_sample_mapping_is_valid_and_names_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert errors(tomllib.loads(text)) == []
    name = text.partition("\n")[0].removeprefix("#:schema ")
    assert (path.parent / name).resolve() == PUBLISHED


def test_there_are_fourteen() -> None:
    assert len([path for path in SAMPLES if path.parent == MAPPINGS]) == 14


@pytest.mark.parametrize("block", BLOCKS, ids=[block.partition("\n")[0] for block in BLOCKS])
def test_an_example_of_the_reference_is_valid(block: str) -> None:
    data = tomllib.loads(block)
    assert errors(data if "mapping" in data else merged(copy.deepcopy(SHORTEST), data)) == []


@given(DATA)
@settings(max_examples=60, deadline=None)
def test_what_the_loader_takes_is_valid(data: dict[str, Any]) -> None:
    try:
        parse_mapping(data, PATH)
    except MappingError:
        return
    assert errors(data) == []


@pytest.mark.parametrize(("change", "where", "says"), WRONG)
def test_a_wrong_mapping_is_refused(change: Any, where: str, says: str) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    assert bool(errors(data)) != (where in LOADER_ONLY), (where, errors(data))


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"keeper": {"expr": {"joined": ["a"]}}}},
        {"fields": {"keeper": {"expr": {"concat": ["a"], "sep": "/"}}}},
        {"fields": {"keeper": {"expr": {"split": "a"}}}},
        {"fields": {"acquiredOn": {"expr": {"date": {"year": "a"}}}}},
        {"fields": {"status": {"column": "a", "cases": [{"column": "a", "in": ["1"], "value": "AWAY"}]}}},
        {"quarantine": [{"name": "x", "when": {"field": "nmae", "is": "null"}}]},
        {"quarantine": [{"name": "x", "when": {"column": "a", "in": ["1"], "is": "null"}}]},
        {"secrecy": {"column": "a"}},
        {"secrecy": {"column": "a", "open": ["1"], "none_because": "x"}},
        {"source": {"joins": [{"on": {"id": "a"}}]}},
    ],
)
def test_what_else_is_refused(change: dict[str, Any]) -> None:
    data: dict[str, Any] = {**copy.deepcopy(GOOD), **({"secrecy": {}} if "secrecy" in change else {})}
    data = merged(data, copy.deepcopy(change))
    assert errors(data)
    with pytest.raises(MappingError):
        parse_mapping(data, PATH)


def properties(section: str) -> set[str]:
    """The keys that the schema has in a section of the reference."""
    shared = {"Conditions": "condition", "Field conditions": "field_test"}
    form: Any = SCHEMA if section not in shared else SCHEMA["$defs"][shared[section]]
    for step in () if section in shared or section == "The top of the file" else section.split("."):
        form = form["additionalProperties"] if step == "*" else form["properties"][step]
        form = next((item for item in form.get("anyOf", ()) if item.get("type") != "string"), form)
        form = SCHEMA["$defs"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form.get("items", form)
        form = next((item for item in form.get("anyOf", ()) if item.get("type") != "string"), form)
    return set(form["properties"])


@pytest.mark.parametrize("section", [name for name in documented() if name != "fields.*"])
def test_it_has_every_key_of_the_reference(section: str) -> None:
    """The reference is held to the loader, so a key that no probe reaches shows here."""
    everywhere = documented()["fields.*"] if section.startswith("fields.") else set()
    assert properties(section) == documented()[section] | everywhere


def test_it_has_every_operation() -> None:
    assert {name for name in SCHEMA["$defs"] if name.startswith("expression.")} == {
        "expression.date.parts",
        *(f"expression.{name}" for name in OPERATIONS),
    }
