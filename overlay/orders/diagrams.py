"""`docs/flows.md`, drawn from the table of transitions: a diagram and a table of rights for each flow.

`python -m overlay.orders.diagrams` writes the part between the two marks; what stands around it is written by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from overlay.orders.machine import SYSTEM, TRANSITIONS, Transition
from overlay.orders.model import Flow, State

__all__ = ["BEGIN", "END", "drawn", "renewed"]

BEGIN = "<!-- drawn by python -m overlay.orders.diagrams: begin -->"
END = "<!-- end -->"
DOCUMENT = Path(__file__).parents[2] / "docs" / "flows.md"

_NAMES = {
    Flow.LOAN: "借用 LOAN",
    Flow.RETURN: "归还 RETURN",
    Flow.REALLOCATION: "调剂 REALLOCATION",
    Flow.SURRENDER: "上缴 SURRENDER",
    Flow.REPAIR: "维修 REPAIR",
    Flow.DISPOSAL: "处置 DISPOSAL",
    Flow.DONATION: "捐赠 DONATION",
}
_OURSELVES = "the overlay"


def drawn() -> str:
    """All flows, in the order in which they are declared."""
    return "\n".join(line for flow in Flow for line in _flow(flow))


def renewed(document: str) -> str:
    """The document with what is drawn drawn anew. Raises `ValueError` where the marks are missing."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no part between {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{drawn()}\n{END}{tail}"


def _flow(flow: Flow) -> Iterator[str]:
    rows = [row for row in TRANSITIONS if row.flow is flow]
    yield f"## {_NAMES[flow]}"
    yield ""
    yield from _diagram(rows)
    yield ""
    yield from _rights(rows)
    yield ""


def _diagram(rows: list[Transition]) -> Iterator[str]:
    """Moves between two states, with all the commands that make them; what leaves a state as it is stands in the
    table alone."""
    moves: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        source = "[*]" if row.state is None else row.state.value
        for target in row.to:
            if target.value != source:
                moves[source, target.value].append(row.command.value)
    yield "```mermaid"
    yield "stateDiagram-v2"
    for (before, after), commands in moves.items():
        yield f"  {before} --> {after}: {', '.join(dict.fromkeys(commands))}"
    left = {row.state for row in rows}
    ends = dict.fromkeys(state for row in rows for state in row.to if state not in left)
    yield from (f"  {end} --> [*]" for end in ends)
    yield "```"


def _rights(rows: list[Transition]) -> Iterator[str]:
    yield "| state | command | who | then | provided |"
    yield "|---|---|---|---|---|"
    for row in rows:
        who = ", ".join(_OURSELVES if role is SYSTEM else role.value for role in sorted(row.roles))
        yield f"| {_state(row.state)} | {row.command} | {who} | {', '.join(row.to)} | {_words(row.guards)} |"


def _state(state: State | None) -> str:
    return "–" if state is None else state.value


def _words(guards: tuple[str, ...]) -> str:
    return ", ".join(guard.replace("_", " ") for guard in guards)


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
