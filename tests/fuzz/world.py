"""What the world behind a split schema is like: where there are nulls, what fails, which entities a subgraph lacks.

Only that may fail whose failure costs the same in one schema as in many: no key, nothing that is required or provided.
A field that must not be null takes its object along, and with it what others require of that object, or what was asked
for on objects of another type at the same path; so these fail only where neither is in play.
"""

from __future__ import annotations

from tests.fuzz.split import Splitter
from tests.fuzz.whole import chance, some, top_fields
from tests.gateway.planning.support.universe import Data

__all__ = ["World"]


class World:
    def __init__(self, at: Splitter) -> None:
        self.at = at

    def make(self) -> Data:
        random = self.at.random
        faults: list[str] = []
        missing: list[str] = []
        if chance(random, 35):
            faults = some(random, self.may_fail(), 0, 3)
        if chance(random, 25):
            missing = some(random, self.may_miss(), 0, 1)
        return Data(chance(random, 80), frozenset(faults), frozenset(missing))

    def may_fail(self) -> list[str]:
        found: dict[str, None] = {}
        for graph in self.at.graphs.values():
            for mine in graph.types.values():
                for name in mine.fields if mine.kind == "object" and not mine.is_interface_object else ():
                    key = name in self.at.whole.key_fields(mine.name) or name == "slug"
                    takes_along = mine.fields[name].type.endswith("!") and mine.name not in ("Query", "Mutation")
                    if takes_along and not self.stays_alone():
                        continue
                    if not key and (mine.name, name) not in self.at.required:
                        found[f"{mine.name}.{name}"] = None
        return list(found)

    def stays_alone(self) -> bool:
        types = [one for graph in self.at.graphs.values() for one in graph.types.values()]
        read = [told for one in types for each in one.fields.values() for told in each.terms.values()]
        return all(one.kind == "object" for one in types) and all(
            "{" not in text for text in (*read, *(key for one in types for key in one.keys))
        )

    def may_miss(self) -> list[str]:
        """Entities that a subgraph may not know without anybody else losing the way to them, or their type."""
        found = []
        for graph, mine in self.at.entities():
            others = [its for other, its in self.at.entities() if its.name == mine.name and other is not graph]
            keys = {name for its in (mine, *others) for key in its.keys for name in top_fields(key)}
            own = [name for name in mine.fields if name not in keys]
            alone = all(self.at.havers(mine.name, name) == [graph.name] for name in own)
            free = all((mine.name, name) not in self.at.required for name in own)
            reached = all(set(mine.keys) == set(its.keys) for its in others) and len(mine.keys) == 1
            told = any(mine.name in self.at.whole.types[each].members for each in self.at.objects.values())
            if own and alone and free and reached and not told:
                found.append(f"{graph.name}/{mine.name}")
        return found
