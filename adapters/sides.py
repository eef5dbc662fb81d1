"""Units, warehouses and code tables, out of whatever rows hold them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from adapters.mapping.model import Listing
from adapters.mapping.values import code_text, text_of, trimmed
from contract.uscc import is_valid_uscc

__all__ = ["listing_entries", "lookup_entries"]


def lookup_entries(rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[str | None, str | None]]:
    """(key, value[, label]) rows as key → (value, label). A key with two values decides nothing: it is left out."""
    found: dict[str, tuple[str | None, str | None]] = {}
    unclear: set[str] = set()
    for key, value, *label in rows:
        text = code_text(key)
        if text is None:
            continue
        entry = (code_text(value), trimmed(text_of(label[0])) if label else None)
        if text in found and found[text][0] != entry[0]:
            unclear.add(text)
        found[text] = entry
    for text in unclear:
        del found[text]
    return found


def listing_entries(listing: Listing, rows: Iterable[Map[str, Any]]) -> dict[str, dict[str, Any]]:
    """The list of units or warehouses by native key, in key order. A row without a key is no unit."""
    found: dict[str, dict[str, Any]] = {}
    columns = (listing.key, listing.name, listing.uscc, listing.warehouse_kind, listing.address)
    told: dict[str, list[Any]] = {}
    # A list gathered from asset rows names the same unit in each of them.
    for row in rows:
        cells = [row.get(column) if column else None for column in columns]
        if isinstance(key := cells[0], str):
            if told.get(key) == cells:
                continue
            told[key] = cells
        native = code_text(row.get(listing.key))
        if native is None:
            continue
        name = trimmed(text_of(row.get(listing.name))) or native
        if listing.kind == "units":
            uscc = code_text(row.get(listing.uscc)) if listing.uscc else None
            found[native] = {"native": native, "name": name, "uscc": uscc if uscc and is_valid_uscc(uscc) else None}
        else:
            kind = code_text(row.get(listing.warehouse_kind)) if listing.warehouse_kind else None
            found[native] = {
                "native": native,
                "name": name,
                "kind": listing.kinds.get(kind or "", kind if kind in ("PHYSICAL", "OWN_ROOM") else "OWN_ROOM"),
                "address": trimmed(text_of(row.get(listing.address))) if listing.address else None,
            }
    return dict(sorted(found.items()))
