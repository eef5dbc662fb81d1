"""The smallest thing that runs a plan: for tests of planning, slow and strict.

Every operation is validated by the subgraph that gets it; any error fails the test. Scattered fetches are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, assert_never

from graphql import GraphQLSchema, execute_sync, graphql_sync, parse, parse_type, validate

from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    Node,
    OutputField,
    OutputSelection,
    Parallel,
    QueryPlan,
    RequiredSelection,
    ScatterFetch,
    Sequence,
    Subscription,
)

__all__ = ["Interpreter"]

Data = dict[str, Any]


class Interpreter:
    def __init__(self, schema: GraphQLSchema, subgraph: Callable[[str], GraphQLSchema]) -> None:
        self.schema = schema
        self.subgraph = subgraph
        self.fetches: list[Fetch | BatchFetch] = []

    def answer(self, plan: QueryPlan, variables: Mapping[str, Any]) -> Data:
        data: Data = {}
        if plan.root is not None:
            self.run(plan.root, data, dict(variables))
        introspected: Data = {}
        if plan.introspection is not None:
            result = graphql_sync(self.schema, plan.introspection, variable_values=dict(variables))
            assert not result.errors, result.errors
            introspected = result.data or {}
        root = self.schema.get_root_type(parse(plan.operation_kind + "{a}").definitions[0].operation)  # type: ignore[attr-defined]
        assert root is not None
        return self.project(plan.output, data, root.name, variables, introspected)

    # Fetching

    def run(self, node: Node, data: Data, variables: Data) -> None:
        match node:
            case Fetch():
                merge(data, self.send(node, variables))
            case Flatten():
                assert isinstance(node.node, Fetch)
                self.entities(node.path, node.node, data, variables)
            case BatchFetch():
                self.batch(node, data, variables)
            case Sequence() | Parallel():
                for one in node.nodes:
                    self.run(one, data, variables)
            case Condition():
                branch = node.if_true if variables[node.variable] else node.if_false
                if branch is not None:
                    self.run(branch, data, variables)
            case Subscription():
                self.run(node.primary, data, variables)
                if node.rest is not None:
                    self.run(node.rest, data, variables)
            case ScatterFetch():
                raise AssertionError("this interpreter has no members")
            case _:
                assert_never(node)

    def batch(self, node: BatchFetch, data: Data, variables: Data) -> None:
        found: dict[str, list[tuple[Data, Data]]] = {}
        for part in node.parts:
            objects = [one for path in part.paths for one in at_path(data, path)]
            pairs = [(one, self.representation(part.requires, one)) for one in objects]
            found[part.alias] = [(one, built) for one, built in pairs if built is not None]
        if not any(found.values()):
            return
        sent = {part.variable: [built for _, built in found[part.alias]] for part in node.parts}
        answer = self.send(node, {**variables, **sent}, tuple(sent))
        for alias, pairs in found.items():
            for (one, _), entity in zip(pairs, answer[alias], strict=True):
                if entity is not None:
                    merge(one, entity)

    def send(self, fetch: Fetch | BatchFetch, variables: Data, representations: tuple[str, ...] = ()) -> Data:
        schema = self.subgraph(fetch.graph)
        document = parse(fetch.operation)
        errors = validate(schema, document)
        assert not errors, f"{fetch.graph} refuses {fetch.operation}\n{errors}"
        self.fetches.append(fetch)
        sent = {name: variables[name] for name in fetch.variables if name in variables}
        sent.update((name, variables[name]) for name in representations)
        result = execute_sync(schema, document, variable_values=sent, root_value=None)
        assert not result.errors, f"{fetch.graph}: {fetch.operation}\n{result.errors}"
        return result.data or {}

    def entities(self, path: tuple[str, ...], fetch: Fetch, data: Data, variables: Data) -> None:
        objects: list[Data] = []
        representations: list[Data] = []
        for one in at_path(data, path):
            built = self.representation(fetch.requires, one)
            if built is not None:
                objects.append(one)
                representations.append(built)
        if objects:
            name = fetch.representations_variable
            answer = self.send(fetch, {**variables, name: representations}, (name,))
            for one, entity in zip(objects, answer["_entities"], strict=True):
                if entity is not None:
                    merge(one, entity)

    def representation(self, requires: tuple[RequiredSelection, ...], one: Data) -> Data | None:
        built: Data = {}
        for selection in requires:
            if "__typename" in one and self.matches(selection.type_condition, one["__typename"]):
                if not self.read(selection, one, built):
                    return None
                built["__typename"] = selection.send_typename
        return built or None

    def matches(self, condition: str, name: str) -> bool:
        kind, own = self.schema.type_map[condition], self.schema.type_map[name]
        return condition == name or (hasattr(kind, "resolve_type") and self.schema.is_sub_type(kind, own))  # type: ignore[arg-type]

    def read(self, selection: RequiredSelection, one: Data, into: Data) -> bool:
        for field in selection.fields:
            if field.source not in one:
                return False
            value = one[field.source]
            into[field.name] = self.nested(field.selections, value) if field.selections else value
        return True

    def nested(self, selections: tuple[RequiredSelection, ...], value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self.nested(selections, one) for one in value]
        built: Data = {}
        for selection in selections:
            if "__typename" not in value or self.matches(selection.type_condition, value["__typename"]):
                assert self.read(selection, value, built), f"{value!r} lacks what {selection} needs"
                if selection.send_typename:
                    built["__typename"] = value["__typename"]
        return built

    # Shaping

    def project(
        self, output: OutputSelection, data: Data, static: str, variables: Mapping[str, Any], introspected: Data
    ) -> Data:
        name = data.get("__typename", static)
        found: Data = {}
        for one in output.fields:
            if any(bool(variables[variable]) is not wanted for variable, wanted in one.conditions):
                continue
            if one.types is not None and name not in one.types:
                assert not hasattr(self.schema.type_map[name], "resolve_type"), f"{name} is no object's type"
                continue
            assert one.key not in found, f"two entries of {one.key} hold at once"
            found[one.key] = self.field(one, data, name, variables, introspected)
        return found

    def field(self, one: OutputField, data: Data, name: str, variables: Mapping[str, Any], introspected: Data) -> Any:
        if one.meta == "introspection":
            return introspected[one.key]
        if one.meta is not None:
            assert not hasattr(self.schema.type_map[name], "resolve_type"), f"{name} is no object's type"
            return name
        assert one.source in data, f"nobody fetched {one.source} of {name}"
        value = data[one.source]
        if one.selection is None:
            return value
        inner = str(parse_type(one.type.replace("[", "").replace("]", "").replace("!", "")).name.value)  # type: ignore[union-attr]
        return self.shaped(one.selection, value, inner, variables, introspected)

    def shaped(
        self, selection: OutputSelection, value: Any, static: str, variables: Mapping[str, Any], introspected: Data
    ) -> Any:
        if isinstance(value, list):
            return [self.shaped(selection, one, static, variables, introspected) for one in value]
        if value is None:
            return None
        return self.project(selection, value, static, variables, introspected)


def at_path(data: Any, path: tuple[str, ...]) -> Iterator[Data]:
    if data is None:
        return
    if not path:
        yield data
    elif path[0] == "@":
        for one in data:
            yield from at_path(one, path[1:])
    elif isinstance(data, dict) and path[0] in data:
        yield from at_path(data[path[0]], path[1:])


def merge(target: Data, source: Data) -> None:
    for key, value in source.items():
        mine = target.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            merge(mine, value)
        elif isinstance(mine, list) and isinstance(value, list):
            merge_lists(mine, value)
        else:
            assert key == "__typename" or mine is None or mine == value, f"{key}: {mine!r} became {value!r}"
            target[key] = value


def merge_lists(target: list[Any], source: list[Any]) -> None:
    assert len(target) == len(source)
    for place, value in enumerate(source):
        if isinstance(target[place], dict) and isinstance(value, dict):
            merge(target[place], value)
        elif isinstance(target[place], list) and isinstance(value, list):
            merge_lists(target[place], value)
        else:
            target[place] = value
