"""Who may see what of the ledger. Accounts are seen by city, region or unit; an entry also by whoever may see its order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from contract.identity import Identity, Role
from overlay.orders.rights import visible_orders
from overlay.store.tables import ledger_entries, orders

__all__ = [
    "AUDITS",
    "export_refused",
    "may_reconcile",
    "regions_reconciled",
    "sees_accounts",
    "visible_accounts",
    "visible_entries",
]

AUDITS = (Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE)
_OF_REGION = (Role.REGION_OFFICER, Role.KEEPER, Role.FINANCE)


def sees_accounts(identity: Identity) -> bool:
    """Whether there is any account that this person may see the balance of."""
    if identity.has(*AUDITS) or (identity.has(*_OF_REGION) and identity.region is not None):
        return True
    return identity.has(Role.UNIT_OFFICER) and identity.unit is not None


def visible_accounts(identity: Identity, table: Any) -> ColumnElement[bool]:
    """`table`: balances or entries."""
    if identity.has(*AUDITS):
        return true()
    ways: list[ColumnElement[bool]] = [false()]
    if identity.region is not None and identity.has(*_OF_REGION):
        ways.append(table.c.region == identity.region)
    if identity.unit is not None and identity.has(Role.UNIT_OFFICER):
        ways.append(table.c.unit == identity.unit)
    return or_(*ways)


def visible_entries(identity: Identity) -> ColumnElement[bool]:
    """The whole statement for who audits the city or works in the owner's region; for others what their orders moved."""
    if identity.has(*AUDITS):
        return true()
    table = ledger_entries
    visible = select(orders.c.id).where(orders.c.listed, visible_orders(identity))
    ways: list[ColumnElement[bool]] = [table.c.order_id.in_(visible)]
    if identity.region is not None and identity.has(*_OF_REGION):
        ways.append(table.c.asset_id.startswith(f"asset:{identity.region}:", autoescape=True))
    return or_(*ways)


def may_reconcile(identity: Identity) -> bool:
    return identity.has(*AUDITS)


def regions_reconciled(identity: Identity) -> frozenset[str] | None:
    """Of which regions the person may see differences; None: of all."""
    if identity.has(*AUDITS):
        return None
    if identity.region is not None and identity.has(Role.REGION_OFFICER, Role.FINANCE):
        return frozenset((identity.region,))
    return frozenset()


def export_refused(identity: Identity, kind: str) -> str | None:
    """The roles that may export it, where this person has none of them. The journal shows each what they may see."""
    if kind == "BALANCES" and not sees_accounts(identity):
        return ", ".join((*AUDITS[:2], *_OF_REGION, Role.UNIT_OFFICER))
    if kind == "DIFFERENCES" and regions_reconciled(identity) == frozenset():
        return ", ".join((*AUDITS[:2], Role.REGION_OFFICER, Role.FINANCE))
    return None
