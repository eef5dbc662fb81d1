"""`@link` (and its elder, `@core`): which specifications a schema speaks, and under which names.

A link says that names of a foreign specification mean what that specification says they mean: `@link(url:
"https://specs.apollo.dev/join/v0.5", for: EXECUTION)` makes `join__Graph` and `@join__type` the join spec's. An
import brings a name in without its prefix (`import: ["@key", {name: "@tag", as: "@label"}]`), `as:` renames the
prefix. Supergraphs and subgraphs are read by the same code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    EnumValueNode,
    ListValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    ValueNode,
)

__all__ = [
    "APOLLO",
    "HORIZONTAL",
    "Link",
    "LinkIdentifierProblem",
    "LinkProblem",
    "Version",
    "argument",
    "find_link",
    "read_links",
    "schema_directives",
    "schema_nodes",
    "string_argument",
]

APOLLO = "https://specs.apollo.dev"
"""Where the published specifications (link, join, federation, inaccessible, tag) have their identities."""
HORIZONTAL = "https://specs.gongwucang.dev/horizontal"
"""Identity of the specification of partitioned graphs."""

Version: TypeAlias = tuple[int, int]

_URL = re.compile(r"^(?P<identity>.*?/?(?P<name>[A-Za-z][A-Za-z0-9_-]*))(?:/v(?P<major>\d+)\.(?P<minor>\d+))?/?$")


class LinkProblem(ValueError):
    """A link that cannot be read; `node` is where."""

    def __init__(self, message: str, node: ConstDirectiveNode) -> None:
        super().__init__(message)
        self.node = node


class LinkIdentifierProblem(LinkProblem):
    """Its URL is no specification's."""


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    identity: str
    """The url without its version."""
    name: str
    """The specification's own name, the last part of the identity."""
    version: Version | None
    prefix: str
    """What its names begin with here: `as:`, else its name."""
    imports: Mapping[str, str] = field(default_factory=dict)
    """Element (`@key`, `FieldSet`) → its name here, also with `@`."""
    purpose: str | None = None
    """`for:`: SECURITY or EXECUTION; None: a reader may ignore it."""
    node: ConstDirectiveNode | None = None

    def directive(self, element: str) -> str:
        """The name under which the specification's directive stands here."""
        imported = self.imports.get(f"@{element}")
        if imported is not None:
            return imported[1:]
        return self.prefix if element == self.name else f"{self.prefix}__{element}"

    def type(self, element: str) -> str:
        return self.imports.get(element, f"{self.prefix}__{element}")

    def owns_directive(self, name: str) -> bool:
        return name == self.prefix or name.startswith(f"{self.prefix}__") or f"@{name}" in self.imports.values()

    def owns_type(self, name: str) -> bool:
        return name.startswith(f"{self.prefix}__") or name in self.imports.values()


def schema_nodes(document: DocumentNode) -> Iterator[SchemaDefinitionNode | SchemaExtensionNode]:
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            yield definition


def schema_directives(document: DocumentNode) -> Iterator[ConstDirectiveNode]:
    for node in schema_nodes(document):
        yield from node.directives or ()


def read_links(document: DocumentNode) -> tuple[Link, ...]:
    """All links of a schema, in the order of the file; raises `LinkProblem` for one that makes no sense."""
    directives = list(schema_directives(document))
    link_name, argument_name = _bootstrap(directives)
    return tuple(_read(node, argument_name) for node in directives if node.name.value == link_name)


def find_link(links: Iterable[Link], identity: str) -> Link | None:
    return next((link for link in links if link.identity == identity), None)


def _bootstrap(directives: list[ConstDirectiveNode]) -> tuple[str, str]:
    """The name of the link directive itself: it may rename itself, and old supergraphs call it `@core`."""
    for node in directives:
        for argument_name, spec in (("url", "link"), ("feature", "core")):
            url = string_argument(node, argument_name)
            if url is None or not url.startswith(f"{APOLLO}/{spec}/"):
                continue
            if (string_argument(node, "as") or spec) == node.name.value:
                return node.name.value, argument_name
    return "link", "url"


def _read(node: ConstDirectiveNode, argument_name: str) -> Link:
    url = string_argument(node, argument_name)
    if url is None:
        raise LinkProblem(f'@{node.name.value} needs "{argument_name}", the specification\'s URL.', node)
    parts = _URL.match(url)
    if parts is None:
        raise LinkIdentifierProblem(f'"{url}" is not the URL of a specification.', node)
    version = (int(parts["major"]), int(parts["minor"])) if parts["major"] else None
    purpose = argument(node, "for")
    return Link(
        url=url,
        identity=parts["identity"],
        name=parts["name"],
        version=version,
        prefix=string_argument(node, "as") or parts["name"],
        imports=_imports(node),
        purpose=purpose.value if isinstance(purpose, EnumValueNode) else None,
        node=node,
    )


def _imports(node: ConstDirectiveNode) -> dict[str, str]:
    value = argument(node, "import")
    if value is None:
        return {}
    if not isinstance(value, ListValueNode):
        raise LinkProblem('"import" is a list of names.', node)
    found: dict[str, str] = {}
    for entry in value.values:
        element, local = _import(entry, node)
        found[element] = local
    return found


def _import(entry: ValueNode, node: ConstDirectiveNode) -> tuple[str, str]:
    if isinstance(entry, StringValueNode):
        return entry.value, entry.value
    if isinstance(entry, ObjectValueNode):
        fields = {one.name.value: one.value for one in entry.fields}
        name, local = fields.get("name"), fields.get("as")
        if isinstance(name, StringValueNode) and (local is None or isinstance(local, StringValueNode)):
            renamed = local.value if local is not None else name.value
            if name.value.startswith("@") != renamed.startswith("@"):
                raise LinkProblem(f'"{name.value}" cannot be imported as "{renamed}": one has an @, one not.', node)
            return name.value, renamed
    raise LinkProblem('An import is a name or {name: "@element", as: "@other"}.', node)


def argument(node: ConstDirectiveNode, name: str) -> ValueNode | None:
    return next((one.value for one in node.arguments or () if one.name.value == name), None)


def string_argument(node: ConstDirectiveNode, name: str) -> str | None:
    value = argument(node, name)
    return value.value if isinstance(value, StringValueNode) else None
