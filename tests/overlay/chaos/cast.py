"""Who takes part: people with one office each, and one who heads the unit that she applies for."""

from __future__ import annotations

from contract.identity import Identity, Role
from overlay.orders.model import ApprovalStep, Office, Order
from tests.overlay.city import City, someone

__all__ = ["APPLICANTS", "BOSS", "add_assets", "applicant_of", "keeper_of", "may_decide", "officers_of"]

BORROWERS = "330105"
UNITS = ("unit-1", "unit-2", "unit-3")
LENDERS = ("330106", "330109")

APPLICANTS = tuple(someone(f"clerk-{unit}", Role.APPLICANT, unit=unit) for unit in UNITS)
BOSS = someone("boss", Role.APPLICANT, Role.UNIT_OFFICER, unit=UNITS[0])
"""Applies as well as approves: never her own."""
HEADS = {unit: someone(f"head-{unit}", Role.UNIT_OFFICER, unit=unit) for unit in UNITS}
OFFICERS = {
    region: someone(f"officer-{region}", Role.REGION_OFFICER, region=region) for region in (*LENDERS, BORROWERS)
}
CITY_OFFICER = someone("city-officer", Role.CITY_OFFICER, region="330100")
KEEPERS = {region: someone(f"keeper-{region}", Role.KEEPER, region=region) for region in LENDERS}


def add_assets(city: City) -> list[str]:
    """Single things and batches of two regions; one store cannot be written."""
    near, far = LENDERS
    assets = [
        city.add_asset("one", near),
        city.add_asset("two", near),
        city.add_asset("ten", near, quantity="10", originalValue="9999.99"),
        city.add_asset("far", far),
        city.add_asset("five", far, quantity="5"),
    ]
    city.read_only.add(assets[1])
    return assets


def applicant_of(order: Order) -> Identity:
    return next(one for one in (*APPLICANTS, BOSS) if one.person == order.applicant.person)


def keeper_of(region: str) -> Identity:
    return KEEPERS[region]


def officers_of(step: ApprovalStep) -> Identity:
    """Who decides the step in earnest."""
    if step.office is Office.UNIT_HEAD:
        return HEADS[step.unit or ""]
    if step.office is Office.CITY:
        return CITY_OFFICER
    return OFFICERS[step.region or ""]


def may_decide(step: ApprovalStep) -> set[str]:
    """Everybody in the cast who holds the step's office."""
    own = {officers_of(step).person or ""}
    return own | {BOSS.person or ""} if step.office is Office.UNIT_HEAD and step.unit == BOSS.unit else own
