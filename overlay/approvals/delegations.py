"""委托: an office is lent for some days, so that a step does not wait for who is away.

What is lent is what the lender held when lending: the approving roles, in their unit and region. A delegate acts in
their own name, on behalf of the lender, and the step shows both. Nothing else goes with it: a delegate decides steps
and sees the orders that have such a step, and lends nothing on.

Nobody approves their own order: neither the delegate's nor the lender's may be decided by delegation.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity, Role
from overlay.approvals.offices import OFFICES, office_conditions
from overlay.clock import Clock, shanghai_today
from overlay.messages import Problem, problem
from overlay.store import tables
from overlay.store.database import Database
from overlay.store.once import Answer, Once
from subgraphs.kit.prepared import kept

__all__ = ["Delegation", "Delegations", "delegated_orders"]

DAYS_MAX = 90
"""How long an office may be lent at a time; it may be lent again."""
REASON_MAX = 200
LENDABLE = frozenset(rule.role for rule in OFFICES.values())
_D = tables.delegations.c
_LATEST_FIRST = select(tables.delegations).order_by(_D.seq.desc())
_OF = _LATEST_FIRST.where(or_(_D.person == bindparam("person"), _D.delegate == bindparam("person")))
_IN_FORCE = kept(
    _LATEST_FIRST.where(
        _D.delegate == bindparam("delegate"),
        _D.from_day <= bindparam("today"),
        _D.to_day > bindparam("today"),
        _D.revoked_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Delegation:
    id: str
    person: str
    unit: str | None
    region: str | None
    roles: frozenset[Role]
    delegate: str
    from_day: date
    to_day: date
    """Exclusive."""
    reason: str
    created_at: str
    revoked_at: str | None

    def acting(self) -> Identity:
        """The delegate, in the lender's office."""
        return Identity(self.delegate, self.unit, self.region, self.roles)


class Delegations:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._once = Once(database, clock)

    async def lend(self, identity: Identity, key: str, body: Mapping[str, Any]) -> Answer:
        """`body`: delegate, range {from, to}, reason."""

        async def act(connection: AsyncConnection, at: str) -> Answer:
            problems = _check(identity, body, shanghai_today(self._clock()))
            if problems:
                return Answer(None, tuple(problems))
            id_ = f"delegation:{uuid.uuid4().hex}"
            values = {
                "person": identity.person,
                "unit": identity.unit,
                "region": identity.region,
                "roles": sorted(identity.roles & LENDABLE),
                "delegate": body["delegate"],
                "from_day": body["range"]["from"],
                "to_day": body["range"]["to"],
            }
            await connection.execute(
                insert(tables.delegations).values(id=id_, reason=body["reason"].strip(), created_at=at, **values)
            )
            return Answer(id_, audited=values)

        return await self._once.run(identity, key, "LEND_OFFICE", body, act)

    async def revoke(self, identity: Identity, key: str, id_: str) -> Answer:
        async def act(connection: AsyncConnection, at: str) -> Answer:
            table = tables.delegations
            mine = (table.c.id == id_, table.c.person == identity.person, table.c.revoked_at.is_(None))
            changed = await connection.execute(update(table).where(*mine).values(revoked_at=at))
            if changed.rowcount != 1:
                return Answer(None, (problem("DELEGATION_NOT_FOUND", "id"),))
            return Answer(id_)

        return await self._once.run(identity, key, "REVOKE_OFFICE", {"id": id_}, act)

    async def of(self, identity: Identity) -> list[Delegation]:
        """What this person has lent or was lent, latest first."""
        return await self._load(_OF, {"person": identity.person})

    async def in_force(self, identity: Identity) -> list[Delegation]:
        """The offices that this person was lent and may act in today."""
        if identity.is_anonymous:
            return []
        today = shanghai_today(self._clock()).isoformat()
        return await self._load(_IN_FORCE, {"delegate": identity.person, "today": today})

    async def _load(self, query: Select[Any], values: Mapping[str, Any]) -> list[Delegation]:
        async with self._database.read(is_short=True) as connection:
            return [_delegation(dict(row)) for row in (await connection.execute(query, values)).mappings()]


def delegated_orders(acting: Identity) -> ColumnElement[bool]:
    """The condition on `orders` that a delegate may see: those with a step of the lent office, whatever its state."""
    steps = tables.approval_steps
    return tables.orders.c.id.in_(select(steps.c.order_id).where(or_(*office_conditions(acting))))


def _check(identity: Identity, body: Mapping[str, Any], today: date) -> Sequence[Problem]:
    problems: list[Problem] = []
    if not identity.roles & LENDABLE:
        problems.append(problem("FORBIDDEN", command="LEND_OFFICE", roles=", ".join(sorted(LENDABLE))))
    delegate = body["delegate"].strip()
    if not delegate or delegate == identity.person:
        problems.append(problem("INVALID_DELEGATE", "delegate"))
    first, after = (date.fromisoformat(body["range"][name]) for name in ("from", "to"))
    if not today <= first < after:
        problems.append(problem("INVALID_RANGE", "range", **{"from": first.isoformat(), "to": after.isoformat()}))
    elif (after - first).days > DAYS_MAX:
        problems.append(problem("DELEGATION_TOO_LONG", "range", max=str(DAYS_MAX)))
    if not 1 <= len(body["reason"].strip()) <= REASON_MAX:
        problems.append(problem("INVALID_TEXT", "reason", max=str(REASON_MAX)))
    return problems


def _delegation(row: Mapping[str, Any]) -> Delegation:
    return Delegation(
        id=row["id"],
        person=row["person"],
        unit=row["unit"],
        region=row["region"],
        roles=frozenset(Role(name) for name in row["roles"]),
        delegate=row["delegate"],
        from_day=date.fromisoformat(row["from_day"]),
        to_day=date.fromisoformat(row["to_day"]),
        reason=row["reason"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
