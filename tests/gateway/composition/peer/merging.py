"""Random subgraphs that declare the same few types, each a little differently: for the merge, where the fuzzer's schemas
agree with each other by design.

Nullability, presence of fields, arguments, values and members, defaults, descriptions, deprecations, tags and what is
inaccessible vary (an inaccessible input field is in all of them, see `test_losses`). Every field is shareable, so that
what differs is merged, or refused with a code.
"""

from __future__ import annotations

from random import Random

from gateway.composition import SubgraphSource

__all__ = ["differing_sources"]

HEAD = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@shareable", "@inaccessible", "@tag"])\n'
)
NAMES = ("a", "b", "c")
FIELDS = ("f1", "f2", "f3", "f4")
TYPES_OF_FIELDS = {"f1": "Int", "f2": "E", "f3": "[String]", "f4": "N"}
TYPES_OF_INPUTS = {"f1": "Int", "f2": "E", "f3": "[String]", "f4": "S"}
VALUES = ("V1", "V2", "V3")
RATES = (0.02, 0.08, 0.25)


def differing_sources(seed: int) -> list[SubgraphSource]:
    random = Random(seed)
    rate = random.choice(RATES)
    names = NAMES[: random.choice((2, 2, 3))]
    return [SubgraphSource(name, f"http://{name}", HEAD + _Writer(random, rate).write()) for name in names]


class _Writer:
    """One subgraph."""

    def __init__(self, random: Random, rate: float) -> None:
        self.random = random
        self.rate = rate
        """How often something differs."""

    def write(self) -> str:
        types = (
            "type Query { t(i: I): T! @shareable n: N @shareable u: U @shareable e: E @shareable }",
            f"type T implements N{self.tags()} @shareable {{ id: ID! {self.fields()} }}",
            "type W implements N @shareable { id: ID! }",
            f"interface N{self.tags()} {{ id: ID{self.null()} }}",
            f"union U{self.tags()} = {' | '.join(self.some(('T', 'W')))}",
            f"enum E{self.tags()} {{ {' '.join(self.value(one) for one in self.some(VALUES))} }}",
            f"input I{self.tags()} {{ {self.inputs()} }}",
            f"scalar S{self.tags()}",
        )
        return "\n".join(f"{self.told()}{type_}" for type_ in types)

    def fields(self) -> str:
        return " ".join(
            f"{self.told()}{name}{self.arguments()}: {self.type(TYPES_OF_FIELDS[name])}{self.tags()}{self.marks()}"
            for name in self.some(FIELDS)
        )

    def arguments(self) -> str:
        """What may be missing has one type, for the peer compares the types of arguments that it leaves out."""
        always = f"{self.told()}x: {self.type('Int')} = {self.default()}{self.tags()}".replace("! =", " =")
        often = f"{self.told()}y: Int{self.null()}{self.tags()}"
        return f"({always})" if self.differs() else f"({always}, {often})"

    def inputs(self) -> str:
        given = [f"{self.told()}{name}: {self.type(TYPES_OF_INPUTS[name])}{self.tags()}" for name in self.some(FIELDS)]
        return " ".join([f"always: Int{self.marks()}", *given, f"also: Int = {self.default()}"])

    def value(self, name: str) -> str:
        return f"{self.told()}{name}{self.tags()}{self.marks()}"

    # What differs

    def differs(self) -> bool:
        return self.random.random() < self.rate

    def some(self, names: tuple[str, ...]) -> list[str]:
        return [name for name in names if not self.differs()] or [names[0]]

    def type(self, name: str) -> str:
        is_other = name == "Int" and self.differs() and self.differs()
        return f"{'Float' if is_other else name}{self.null()}"

    def null(self) -> str:
        return "!" if self.differs() else ""

    def default(self) -> int:
        return 2 if self.differs() and self.differs() else 1

    def told(self) -> str:
        return f'"{self.random.choice(("One thing.", "Another thing."))}" ' if self.differs() else ""

    def tags(self) -> str:
        return f' @tag(name: "{self.random.choice("pq")}")' if self.differs() else ""

    def marks(self) -> str:
        hidden = " @inaccessible" if self.differs() and self.differs() else ""
        deprecated = f' @deprecated(reason: "{self.random.choice("rs")}")' if self.differs() else ""
        return hidden + deprecated
