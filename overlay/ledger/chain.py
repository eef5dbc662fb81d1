"""The hash chain of one lineage: entry n's hash covers its own words and the hash of entry n-1.

The bytes that are hashed are the UTF-8 of a JSON array without blanks: the form's name, then the words in the order of
`_WORDS`. Entries from before forms had names (form 1) lack the name and the class. `docs/ledger.md` shows how to check
both without this program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson

__all__ = ["FORM", "GENESIS", "BrokenChain", "Chain", "entry_hash", "verify"]

GENESIS = "0" * 64
"""What stands for the hash before a lineage's first entry."""
FORM = 2
"""The form in which entries are hashed today."""
_WORDS_1 = (
    "id", "lineage", "sequence", "asset_id", "pair", "movement", "region", "unit", "custody", "quantity", "value",
    "order_id", "at", "previous_hash",
)  # fmt: skip
_WORDS_2 = (*_WORDS_1, "asset_class")
_NAME_2 = "gwc-ledger-entry/2"


class BrokenChain(ValueError):
    """An entry does not follow from the one before it, or is without its counterpart."""


def entry_hash(row: Mapping[str, Any]) -> str:
    words = [row[name] for name in _WORDS_1] if row["form"] == 1 else [_NAME_2, *(row[name] for name in _WORDS_2)]
    return hashlib.sha256(orjson.dumps(words)).hexdigest()


class Chain:
    """Checks one lineage's entries as they come, in order of sequence."""

    def __init__(self) -> None:
        self.hash = GENESIS
        self.sequence = 0
        self._half: Mapping[str, Any] | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises `BrokenChain`."""
        if row["sequence"] != self.sequence + 1 or row["previous_hash"] != self.hash or row["hash"] != entry_hash(row):
            raise BrokenChain(f"entry {row['sequence']} of {row['lineage']} does not follow from the one before it")
        self.sequence, self.hash = row["sequence"], row["hash"]
        if self._half is None:
            self._half = row
            return
        first, self._half = self._half, None
        if first["pair"] != row["pair"] or not _opposite(first, row):
            raise BrokenChain(f"the pair {first['pair']} of {row['lineage']} does not balance")

    def end(self) -> None:
        """Raises `BrokenChain`."""
        if self._half is not None:
            raise BrokenChain(f"the pair {self._half['pair']} of {self._half['lineage']} does not balance")


def verify(rows: Iterable[Mapping[str, Any]]) -> None:
    """Check one lineage's entries, given in order of sequence. Raises `BrokenChain`."""
    chain = Chain()
    for row in rows:
        chain.add(row)
    chain.end()


def _opposite(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if Decimal(one["quantity"]) + Decimal(other["quantity"]) != 0:
        return False
    values = one["value"], other["value"]
    return values == (None, None) or (None not in values and Decimal(values[0]) + Decimal(values[1]) == 0)
