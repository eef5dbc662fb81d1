"""What is wrong with legacy data: issue codes, and the kinds of bad rows the generator plants.

A *kind* says what a card suffers from. `afflict` gives the card the canonical consequence (a null field, an issue, an
outcome); the shape that writes it down decides how the cause looks in its own columns. docs/data-quality.md tells
what each code means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from random import Random

from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.classes import Scheme

__all__ = ["BLOCKING", "ISSUES", "afflict", "plan_kinds"]

ISSUES: dict[str, bool] = {
    "ZERO_DATE": False,
    "PARTIAL_DATE": False,
    "INVALID_DATE": False,
    "FUTURE_DATE": False,
    "UNKNOWN_CODE": False,
    "CLASS_MISSING": False,
    "CLASS_UNTRANSLATABLE": False,
    "NAME_IS_CLASS": False,
    "NAME_MISSING": False,
    "MOJIBAKE": False,
    "QUANTITY_IN_NAME": False,
    "NEGATIVE_NET": False,
    "DEPRECIATION_EXCEEDS_ORIGINAL": False,
    "DUPLICATE_CODE": False,
    "INVALID_USCC": False,
    "RETIRED_REGION": False,
    "REGION_UNDECIDED": True,
    "UNMAPPABLE_AMOUNT": True,
    "EMPTY_KEY": True,
    "DUPLICATE_KEY": True,
    "MALFORMED_ROW": True,
}
"""Issue code → whether it keeps the row from being listed."""
BLOCKING = frozenset(code for code, blocking in ISSUES.items() if blocking)

_PAIRED = frozenset({"duplicate_code", "duplicate_key"})
_LISTED_SHARE, _BLOCKING_SHARE, _SECRET_SHARE, _IGNORED_SHARE = 300, 500, 40, 15
"""One row in so many is of each such kind (secret and ignored: of all such kinds together)."""


def plan_kinds(
    listed: int,
    listed_kinds: tuple[str, ...],
    blocking_kinds: tuple[str, ...],
    secret_kinds: tuple[str, ...],
    ignored_kinds: tuple[str, ...],
    rng: Random,
) -> Iterator[tuple[str | None, int]]:
    """Every row's (kind, ordinal in its kind), shuffled: exactly `listed` of them will be listed."""
    plan: list[str | None] = []
    for kind in listed_kinds:
        plan += [kind] * _count(kind, listed // _LISTED_SHARE)
    if len(plan) > listed:
        raise ValueError(f"{listed} rows are too few for {len(listed_kinds)} kinds")
    plan += [None] * (listed - len(plan))
    for kind in blocking_kinds:
        plan += [kind] * _count(kind, listed // _BLOCKING_SHARE)
    for kinds, share in ((secret_kinds, _SECRET_SHARE), (ignored_kinds, _IGNORED_SHARE)):
        if kinds:
            plan += [kinds[index % len(kinds)] for index in range(max(2 * len(kinds), listed // share))]
    rng.shuffle(plan)
    ordinals: dict[str | None, int] = {}
    for planned in plan:
        ordinal = ordinals.get(planned, 0)
        ordinals[planned] = ordinal + 1
        yield planned, ordinal


def _count(kind: str, wanted: int) -> int:
    return 2 * max(1, wanted // 2) if kind in _PAIRED else max(1, wanted)


def afflict(card: Card, scheme: Scheme, *, net_derived: bool) -> None:
    """Give the card what its kind does to it in canonical terms."""
    if card.kind is None:
        return
    effect = _SIMPLE.get(card.kind)
    if effect is not None:
        effect(card)
    elif card.kind == "name_is_class":
        assert card.asset_class is not None
        card.name = card.asset_class.names[scheme]
        card.issues.append(("NAME_IS_CLASS", "name"))
    elif card.kind in ("negative_net", "depreciation_exceeds"):
        _spoil_value(card, net_derived=net_derived)
    elif card.kind not in _HARMLESS:
        raise ValueError(f"unknown kind of row {card.kind!r}")


_HARMLESS = frozenset({"odd_key", "full_width", "split_card"})
"""Rows that look odd and are right."""


def _spoil_value(card: Card, *, net_derived: bool) -> None:
    excess = 12_345 + card.ordinal
    if card.kind == "depreciation_exceeds" or net_derived:
        card.depreciation = card.original + excess
        card.net = -excess if net_derived else 0
        card.issues.append(("DEPRECIATION_EXCEEDS_ORIGINAL", "accumulatedDepreciation"))
        if net_derived:
            card.issues.append(("NEGATIVE_NET", "netValue"))
    else:
        card.depreciation = card.original
        card.net = -excess
        card.issues.append(("NEGATIVE_NET", "netValue"))


def _no_date(code: str) -> Callable[[Card], None]:
    def effect(card: Card) -> None:
        card.acquired = None
        card.issues.append((code, "acquiredOn"))

    return effect


def _future_date(card: Card) -> None:
    card.acquired = date(2088 + card.ordinal % 10, 12, 31)
    card.issues.append(("FUTURE_DATE", "acquiredOn"))


def _unknown_status(card: Card) -> None:
    card.status = None
    card.issues.append(("UNKNOWN_CODE", "status"))


def _unknown_unit(card: Card) -> None:
    card.unit = None
    card.issues.append(("UNKNOWN_CODE", "owner"))


def _invalid_uscc(card: Card) -> None:
    card.unit = None
    card.issues.append(("INVALID_USCC", "owner"))


def _no_class(code: str) -> Callable[[Card], None]:
    def effect(card: Card) -> None:
        card.asset_class = None
        card.issues.append((code, "class"))

    return effect


def _name_missing(card: Card) -> None:
    card.name = None
    card.issues.append(("NAME_MISSING", "name"))


_COUNTED = (("台式电脑", "台"), ("折叠椅", "把"), ("职员桌", "张"), ("铁皮柜", "个"), ("激光打印机", "台"))


def _quantity_in_name(card: Card) -> None:
    thing, measure = _COUNTED[card.ordinal % len(_COUNTED)]
    card.quantity, card.measure = str(2 + card.ordinal % 30), measure
    card.name = f"{thing}{card.quantity}{measure}"
    card.issues.append(("QUANTITY_IN_NAME", "quantity"))


def _duplicate_code(card: Card) -> None:
    card.code = f"CF{card.ordinal // 2:08d}"
    card.issues.append(("DUPLICATE_CODE", "code"))


def _issue(code: str, field: str | None) -> Callable[[Card], None]:
    def effect(card: Card) -> None:
        card.issues.append((code, field))

    return effect


def _quarantine(code: str, field: str | None = None) -> Callable[[Card], None]:
    def effect(card: Card) -> None:
        card.outcome = "quarantined"
        card.issues.append((code, field))

    return effect


def _outcome(outcome: str) -> Callable[[Card], None]:
    def effect(card: Card) -> None:
        card.outcome = outcome

    return effect


_SIMPLE: dict[str, Callable[[Card], None]] = {
    "zero_date": _no_date("ZERO_DATE"),
    "partial_date": _no_date("PARTIAL_DATE"),
    "invalid_date": _no_date("INVALID_DATE"),
    "serial_60": _no_date("INVALID_DATE"),
    "future_date": _future_date,
    "unknown_status": _unknown_status,
    "unknown_unit": _unknown_unit,
    "invalid_uscc": _invalid_uscc,
    "class_missing": _no_class("CLASS_MISSING"),
    "class_untranslatable": _no_class("CLASS_UNTRANSLATABLE"),
    "name_missing": _name_missing,
    "mojibake": _issue("MOJIBAKE", "name"),
    "quantity_in_name": _quantity_in_name,
    "duplicate_code": _duplicate_code,
    "retired_region": _issue("RETIRED_REGION", None),
    "region_undecided": _quarantine("REGION_UNDECIDED"),
    "unmappable_amount": _quarantine("UNMAPPABLE_AMOUNT", "originalValue"),
    "empty_key": _quarantine("EMPTY_KEY"),
    "duplicate_key": _quarantine("DUPLICATE_KEY"),
    "malformed_row": _quarantine("MALFORMED_ROW"),
    "secret": _outcome("secret"),
    "secret_undecided": _outcome("secret"),
    "soft_deleted": _outcome("ignored"),
    "foreign_stock": _outcome("ignored"),
}
