"""Who may see a virtual warehouse, who may change it, and how widely each role may share.

| role           | shares with              | changes and retires                                  |
|----------------|--------------------------|------------------------------------------------------|
| applicant      | own unit                 | their own                                            |
| unit officer   | own unit                 | their own, and all of their unit                     |
| keeper         | own region               | their own                                            |
| region officer | own unit, region, city   | their own, and all of their region                   |
| city officer   | own unit, region, city, all | all but built-in ones                             |

*Own* is what a person made, for as long as they are of the unit and region that it was made for. A scope that a change
leaves as it was is not judged again: an officer above may correct a rule without taking the sharing upon themselves.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, true

from contract.identity import Identity, Role
from overlay.store.tables import virtual_warehouses
from overlay.warehouses.model import Warehouse

__all__ = ["SHARING_ROLES", "may_change", "may_see_history", "may_share", "scopes_of", "visible_warehouses"]

_SCOPES: dict[Role, frozenset[str]] = {
    Role.APPLICANT: frozenset({"UNIT"}),
    Role.UNIT_OFFICER: frozenset({"UNIT"}),
    Role.KEEPER: frozenset({"REGION"}),
    Role.REGION_OFFICER: frozenset({"UNIT", "REGION", "CITY"}),
    Role.CITY_OFFICER: frozenset({"UNIT", "REGION", "CITY", "ALL"}),
}
"""How widely each role may share what it makes."""
SHARING_ROLES = ", ".join(_SCOPES)
_SEE_ALL = (Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE)


def scopes_of(identity: Identity) -> frozenset[str]:
    return frozenset().union(*(_SCOPES.get(role, frozenset()) for role in identity.roles))


def may_share(identity: Identity, scope: str, unit: str | None, region: str | None) -> bool:
    """Whether this person may share so widely what belongs to the unit and region: sharing with either needs one."""
    if scope not in scopes_of(identity):
        return False
    return {"UNIT": unit, "REGION": region}.get(scope, "") is not None


def may_change(identity: Identity, warehouse: Warehouse) -> bool:
    if identity.is_anonymous or warehouse.built_in:
        return False
    if identity.has(Role.CITY_OFFICER):
        return True
    same_unit = identity.unit is not None and identity.unit == warehouse.owner_unit
    same_region = identity.region is not None and identity.region == warehouse.owner_region
    if (identity.has(Role.UNIT_OFFICER) and same_unit) or (identity.has(Role.REGION_OFFICER) and same_region):
        return True
    stayed = (identity.unit, identity.region) == (warehouse.owner_unit, warehouse.owner_region)
    return identity.person == warehouse.owner_person and stayed and bool(scopes_of(identity))


def may_see_history(identity: Identity, warehouse: Warehouse) -> bool:
    """A rule as it was made names warehouses that not everybody may see."""
    return may_change(identity, warehouse) or identity.has(*_SEE_ALL)


def visible_warehouses(identity: Identity) -> ColumnElement[bool]:
    table = virtual_warehouses
    standing = table.c.retired_at.is_(None)
    if identity.has(*_SEE_ALL):
        return and_(standing, true())
    ways: list[ColumnElement[bool]] = [table.c.scope == "ALL"]
    if not identity.is_anonymous:
        ways += [table.c.scope == "CITY", table.c.owner_person == identity.person]
    if identity.region is not None:
        ways.append(and_(table.c.scope == "REGION", table.c.owner_region == identity.region))
    if identity.unit is not None:
        ways.append(and_(table.c.scope == "UNIT", table.c.owner_unit == identity.unit))
    return and_(standing, or_(false(), *ways))
