"""Single fields of a split schema are put on other terms: required, provided, overridden, hidden.

Each step leaves the whole as it was: what a field is worth stays the same, only who is asked for it, and with what,
changes.
"""

from __future__ import annotations

from tests.fuzz.model import GField, Graph, GType
from tests.fuzz.split import Splitter
from tests.fuzz.whole import Field, chance, some

__all__ = ["Terms"]


class Terms:
    def __init__(self, at: Splitter) -> None:
        self.at = at

    def settle(self) -> None:
        for step in (self.require, self.provide, self.override, self.tighten, self.hide):
            step()
            self.at.complete()

    def require(self) -> None:
        for graph, mine in self.at.entities():
            for one in list(mine.fields.values()):
                if self.is_free(mine.name, one) and any(mine.keys.values()) and chance(self.at.random, 30):
                    self.require_for(graph, mine, one)

    def is_free(self, type_name: str, one: GField) -> bool:
        """A plain field with one owner that nothing has been done to."""
        coordinate = (type_name, one.name)
        return (
            not one.terms
            and coordinate not in self.at.fixed
            and one.name not in self.at.whole.key_fields(type_name)
            and len(self.at.havers(type_name, one.name)) == 1
        )

    def require_for(self, graph: Graph, mine: GType, one: GField) -> None:
        texts: list[str] = []
        needed = self.at.leaning.setdefault((mine.name, one.name), set())
        for _ in range(self.at.random.randint(1, 2)):
            text = self.requirement(graph, mine, one.name, needed, [_name(each) for each in texts])
            if text is not None:
                texts.append(text)
        if texts:
            one.terms["requires"] = 'fields: "' + " ".join(texts).replace('"', '\\"') + '"'
            self.at.fixed.add((mine.name, one.name))

    def requirement(
        self, graph: Graph, mine: GType, for_field: str, needed: set[tuple[str, str]], taken: list[str]
    ) -> str | None:
        """One field of another subgraph, made external here, with what is read below it."""
        candidates = [
            each
            for each in self.at.whole.types[mine.name].fields.values()
            if each.name not in ("kt", "kv", *taken)
            and self.is_foreign(mine, each.name)
            and not self.leans((mine.name, each.name), (mine.name, for_field))
            and self.at.may_have(graph.name, each.target)
        ]
        if not candidates:
            return None
        chosen = self.at.random.choice(candidates)
        was_here = chosen.name in mine.fields
        self.external(graph, mine, chosen)
        below = ""
        if not self.at.whole.is_leaf(chosen):
            found = self.selected_below(graph, chosen.target, (mine.name, for_field))
            if found is None:
                if not was_here:
                    del mine.fields[chosen.name]
                return None
            below = f" {{ {found} }}"
        needed.add((mine.name, chosen.name))
        self.at.required.add((mine.name, chosen.name))
        return f"{chosen.name}{self.arguments(chosen)}{below}"

    def is_foreign(self, mine: GType, name: str) -> bool:
        """Whether others have the field, and this subgraph at most as external."""
        present = mine.fields.get(name)
        return (present is None or "external" in present.terms) and bool(self.at.havers(mine.name, name))

    def leans(self, one: tuple[str, str], on: tuple[str, str]) -> bool:
        return one == on or any(self.leans(each, on) for each in self.at.leaning.get(one, ()))

    def external(self, graph: Graph, mine: GType, chosen: Field) -> None:
        if chosen.name not in mine.fields:
            mine.fields[chosen.name] = GField(
                chosen.name, chosen.type, chosen.target, chosen.arguments, {"external": ""}
            )
            self.at.need(graph.name, chosen.target)

    def arguments(self, one: Field) -> str:
        if not one.arguments:
            return ""
        if "e:" in one.arguments:
            return f"(e: {self.at.random.choice(['A', 'B'])})"
        if "n:" in one.arguments:
            return self.at.random.choice(["", "(n: 1)", "(n: 2)"])
        if "s:" in one.arguments:
            return self.at.random.choice(["", '(s: "y")'])
        return self.at.random.choice(["", "(l: [1, 2])"])

    def selected_below(self, graph: Graph, target: str, on_behalf: tuple[str, str]) -> str | None:
        """Something of an object that another subgraph gives, as this one knows it."""
        self.at.need(graph.name, target)
        mine = graph.types[target]
        one = self.at.whole.types[target]
        if mine.is_interface_object:
            return "id"
        if mine.kind in ("union", "interface"):
            members = (
                mine.members
                if mine.kind == "union"
                else [each.name for each in graph.types.values() if mine.name in each.interfaces]
            )
            parts = []
            for name in some(self.at.random, members, 1, 2):
                inner = self.selected_below(graph, name, on_behalf)
                if inner is not None:
                    parts.append(f"... on {name} {{ {inner} }}")
            return " ".join(parts) or None
        names = [
            each.name
            for each in mine.fields.values()
            if self.at.whole.is_leaf(one.fields[each.name]) and not each.arguments and "requires" not in each.terms
        ]
        if one.kind == "entity" and chance(self.at.random, 40):
            names += self.foreign_leaves(graph, mine)
        names = [name for name in names if not self.leans((target, name), on_behalf)]
        if not names:
            return None
        chosen = some(self.at.random, names, 1, 2)
        for name in chosen:
            if name not in mine.fields:
                self.external(graph, mine, one.fields[name])
            self.at.leaning[on_behalf].add((target, name))
            self.at.required.add((target, name))
        return " ".join(chosen)

    def foreign_leaves(self, graph: Graph, mine: GType) -> list[str]:
        """Leaf fields of the entity that only others have, and that require nothing."""
        one = self.at.whole.types[mine.name]
        return [
            each.name
            for each in one.fields.values()
            if each.name not in mine.fields
            and self.at.whole.is_leaf(each)
            and not each.arguments
            and (mine.name, each.name) not in self.at.leaning
            and self.at.havers(mine.name, each.name)
            and self.is_plain(mine.name, each.name)
        ]

    def is_plain(self, type_name: str, name: str) -> bool:
        """Whether whoever has the field has it as a field of the very type."""
        return (type_name, name) not in self.at.fixed

    def provide(self) -> None:
        for graph in self.at.graphs.values():
            for mine in list(graph.types.values()):
                if mine.kind != "object" or mine.is_interface_object:
                    continue
                for one in list(mine.fields.values()):
                    if one.target in self.at.whole.types and not one.terms and chance(self.at.random, 25):
                        self.provide_for(graph, mine, one)

    def provide_for(self, graph: Graph, mine: GType, one: GField) -> None:
        text = self.provided_below(graph, one.target)
        if text is None:
            return
        one.terms["provides"] = f'fields: "{text}"'
        self.at.required.add((mine.name, one.name))

    def external_leaves(self, mine: GType) -> list[str]:
        """What is external here already, for some other reason."""
        one = self.at.whole.types[mine.name]
        return [
            each.name
            for each in mine.fields.values()
            if "external" in each.terms
            and not each.arguments
            and self.at.whole.is_leaf(one.fields[each.name])
            and (mine.name, each.name) not in self.at.leaning
            and self.is_plain(mine.name, each.name)
        ]

    def provided_below(self, graph: Graph, target: str) -> str | None:
        target_type = graph.types[target]
        if target_type.is_interface_object:
            return None
        if target_type.kind in ("union", "interface"):
            members = (
                target_type.members
                if target_type.kind == "union"
                else [each.name for each in graph.types.values() if target in each.interfaces]
            )
            name = self.at.random.choice(members)
            inner = self.provided_below(graph, name)
            return None if inner is None else f"... on {name} {{ {inner} }}"
        names = self.foreign_leaves(graph, target_type) + self.external_leaves(target_type)
        if self.at.whole.types[target].kind != "entity" or not names:
            return None
        chosen = some(self.at.random, names, 1, 2)
        for name in chosen:
            self.external(graph, target_type, self.at.whole.types[target].fields[name])
            self.at.required.add((target, name))
            self.at.fixed.add((target, name))
            self.at.split_.shareable.add((target, name))
        return " ".join(chosen)

    def override(self) -> None:
        labels: set[str] = set()
        for graph, mine in list(self.at.entities()):
            for one in list(mine.fields.values()):
                others = [
                    other
                    for other, its in self.at.entities()
                    if other is not graph
                    and its.name == mine.name
                    and one.name not in its.fields
                    and any(its.keys.values())
                    and self.at.may_have(other.name, one.target)
                ]
                if others and self.is_free(mine.name, one) and chance(self.at.random, 15):
                    self.override_by(self.at.random.choice(others), graph, mine, one, labels)
        self.at.split_.labels = frozenset(some(self.at.random, sorted(labels), 0))

    def override_by(self, other: Graph, graph: Graph, mine: GType, one: GField, labels: set[str]) -> None:
        terms = f'from: "{graph.name}"'
        if chance(self.at.random, 50) and len(labels) < 2:
            label = f"l{len(labels)}"
            labels.add(label)
            terms += f', label: "{label}"'
        other.types[mine.name].fields[one.name] = GField(
            one.name, one.type, one.target, one.arguments, {"override": terms}
        )
        self.at.fixed.add((mine.name, one.name))
        self.at.required.add((mine.name, one.name))
        self.at.need(other.name, one.target)

    def tighten(self) -> None:
        """One of those who share a field promises more than the others."""
        for _, mine in self.at.entities():
            for one in mine.fields.values():
                promised = self.is_promised(mine.name, one.name) or self.is_external_somewhere(mine.name, one.name)
                shared = len(self.at.havers(mine.name, one.name)) > 1 and not one.terms and not promised
                if shared and not one.type.endswith("!") and chance(self.at.random, 30):
                    one.type += "!"
                    self.at.required.add((mine.name, one.name))

    def is_promised(self, type_name: str, name: str) -> bool:
        return any(name in one.fields for one in self.at.whole.interfaces_of(type_name))

    def is_external_somewhere(self, type_name: str, name: str) -> bool:
        return any(
            "external" in its.fields[name].terms
            for _, its in self.at.entities()
            if its.name == type_name and name in its.fields
        )

    def hide(self) -> None:
        for _, mine in self.at.entities():
            for one in mine.fields.values():
                promised = self.is_promised(mine.name, one.name)
                if not promised and not one.terms and one.name.startswith("f") and chance(self.at.random, 4):
                    self.at.split_.hidden.add((mine.name, one.name))
                    one.terms["inaccessible"] = ""


def _name(text: str) -> str:
    return text.partition("(")[0].partition(" ")[0]
