"""Who takes part, with one office each but for who is named so, and the goods that it is all about."""

from __future__ import annotations

from decimal import Decimal

from contract.identity import Identity, Role
from overlay.orders.model import ApprovalStep, Office, Order
from tests.overlay.chaos.acting import Item
from tests.overlay.city import OTHER, OWNER, City, someone

__all__ = [
    "APPLICANTS",
    "BOSS",
    "DEPUTY",
    "FINANCE",
    "HEADS",
    "KEEPERS",
    "NEIGHBOUR",
    "OFFICERS",
    "OWNERS",
    "add_assets",
    "applicant_of",
    "items_of",
    "may_decide",
    "officer_of",
    "replenish",
    "share_received",
]

BORROWERS = "330105"
UNITS = ("unit-1", "unit-2", "unit-3")
LENDERS = ("330106", "330109")
REGIONS = (*LENDERS, BORROWERS)
UNIT_NEAR = "unit-near"
"""Beside the owner, in its own region."""
UNIT_REGIONS = {**dict.fromkeys(UNITS, BORROWERS), OWNER: LENDERS[0], UNIT_NEAR: LENDERS[0], OTHER: LENDERS[1]}
UNKNOWN_UNIT = UNITS[2]
"""Its region's store does not know it, so it can be given no card."""

APPLICANTS = tuple(someone(f"clerk-{unit}", Role.APPLICANT, unit=unit) for unit in UNITS)
BOSS = someone("boss", Role.APPLICANT, Role.UNIT_OFFICER, unit=UNITS[0])
"""Applies as well as approves: never her own."""
NEIGHBOUR = someone("clerk-near", Role.APPLICANT, unit=UNIT_NEAR, region=LENDERS[0])
DEPUTY = someone("deputy", Role.APPLICANT, unit=UNITS[2])
"""Holds no office but those that are lent to him."""
OWNERS = {
    unit: someone(f"clerk-{region}", Role.APPLICANT, unit=unit, region=region)
    for unit, region in UNIT_REGIONS.items()
    if unit in (OWNER, OTHER)
}
HEADS = {
    unit: someone(f"head-{unit}", Role.UNIT_OFFICER, unit=unit, region=UNIT_REGIONS[unit]) for unit in UNIT_REGIONS
}
OFFICERS = {region: someone(f"officer-{region}", Role.REGION_OFFICER, region=region) for region in REGIONS}
KEEPERS = {region: someone(f"keeper-{region}", Role.KEEPER, region=region) for region in REGIONS}
FINANCE = {region: someone(f"finance-{region}", Role.FINANCE, region=region) for region in REGIONS}
CITY_OFFICER = someone("city-officer", Role.CITY_OFFICER, region="330100")
_EVERYBODY = (*APPLICANTS, BOSS, NEIGHBOUR, DEPUTY, *OWNERS.values(), *KEEPERS.values())

# --- goods ------------------------------------------------------------------------------------------------------------

_STOCK = {
    "one": (LENDERS[0], "1", {}),
    "two": (LENDERS[0], "1", {}),
    "ten": (LENDERS[0], "10", {"originalValue": "9999.99"}),
    "old": (LENDERS[0], "2", {"condition": "NEEDS_REPAIR"}),
    "far": (LENDERS[1], "1", {}),
    "five": (LENDERS[1], "5", {}),
}
_READ_ONLY = "two"
"""Single things and batches of two regions; one store cannot be written."""
_GONE = "DISPOSED"


def add_assets(city: City) -> None:
    known = {unit: region for unit, region in UNIT_REGIONS.items() if unit != UNKNOWN_UNIT}
    city.units |= {(region, unit): f"unit:{region}:{unit}" for unit, region in known.items()}
    replenish(city)


def replenish(city: City) -> bool:
    """Where something has gone for good, its owner buys another one; gives whether anybody did."""
    before = len(city.assets)
    for kind, (region, quantity, changed) in _STOCK.items():
        those = [id_ for id_ in city.assets if id_.startswith(f"asset:{region}:{kind}-")]
        if all(city.assets[id_]["status"] == _GONE for id_ in those):
            unit = OWNER if region == LENDERS[0] else OTHER
            owner = {"id": f"unit:{region}:{unit}", "uscc": unit}
            told = {"quantity": quantity, "owner": owner, "registered": quantity, **changed}
            id_ = city.add_asset(f"{kind}-{len(those) + 1}", region, **told)
            city.read_only |= {id_} if kind == _READ_ONLY else set()
    return len(city.assets) > before


def share_received(city: City) -> bool:
    """Who received goods for good offers them to others; gives whether anybody did."""
    received = [one for one in city.assets.values() if one["predecessorId"] and one["status"] == "IN_USE"]
    for asset in received:
        asset |= {"status": "IN_STORE", "shareable": True, "version": str(int(asset["version"]) + 1)}
    return bool(received)


def items_of(city: City) -> list[Item]:
    """The cards that anybody may apply for."""
    return [
        Item(
            id_,
            int(Decimal(asset["quantity"])),
            id_.split(":")[1],
            str(asset["owner"]["uscc"]),
            asset["condition"] != "NEEDS_REPAIR",
        )
        for id_, asset in city.assets.items()
        if asset["status"] != _GONE
    ]


# --- offices ----------------------------------------------------------------------------------------------------------


def applicant_of(order: Order) -> Identity:
    return next(one for one in _EVERYBODY if one.person == order.applicant.person)


def officer_of(step: ApprovalStep) -> Identity:
    """Who decides the step in earnest."""
    match step.office:
        case Office.UNIT_HEAD | Office.OWNER_UNIT:
            return HEADS[step.unit or ""]
        case Office.CITY | Office.GOVERNMENT:
            return CITY_OFFICER
        case Office.WAREHOUSE:
            return KEEPERS[step.region or ""]
        case Office.LENDING_FINANCE | Office.BORROWING_FINANCE:
            return FINANCE[step.region or ""]
        case _:
            return OFFICERS[step.region or ""]


def may_decide(step: ApprovalStep) -> set[str]:
    """Everybody in the cast who holds the step's office."""
    own = {officer_of(step).person or ""}
    of_unit = step.office in (Office.UNIT_HEAD, Office.OWNER_UNIT)
    return own | {BOSS.person or ""} if of_unit and step.unit == BOSS.unit else own
