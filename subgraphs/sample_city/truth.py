"""The truth: what a right mapping of each store must yield, written apart from the stores.

`<region>.jsonl.gz` has one object a row of the store; `<region>.units.json` and `<region>.warehouses.json` the two
lists; `summary.json` the sums. Readers of the truth (tests, benchmarks) use `read_truth`.
"""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import orjson

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.pathologies import BLOCKING
from subgraphs.sample_city.shapes.base import Shape, Written, money_text

__all__ = ["Outcome", "RegionTruth", "TruthRow", "read_summary", "read_truth", "write_summary"]

Outcome = Literal["listed", "quarantined", "secret", "ignored"]


@dataclass(frozen=True, slots=True)
class TruthRow:
    outcome: Outcome
    native: str | None
    name: str | None
    row: Mapping[str, Any] | None
    """The canonical row; of listed rows only. Without `version` and `observedAt`."""
    issues: tuple[tuple[str, str | None], ...]
    """(code, field), sorted; of quarantined rows the blocking ones only."""


class RegionTruth:
    """Writes one region's truth while its store is written."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._folder, self._shape = folder, shape
        self._raw = (folder / f"{shape.region}.jsonl.gz").open("wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=3, mtime=0)
        self._file = io.BufferedWriter(cast(io.RawIOBase, self._gzip), 1 << 18)
        self._outcomes: Counter[str] = Counter()
        self._issues: Counter[str] = Counter()
        self._top_classes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._original = self._net = 0
        self._units: set[int] = set()

    def add(self, card: Card, written: Written) -> None:
        native = written.native.strip() or None if written.native is not None else None
        row = None
        issues = sorted(set(card.issues), key=lambda issue: (issue[0], issue[1] or ""))
        if card.outcome == "listed":
            assert native is not None
            row = self._shape.truth(card, native)
            self._sum(card)
        elif card.outcome == "quarantined":
            issues = [issue for issue in issues if issue[0] in BLOCKING]
        else:
            issues = []
        self._issues.update(f"{code}/{field or ''}" for code, field in issues)
        self._write(card.outcome, native, card.name, row, issues)
        for _ in range(written.older_versions):
            self._write("ignored", native, card.name, None, [])

    def _sum(self, card: Card) -> None:
        self._original += card.original
        self._net += card.net
        self._top_classes[card.asset_class.codes["2022"][:3] if card.asset_class else ""] += 1
        self._statuses[card.status or ""] += 1
        if card.unit is not None:
            self._units.add(card.unit.index)

    def _write(self, outcome: str, native: str | None, name: str | None, row: Any, issues: Sequence[Any]) -> None:
        self._outcomes[outcome] += 1
        record = {"outcome": outcome, "native": native, "name": name, "row": row, "issues": issues}
        self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def finish(self, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> dict[str, Any]:
        """Close the files and return the region's part of the summary."""
        self._file.flush()
        self._gzip.close()
        self._raw.close()
        shape = self._shape
        unit_rows = [
            {"native": shape.unit_key(unit), "name": unit.name, "uscc": unit.valid_uscc}
            for unit in units
            if not shape.units_from_rows or unit.index in self._units
        ]
        warehouse_rows = [
            {
                "native": shape.warehouse_key(house),
                "name": house.name,
                "kind": "PHYSICAL" if house.physical else "OWN_ROOM",
                "address": house.address,
            }
            for house in warehouses
        ]
        _dump(self._folder / f"{shape.region}.units.json", unit_rows)
        _dump(self._folder / f"{shape.region}.warehouses.json", warehouse_rows)
        return {
            **{outcome: self._outcomes[outcome] for outcome in ("listed", "quarantined", "secret", "ignored")},
            "originalValue": money_text(self._original),
            "netValue": money_text(self._net),
            "byTopClass": dict(sorted(self._top_classes.items())),
            "byStatus": dict(sorted(self._statuses.items())),
            "issues": dict(sorted(self._issues.items())),
        }


def write_summary(folder: Path, regions: Mapping[str, Mapping[str, Any]]) -> None:
    def fen(text: str) -> int:
        return int(text.replace(".", ""))

    total = {
        **{key: sum(part[key] for part in regions.values()) for key in ("listed", "quarantined", "secret", "ignored")},
        **{key: money_text(sum(fen(part[key]) for part in regions.values())) for key in ("originalValue", "netValue")},
    }
    _dump(folder / "summary.json", {"regions": dict(regions), "total": total})


def read_summary(out: Path) -> dict[str, Any]:
    """The summary of the city in `out`."""
    return cast(dict[str, Any], orjson.loads((out / "truth" / "summary.json").read_bytes()))


def read_truth(out: Path, region: str) -> Iterator[TruthRow]:
    """The truth of one region of the city in `out`, row by row."""
    with gzip.open(out / "truth" / f"{region}.jsonl.gz", "rb") as file:
        for line in file:
            record = orjson.loads(line)
            issues = tuple((code, field) for code, field in record["issues"])
            yield TruthRow(record["outcome"], record["native"], record["name"], record["row"], issues)


def _dump(path: Path, content: Any) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
