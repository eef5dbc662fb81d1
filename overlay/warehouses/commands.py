"""Commands on virtual warehouses: make, change, retire.

What refers to what is judged as a whole, so these commands run one at a time over the whole store: SQLite has one
writer anyway, PostgreSQL takes an advisory lock. Under it a change can form no circle that another one completes, and
nothing can be retired that somebody is just building upon. They are rare, and each reads the rules of all warehouses.

Narrowing the scope of a warehouse leaves what builds on it as it is: whoever built on it could see the rule then, and a
rule gives nobody a right to rows. Only retiring is refused while others build on it.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.clock import Clock, text_of
from overlay.messages import Problem, problem
from overlay.store.database import Database
from overlay.store.once import Answer, Once
from overlay.warehouses import repository
from overlay.warehouses.model import Warehouse, WarehouseAnswer
from overlay.warehouses.rights import SHARING_ROLES, may_change, may_share, scopes_of
from overlay.warehouses.rules import CONDITIONS_MAX, DEPTH_MAX, Definition, RuleTooLarge, builders_on, spell_out

__all__ = ["WarehouseCommands"]

NAME_MAX = 100
DESCRIPTION_MAX = 1000
REFERENCES_MAX = 20
NAMED_MAX = 10
"""Of the warehouses that keep one from being retired."""
_LOCK = 330100_0006
"""PostgreSQL's advisory lock of these commands."""
_TEXTS = (("name", NAME_MAX, 1), ("nameEn", NAME_MAX, 0), ("description", DESCRIPTION_MAX, 0))
_COLUMNS = {"nameEn": "name_en"}
_RULE = {"filter": "filter", "unionWith": "union", "intersectWith": "intersection", "without": "difference"}
"""Input → part of a definition."""

Body = Mapping[str, Any]
"""A command's input by the contract's names: what is absent is left as it is, null clears."""
Outcome = tuple[str | None, list[Problem]]
Decide = Callable[[AsyncConnection], Awaitable[Outcome]]


class WarehouseCommands:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys = Once(database, clock)

    async def create(self, identity: Identity, key: str, body: Body) -> WarehouseAnswer:
        async def decide(connection: AsyncConnection) -> Outcome:
            if not scopes_of(identity):
                return None, [problem("FORBIDDEN", command="CREATE", roles=SHARING_ROLES)]
            problems = _check_texts(body)
            if not may_share(identity, body["scope"], identity.unit, identity.region):
                problems.append(problem("SCOPE_TOO_WIDE", "scope"))
            definition = _defined(Definition(), body)
            problems = problems or await self._check_rule(connection, identity, None, definition)
            if problems:
                return None, problems
            warehouse_id = f"vw:{uuid.uuid4().hex}"
            owner = {
                "owner_region": identity.region,
                "owner_unit": identity.unit,
                "owner_person": identity.person,
            }
            values = {"notify": False, **_columns(body), **owner}
            await repository.add(connection, self._clock(), identity, definition, id=warehouse_id, **values)
            return warehouse_id, []

        return await self._once(identity, key, "CREATE", None, body, decide)

    async def change(self, identity: Identity, key: str, warehouse_id: str, body: Body) -> WarehouseAnswer:
        async def decide(connection: AsyncConnection) -> Outcome:
            was = await self._changeable(connection, identity, "CHANGE", warehouse_id, body["expectedVersion"])
            if not isinstance(was, Warehouse):
                return None, [was]
            problems = _check_texts(body)
            scope = body.get("scope", was.scope)
            if scope != was.scope and not may_share(identity, scope, was.owner_unit, was.owner_region):
                problems.append(problem("SCOPE_TOO_WIDE", "scope"))
            definition = _defined(was.definition, body)
            if definition != was.definition:
                problems = problems or await self._check_rule(connection, identity, was, definition)
            if problems:
                return None, problems
            values = {**_columns(body), "rule": definition.to_json()}
            await repository.change(connection, self._clock(), identity, was, "CHANGED", values)
            return was.id, []

        return await self._once(identity, key, "CHANGE", warehouse_id, body, decide)

    async def retire(self, identity: Identity, key: str, warehouse_id: str, body: Body) -> WarehouseAnswer:
        async def decide(connection: AsyncConnection) -> Outcome:
            was = await self._changeable(connection, identity, "RETIRE", warehouse_id, body["expectedVersion"])
            if not isinstance(was, Warehouse):
                return None, [was]
            standing = await repository.standing(connection)
            builders = [one for one, definition in standing.items() if was.id in definition.references]
            if builders:
                seen = await repository.visible(connection, identity, builders)
                names = ", ".join([one.name for one in seen.values()][:NAMED_MAX]) or "—"
                return None, [problem("WAREHOUSE_IN_USE", "id", count=str(len(builders)), names=names)]
            retired = {"retired_at": text_of(self._clock()), "notify": False}
            await repository.change(connection, self._clock(), identity, was, "RETIRED", retired)
            return was.id, []

        return await self._once(identity, key, "RETIRE", warehouse_id, body, decide)

    # --- checks -------------------------------------------------------------------------------------------------------

    async def _changeable(
        self, connection: AsyncConnection, identity: Identity, command: str, warehouse_id: str, expected: int
    ) -> Warehouse | Problem:
        was = (await repository.visible(connection, identity, [warehouse_id])).get(warehouse_id)
        if was is None:
            return problem("WAREHOUSE_NOT_FOUND", "id", id=warehouse_id[:80])
        if was.built_in:
            return problem("WAREHOUSE_BUILT_IN", "id")
        if not may_change(identity, was):
            return problem("FORBIDDEN", "id", command=command, roles=SHARING_ROLES)
        if was.version != expected:
            return problem("WAREHOUSE_CHANGED", "expectedVersion", version=str(was.version))
        return was

    async def _check_rule(
        self, connection: AsyncConnection, identity: Identity, was: Warehouse | None, definition: Definition
    ) -> list[Problem]:
        """References must be seen by who adds them, lead nowhere back, and leave every rule within its bounds."""
        bounds = {"max": str(CONDITIONS_MAX), "depth": str(DEPTH_MAX)}
        if definition.is_empty:
            return [problem("RULE_EMPTY", "filter")]
        if len(definition.references) > REFERENCES_MAX:
            return [problem("RULE_TOO_LARGE", "filter", **bounds)]
        added = set(definition.references) - set(was.definition.references if was else ())
        found = await repository.visible(connection, identity, added)
        missing = [one for one in definition.references if one in added and one not in found]
        if missing:
            return [problem("WAREHOUSE_NOT_FOUND", id=one[:80]) for one in missing]
        standing = await repository.standing(connection)
        builders = builders_on(was.id, standing) if was else set()
        circular = [one for one in definition.references if was and (one == was.id or one in builders)]
        if circular:
            return [problem("RULE_CIRCULAR", id=one[:80]) for one in circular]
        try:
            spell_out(definition, standing.__getitem__)
        except RuleTooLarge:
            return [problem("RULE_TOO_LARGE", "filter", **bounds)]
        try:
            changed = {**standing, **({was.id: definition} if was else {})}
            for one in builders:
                spell_out(changed[one], changed.__getitem__)
        except RuleTooLarge:
            return [problem("DEPENDENT_TOO_LARGE", "filter", **bounds)]
        return []

    async def _once(
        self, identity: Identity, key: str, command: str, warehouse_id: str | None, body: Body, decide: Decide
    ) -> WarehouseAnswer:
        async def act(connection: AsyncConnection, _at: str) -> Answer:
            if not self._database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            done, problems = await decide(connection)
            return Answer(done, tuple(problems), {"changed": sorted(body.keys() - {"expectedVersion"})})

        named = body if warehouse_id is None else {**body, "id": warehouse_id}
        answer = await self._keys.run(identity, key, f"{command}_WAREHOUSE", named, act)
        return WarehouseAnswer(answer.id, answer.problems)


def _check_texts(body: Body) -> list[Problem]:
    return [
        problem("INVALID_TEXT", name, max=str(longest))
        for name, longest, least in _TEXTS
        if name in body and not least <= len((body.get(name) or "").strip()) <= longest
    ]


def _defined(was: Definition, body: Body) -> Definition:
    parts = {**was.to_json(), **{part: body[name] for name, part in _RULE.items() if name in body}}
    sets = (tuple(parts[name] or ()) for name in ("union", "intersection", "difference"))
    return Definition(parts["filter"], *sets)


def _columns(body: Body) -> dict[str, Any]:
    names = ("name", "nameEn", "description", "scope", "notify")
    values = {_COLUMNS.get(name, name): body[name] for name in names if name in body}
    return values | ({"name": values["name"].strip()} if values.get("name") else {})
