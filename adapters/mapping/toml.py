"""Reading a mapping file strictly: every key is asked for by name, and what nobody asked for is an error.

A `Section` is one TOML table on its way into the mapping's model. Its messages say where (`fields.name.clean`), what
is wrong, and what to change; they are meant for a district's engineer, not for us.

What is asked for can be watched: that is how the language's JSON Schema comes about (`mapping.schema`), without a
second list of its keys.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Ask", "AskKind", "MappingError", "Section", "Watch", "suggest"]

AskKind: TypeAlias = Literal[
    "text", "flag", "integer", "texts", "map", "section", "sections", "expression", "expressions"
]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the loader takes at a key."""

    kind: AskKind
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    is_required: bool = False
    scope: str = ""
    """Of a section: what its own keys are told under."""


Watch: TypeAlias = Callable[[str, str, Ask], None]
"""Told the scope, the key and what is asked for there."""


class MappingError(ValueError):
    """The mapping file is wrong. The message says where, what, and the remedy."""

    def __init__(self, where: str, problem: str, remedy: str = "", file: str = "") -> None:
        self.where, self.problem, self.remedy, self.file = where, problem, remedy, file
        """`file`: its name and the line, where it came out of one."""
        begin = f"{file}: {where}" if file and where else file or where
        super().__init__(f"{begin}: {problem}" + (f" → {remedy}" if remedy else ""))


class Section:
    def __init__(self, data: Any, where: str, watch: Watch | None = None, scope: str | None = None) -> None:
        if not isinstance(data, dict):
            raise MappingError(where, f"this is {_kind(data)}, a table is expected", f"write [{where}] and its keys")
        self.data: dict[str, Any] = data
        self.where = where
        self.scope = _INDEX.sub("[]", where) if scope is None else scope
        """What stands for this kind of table wherever it occurs (conditions, expressions), else its place."""
        self._watch = watch
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def child(self, data: Any, where: str, scope: str | None = None) -> Section:
        """A table that stands inside this one, or in place of it."""
        return Section(data, where, self._watch, scope)

    def tell(self, key: str, kind: AskKind, **more: Any) -> None:
        if self._watch is not None:
            self._watch(self.scope, key, Ask(kind, **more))

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.data

    def text(self, key: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """`choices`, here and below: what it may be, for whoever watches; whoever asks checks it in words of its own."""
        self.tell(key, "text", choices=tuple(choices), default=default, is_required=default is None)
        return self._text(key, default)

    def _text(self, key: str, default: str | None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise MappingError(self.at(key), f"this is {_kind(value)}, a text is expected", f'write {key} = "…"')
        return value

    def maybe_text(self, key: str, choices: Sequence[str] = ()) -> str | None:
        self.tell(key, "text", choices=tuple(choices))
        return self._text(key, None) if self.has(key) else None

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        self.tell(key, "text", choices=tuple(choices), default=default, is_required=default is None)
        value = self._text(key, default)
        if value not in choices:
            raise MappingError(self.at(key), f"{value!r} is not known", suggest(value, choices))
        return value

    def flag(self, key: str, default: bool) -> bool:
        self.tell(key, "flag", default=default)
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise MappingError(
                self.at(key), f"this is {_kind(value)}, true or false is expected", f"write {key} = true (or false)"
            )
        return value

    def integer(self, key: str, default: int, minimum: int = 0, maximum: int = 2**31) -> int:
        self.tell(key, "integer", minimum=minimum, maximum=maximum, default=default)
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise MappingError(
                self.at(key), f"a whole number from {minimum} to {maximum} is expected", f"write {key} = {default}"
            )
        return value

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one. Numbers are taken as their text."""
        self.tell(key, "texts", default=None if default is None else list(default), is_required=default is None)
        return self._texts(key, default)

    def _texts(self, key: str, default: Sequence[str] | None) -> tuple[str, ...]:
        value = self._get(key, None if default is None else list(default))
        values = value if isinstance(value, list) else [value]
        for item in values:
            if not isinstance(item, str | int) or isinstance(item, bool):
                raise MappingError(
                    self.at(key), f"{item!r} is {_kind(item)}, a text is expected", f'write {key} = ["…"]'
                )
        return tuple(str(item) for item in values)

    def choices(self, key: str, choices: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        self.tell(key, "texts", choices=tuple(choices), default=list(default))
        values = self._texts(key, default)
        for value in values:
            if value not in choices:
                raise MappingError(self.at(key), f"{value!r} is not known", suggest(value, choices))
        return values

    def text_map(self, key: str, choices: Sequence[str] = ()) -> dict[str, str]:
        self.tell(key, "map", choices=tuple(choices))
        self._asked.add(key)
        section = Section(self.data.get(key, {}), self.at(key))
        return {name: section.text(name) for name in section.data}

    def section(self, key: str, scope: str | None = None) -> Section:
        self._asked.add(key)
        found = self.child(self.data.get(key, {}), self.at(key), scope)
        self.tell(key, "section", scope=found.scope)
        return found

    def sections(self, key: str, scope: str | None = None) -> Iterator[Section]:
        """The tables of a list `[[key]]` (or `key = [{…}]`)."""
        self._asked.add(key)
        self.tell(key, "sections", scope=_INDEX.sub("[]", f"{self.at(key)}[0]") if scope is None else scope)
        items = self.data.get(key, [])
        if not isinstance(items, list):
            raise MappingError(
                self.at(key), f"this is {_kind(items)}, a list of tables is expected", f"write [[{key}]]"
            )
        for number, item in enumerate(items):
            yield self.child(item, f"{self.at(key)}[{number}]", scope)

    def raw(self, key: str) -> Any:
        self._asked.add(key)
        return self.data.get(key)

    def done(self) -> None:
        """Refuses every key that was not asked for."""
        for key in self.data:
            if key not in self._asked:
                raise MappingError(self.at(key), "this key is not known here", suggest(key, sorted(self._asked)))

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self.data.get(key, default)
        if value is None:
            raise MappingError(
                self.at(key), "this key is missing", f"add {key} to [{self.where or 'the top of the file'}]"
            )
        return value


_INDEX = re.compile(r"\[\d+\]")


def suggest(value: str, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(value, choices, n=1)
    listed = ", ".join(choices)
    return f"did you mean {near[0]!r}? Known: {listed}" if near else f"known: {listed}"


def _kind(value: Any) -> str:
    names = {str: "a text", int: "a number", float: "a number", bool: "true/false", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)
