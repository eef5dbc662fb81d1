"""`make bench-adapters`: pages and a subgraph's answers beside the bare driver, and the building of a local index.

Each figure and its peer are measured in turn in one run. `ROWS` is how large the stores are (1,000,000); `PARTS`
chooses among `sqlite postgresql subgraph csv` (all). The loop is uvloop, by which districts are served.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import uvloop

from adapters.mapping.model import Mapping
from benchmarks.adapters.pages import CASES, GOAL_CASES, Walked, walk
from benchmarks.adapters.stock import drop_folder, fill_postgres, postgres_mapping, sqlite_mapping
from benchmarks.adapters.subgraph import EDGES, NODES, answers
from benchmarks.figures import figure, machine
from tests.services import running_postgres

ROWS = int(os.environ.get("ROWS", "1000000"))
PARTS = os.environ.get("PARTS", "sqlite postgresql subgraph csv").split()
WALKED = GOAL_CASES if os.environ.get("CASES") == "goal" else CASES
"""The cases without a goal read a million rows for a page: minutes."""
GROWTH = 10
"""`csv_index_peak_growth` compares with so many times fewer rows."""
TIMEOUT_S = 120.0
"""A page that sorts a million rows, or the first look at all of them, is slow, not absent."""
Figure = tuple[str, float, str, str, float]


def patient(mapping: Mapping) -> Mapping:
    guest = replace(mapping.store.guest, statement_timeout_s=TIMEOUT_S)
    return replace(mapping, store=replace(mapping.store, guest=guest))


def pages(engine: str, mapping: Mapping) -> Figure:
    """The worst of the cases with a goal; the others are stated."""
    print(f"\n| {engine}, page of 50 | adapter ms | seen before ms | driver ms | SQL by hand ms | adapter ÷ driver |")
    print("|---|---|---|---|---|---|")
    ratios = []
    for case in WALKED:
        walked = uvloop.run(walk(mapping, case))
        ratio = walked.ratio if isinstance(walked, Walked) else float("inf")
        if case in GOAL_CASES:
            ratios.append(ratio)
        shown = _row(walked) if isinstance(walked, Walked) else f"not done: {walked} | | | |"
        print(f"| {case.name}{'' if case in GOAL_CASES else ' (no goal)'} | {shown} |", flush=True)
    return f"page50_vs_driver_{engine}", max(ratios), "x", "<=", 2


def _row(walked: Walked) -> str:
    return " | ".join(
        map(_shown, (walked.adapter_ms, walked.again_ms, walked.driver_ms, walked.by_hand_ms, walked.ratio))
    )


def _shown(value: float | None) -> str:
    return "" if value is None or value == float("inf") else f"{value:.2f}"


def subgraph(mapping: Mapping) -> Figure:
    print(
        "\n| subgraph, 50 assets × 12 fields | answer ms | seen before ms | driver ms | SQL by hand ms | answer ÷ driver |"
    )
    print("|---|---|---|---|---|---|")
    found = {name: uvloop.run(answers(mapping, query)) for name, query in (("nodes", NODES), ("edges", EDGES))}
    for name, one in found.items():
        shown = map(_shown, (one.answer_ms, one.again_ms, one.driver_ms, one.by_hand_ms, one.ratio))
        print(f"| {name}{'' if name == 'nodes' else ' (no goal)'} | {' | '.join(shown)} |")
    return "subgraph_page50_vs_driver", found["nodes"].ratio, "x", "<=", 5


def csv_index() -> list[Figure]:
    few = ROWS // GROWTH
    (_, few_mb), (took_s, peak_mb) = _built(few), _built(ROWS)
    print(f"\nCSV index: {few} rows {few_mb:.0f} MB, {ROWS} rows {peak_mb:.0f} MB, {took_s:.1f} s")
    return [
        ("csv_index_rows_per_s", ROWS / took_s, "rows/s", ">=", 0),
        ("csv_index_peak_mb", peak_mb, "MB", ">=", 0),
        ("csv_index_peak_growth", peak_mb / few_mb, "x", "<=", 1.3),
    ]


def _built(rows: int) -> tuple[float, float]:
    """(seconds, peak MB) of one build. The files are made before, outside of what is measured."""
    drop_folder(rows)
    command = (sys.executable, "-m", "benchmarks.adapters.index", str(rows))
    took_s, peak_mb, _ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(took_s), float(peak_mb)


def main() -> None:
    print(f"{machine()}, {ROWS} rows")
    figures: list[Figure] = []
    if "sqlite" in PARTS:
        figures.append(pages("sqlite", patient(sqlite_mapping(ROWS))))
    if "postgresql" in PARTS:
        with running_postgres() as server:
            uvloop.run(fill_postgres(server.url, ROWS))
            figures.append(pages("postgresql", patient(postgres_mapping(server.url))))
    if "subgraph" in PARTS:
        figures.append(subgraph(patient(sqlite_mapping(ROWS))))
    if "csv" in PARTS:
        figures += csv_index()
    print()
    for one in figures:
        figure(*one)


if __name__ == "__main__":
    main()
