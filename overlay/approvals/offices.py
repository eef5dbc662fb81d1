"""The offices that approve: on whose side each stands, whose affairs it decides, and by which role it is held.

One table serves three questions that must never differ: which steps a chain gets, who may decide a step, and in whose
inbox it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_

from contract.identity import Identity, Role
from contract.regions import CITY_REGION
from overlay.orders.model import ApprovalStep, Office
from overlay.store.tables import approval_steps as steps

__all__ = ["OFFICES", "OfficeRule", "Scope", "Side", "holds_office", "office_conditions"]


class Side(StrEnum):
    APPLICANT = "APPLICANT"
    OWNER = "OWNER"
    CITY = "CITY"


class Scope(StrEnum):
    """Whose affairs an office decides: one step for each of them that a case concerns."""

    UNIT = "UNIT"
    REGION = "REGION"
    CITY = "CITY"


@dataclass(frozen=True, slots=True)
class OfficeRule:
    side: Side
    scope: Scope
    role: Role


OFFICES: dict[Office, OfficeRule] = {
    Office.UNIT_HEAD: OfficeRule(Side.APPLICANT, Scope.UNIT, Role.UNIT_OFFICER),
    Office.OWNER_UNIT: OfficeRule(Side.OWNER, Scope.UNIT, Role.UNIT_OFFICER),
    Office.LENDING_REGION: OfficeRule(Side.OWNER, Scope.REGION, Role.REGION_OFFICER),
    Office.BORROWING_REGION: OfficeRule(Side.APPLICANT, Scope.REGION, Role.REGION_OFFICER),
    Office.DEPARTMENT: OfficeRule(Side.OWNER, Scope.REGION, Role.REGION_OFFICER),
    Office.WAREHOUSE: OfficeRule(Side.OWNER, Scope.REGION, Role.KEEPER),
    Office.LENDING_FINANCE: OfficeRule(Side.OWNER, Scope.REGION, Role.FINANCE),
    Office.BORROWING_FINANCE: OfficeRule(Side.APPLICANT, Scope.REGION, Role.FINANCE),
    Office.CITY: OfficeRule(Side.CITY, Scope.CITY, Role.CITY_OFFICER),
    Office.GOVERNMENT: OfficeRule(Side.CITY, Scope.CITY, Role.CITY_OFFICER),
}


def holds_office(identity: Identity, step: ApprovalStep) -> bool:
    """Whether this person may decide the step. A unit that no store names is stood in for by its region's officer;
    the city's officers hold the regional offices of the city's own store."""
    rule = OFFICES[step.office]
    match rule.scope:
        case Scope.CITY:
            return identity.has(rule.role)
        case Scope.UNIT if step.unit is not None:
            return identity.has(rule.role) and identity.unit == step.unit
        case Scope.UNIT:
            return _holds_regional(identity, Role.REGION_OFFICER, step.region)
        case Scope.REGION:
            return _holds_regional(identity, rule.role, step.region)


def _holds_regional(identity: Identity, role: Role, region: str | None) -> bool:
    if region == CITY_REGION and role is Role.REGION_OFFICER and identity.has(Role.CITY_OFFICER):
        return True
    return region is not None and identity.has(role) and identity.region == region


def office_conditions(identity: Identity) -> list[ColumnElement[bool]]:
    """The conditions on `approval_steps` that are `holds_office`, one for each way in which this person holds one."""
    ways: list[ColumnElement[bool]] = []
    for role in identity.roles:
        ways.append(steps.c.office.in_(_offices(Scope.CITY, role)))
        if identity.region is not None:
            ways.append(and_(steps.c.office.in_(_offices(Scope.REGION, role)), steps.c.region == identity.region))
        if identity.unit is not None:
            ways.append(and_(steps.c.office.in_(_offices(Scope.UNIT, role)), steps.c.unit == identity.unit))
    officer_of = [identity.region] if identity.has(Role.REGION_OFFICER) and identity.region is not None else []
    if identity.has(Role.CITY_OFFICER):
        officer_of.append(CITY_REGION)
        regional = _offices(Scope.REGION, Role.REGION_OFFICER)
        ways.append(and_(steps.c.office.in_(regional), steps.c.region == CITY_REGION))
    unnamed = and_(steps.c.office.in_(_offices(Scope.UNIT)), steps.c.unit.is_(None))
    return [*ways, and_(unnamed, steps.c.region.in_(officer_of))]


def _offices(scope: Scope, role: Role | None = None) -> list[Office]:
    return [office for office, rule in OFFICES.items() if rule.scope is scope and role in (None, rule.role)]
